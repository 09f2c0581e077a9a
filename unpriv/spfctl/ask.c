/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(); on a libevent base. */

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "unpriv/check/asker.h"
#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/zonefile.h"

#define TICK_MS	    250	 /* deadlines and the progress line */
#define PROGRESS_MS 1000 /* patience before there is one */

/* A question on its way to dns. */
struct flight {
	LIST_ENTRY(flight) entry;
	struct answers_question *q;
	struct ask *ask;
	uint32_t id;
};

struct ask {
	struct ctl *ctl;
	struct answers *answers;
	LIST_HEAD(, flight) flights;
	struct event *tick;
	uint64_t start; /* microseconds */
	long shown;	/* seconds in the progress line */
};

static const struct dns_answer no_answer = { .status = DNS_TEMPERROR };

static long
ask_ms(const struct ask *a)
{
	return (long)((clock_usec() - a->start) / 1000);
}

static void
flight_end(struct flight *f)
{
	LIST_REMOVE(f, entry);
	free(f);
}

static void
ask_answered(const struct dns_answer *ans, void *arg)
{
	struct flight *f = arg;

	(void)answers_put(f->ask->answers, f->q,
	    ans == NULL ? &no_answer : ans);
	flight_end(f);
}

static int
ask_dns(struct ask *a, struct answers_question *q, const char *name, size_t len)
{
	struct flight *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return -1;
	f->q = q;
	f->ask = a;
	f->id = asker_ask(a->ctl->asker, q->type, name, len, ask_answered, f);
	if (f->id == 0) {
		free(f);
		return -1;
	}
	LIST_INSERT_HEAD(&a->flights, f, entry);
	return 0;
}

/* All new questions. Returns how many were answered at once. */
static size_t
ask_new(struct ask *a)
{
	char alias[DNAME_MAX + 1];
	struct dns_answer ans;
	const char *name;
	struct answers_question *q;
	size_t len, n = 0;

	while ((q = answers_next(a->answers)) != NULL) {
		name = q->name;
		len = q->namelen;
		if (a->ctl->zone != NULL &&
		    zonefile_answer(a->ctl->zone, q->type, name, len, &ans,
			alias) == ZONEFILE_HERE) {
			(void)answers_put(a->answers, q, &ans);
			n++;
			continue;
		}
		if (a->ctl->zone != NULL && alias[0] != '\0') {
			name = alias;
			len = strlen(alias);
		}
		if (ask_dns(a, q, name, len) == -1) {
			(void)answers_put(a->answers, q, &no_answer);
			n++;
		}
	}
	return n;
}

static void
ask_progress(struct ask *a)
{
	const struct flight *f = LIST_FIRST(&a->flights), *g;
	long ms = ask_ms(a);
	size_t n = 0;

	if (!a->ctl->progress || ms < PROGRESS_MS || f == NULL ||
	    a->shown == ms / 1000)
		return;
	LIST_FOREACH(g, &a->flights, entry)
		n++;
	fprintf(stderr, "\r\033[Kwaiting for DNS: %s ",
	    dns_type_name(f->q->type));
	ctl_put_short(stderr, f->q->name, f->q->namelen, 40);
	if (n > 1)
		fprintf(stderr, " and %zu more", n - 1);
	fprintf(stderr, " (%ld s)", ms / 1000);
	fflush(stderr);
	a->shown = ms / 1000;
}

static void
ask_tick(evutil_socket_t fd, short what, void *arg)
{
	ask_progress(arg);
}

static void
ask_end(struct ask *a)
{
	struct flight *f;

	while ((f = LIST_FIRST(&a->flights)) != NULL) {
		asker_cancel(a->ctl->asker, f->id);
		flight_end(f);
	}
	event_free(a->tick);
	if (a->shown != 0) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
}

/*
 * fn runs again for each batch of answers and for each tick; there are at
 * most ANSWERS_MAX answers, and ticks end at the deadline.
 */
int
ctl_ask_run(struct ctl *ctl, struct answers *answers, unsigned int seconds,
    ctl_run_fn fn, void *arg)
{
	struct timeval tv = { 0, TICK_MS * 1000 };
	struct ask a;
	long ms;

	memset(&a, 0, sizeof(a));
	a.ctl = ctl;
	a.answers = answers;
	LIST_INIT(&a.flights);
	a.start = clock_usec();
	a.tick = event_new(ctl->base, -1, EV_PERSIST, ask_tick, &a);
	if (a.tick == NULL || event_add(a.tick, &tv) == -1)
		fatalx("no event");
	for (;;) {
		ms = ask_ms(&a);
		answers_begin(answers);
		if (fn(answers, (int)(ms / 1000), arg) == 0 || ctl->dns_gone)
			break;
		if (ask_new(&a) > 0)
			continue;
		if (ms >= (long)seconds * 1000)
			answers_expire(answers, DNS_TIMEOUT);
		else if (LIST_EMPTY(&a.flights))
			answers_expire(answers, DNS_TEMPERROR);
		else if (event_base_loop(ctl->base, EVLOOP_ONCE) == -1)
			fatalx("event loop");
	}
	ask_end(&a);
	if (!ctl->dns_gone)
		return 0;
	fputs("spfctl: the dns process ended\n", stderr);
	return -1;
}

const char *
ctl_ask_source(const struct ctl *ctl, const struct answers_question *q)
{
	char alias[DNAME_MAX + 1];
	struct dns_answer ans;

	if (ctl->zone != NULL &&
	    zonefile_answer(ctl->zone, q->type, q->name, q->namelen, &ans,
		alias) == ZONEFILE_HERE)
		return "zone";
	return q->answer.cached ? "cache" : "dns";
}
