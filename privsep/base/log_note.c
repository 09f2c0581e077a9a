/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"

#define NOTE_SECONDS 60

static struct log_note *notes; /* each that has ever held a line back */
static struct event *notes_timer;

/* Never 0, which stands for "no line yet". */
static time_t
note_now(void)
{
	time_t now = clock_seconds();

	return now == 0 ? 1 : now;
}

static int
note_is_over(const struct log_note *n, time_t now)
{
	return now - n->since >= NOTE_SECONDS;
}

/* Ends the minute: logs how many lines were held back. */
static void
note_end(struct log_note *n)
{
	if (n->more != 0)
		log_warnx("%s (%lu more in the last minute)", n->text, n->more);
	n->since = 0;
	n->said = 0;
	n->more = 0;
}

static void
note_arm(time_t seconds)
{
	const struct timeval tv = { seconds, 0 };

	if (notes_timer != NULL && !evtimer_pending(notes_timer, NULL))
		(void)evtimer_add(notes_timer, &tv);
}

/* Ends the minutes that are over and waits for the next one. */
static void
note_timer(evutil_socket_t fd, short what, void *arg)
{
	struct log_note *n;
	time_t left, now = note_now(), next = 0;

	for (n = notes; n != NULL; n = n->next) {
		if (n->more == 0)
			continue;
		if (note_is_over(n, now)) {
			note_end(n);
			continue;
		}
		left = NOTE_SECONDS - (now - n->since);
		if (next == 0 || left < next)
			next = left;
	}
	if (next != 0)
		note_arm(next);
}

static void
note_keep_back(struct log_note *n, const char *text)
{
	strlcpy(n->text, text, sizeof(n->text));
	n->more++;
	if (!n->listed) {
		n->listed = 1;
		n->next = notes;
		notes = n;
	}
	note_arm(NOTE_SECONDS);
}

int
log_note(struct log_note *n, const char *fmt, ...)
{
	char text[sizeof(n->text)];
	time_t now = note_now();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n->since != 0 && note_is_over(n, now))
		note_end(n);
	if (n->said >= (n->max == 0 ? 1 : n->max)) {
		note_keep_back(n, text);
		return 0;
	}
	if (n->said++ == 0)
		n->since = now;
	log_warnx("%s", text);
	return 1;
}

void
log_notes_init(struct event_base *base)
{
	notes_timer = evtimer_new(base, note_timer, NULL);
}

void
log_notes_flush(void)
{
	struct log_note *n;

	for (n = notes; n != NULL; n = n->next)
		if (n->more != 0)
			note_end(n);
}
