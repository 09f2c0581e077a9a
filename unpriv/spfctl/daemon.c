/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; after sandbox_enter() but for ctl_daemon_new(). */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/text.h"

/* Limits of one answer. */
#define LINES_MAX  65536
#define ARENA_SIZE (64 << 20)

struct ctl_daemon {
	struct event_base *base;
	struct chan *chan;	   /* NULL: gone */
	const char *why;	   /* it sent a bad message: which */
	struct ctl_answer *answer; /* being collected */
	int ended;
	int late;
};

static void
answer_line(struct ctl_answer *a, const uint8_t *p, size_t len)
{
	if (a->n >= LINES_MAX)
		return;
	a->line = reallocarray(a->line, a->n + 1, sizeof(*a->line));
	if (a->line == NULL ||
	    (a->line[a->n++] = strndup((const char *)p, len)) == NULL)
		fatal("answer");
}

static void
answer_row(struct ctl_answer *a, const uint8_t *p, size_t len)
{
	struct status_row *row;

	if (a->arena == NULL && (a->arena = arena_new(ARENA_SIZE)) == NULL)
		fatal("answer");
	if ((row = status_get(a->arena, p, len)) != NULL)
		STAILQ_INSERT_TAIL(&a->rows, row, entry);
	else
		a->bad_rows = 1;
}

static void
daemon_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct ctl_daemon *d = arg;
	struct rbuf r;

	/* Ignore messages outside of an answer. */
	if (d->answer == NULL || d->ended)
		return;
	switch (h->type) {
	case MSG_CTL_TEXT:
		answer_line(d->answer, p, len);
		break;
	case MSG_CTL_ROW:
		answer_row(d->answer, p, len);
		break;
	case MSG_CTL_COUNTS:
		if (stat_get(&d->answer->stats, p, len) == 0)
			d->answer->has_stats = 1;
		break;
	case MSG_CTL_END:
		rbuf_init(&r, p, len);
		d->answer->status = (int)(rbuf_u32(&r) & 0xff);
		d->ended = 1;
		event_base_loopbreak(d->base);
		break;
	}
}

static void
daemon_gone(struct chan *c, const char *why, void *arg)
{
	struct ctl_daemon *d = arg;

	chan_free(c);
	d->chan = NULL;
	d->why = why;
	event_base_loopbreak(d->base);
}

static void
daemon_late(evutil_socket_t fd, short what, void *arg)
{
	struct ctl_daemon *d = arg;

	d->late = 1;
	event_base_loopbreak(d->base);
}

struct ctl_daemon *
ctl_daemon_new(struct event_base *base, int fd)
{
	struct ctl_daemon *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		fatal("control socket");
	d->base = base;
	d->chan = chan_new(base, fd, ROLE_CONTROL, ROLE_PARENT, daemon_msg,
	    daemon_gone, d);
	return d;
}

/* An answer that ends also ends it. */
void
ctl_daemon_wait(struct ctl_daemon *d, unsigned int seconds)
{
	const struct timeval tv = { (time_t)seconds, 0 };
	struct event *timer;

	d->ended = d->late = 0;
	timer = evtimer_new(d->base, daemon_late, d);
	if (timer == NULL || evtimer_add(timer, &tv) == -1)
		fatalx("control socket: no event");
	while (!d->ended && !d->late && d->chan != NULL)
		if (event_base_dispatch(d->base) == -1)
			fatalx("event loop");
	event_free(timer);
}

int
ctl_daemon_differs(const char *why)
{
	ctl_complain("the daemon has another version: %s", why);
	return EX_PROTOCOL;
}

int
ctl_daemon_ask(struct spfctl *ctl, enum msg_type type, const void *p,
    size_t len, unsigned int seconds, struct ctl_answer *a)
{
	struct ctl_daemon *d = ctl->daemon;

	memset(a, 0, sizeof(*a));
	STAILQ_INIT(&a->rows);
	d->answer = a;
	if (d->chan != NULL)
		(void)chan_send(d->chan, type, 0, p, len, -1, 0);
	ctl_daemon_wait(d, seconds);
	d->answer = NULL;
	if (d->ended)
		return 0;
	if (d->late) {
		ctl_complain("the daemon does not answer");
		a->status = EX_TEMPFAIL;
	} else if (d->why != NULL) {
		a->status = ctl_daemon_differs(d->why);
	} else {
		ctl_complain("the daemon closed the connection");
		a->status = EX_UNAVAILABLE;
	}
	return -1;
}

void
ctl_answer_free(struct ctl_answer *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->line[i]);
	free(a->line);
	arena_free(a->arena);
	memset(a, 0, sizeof(*a));
}

int
ctl_answer_complain(const struct ctl_answer *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		ctl_complain("%s", a->line[i]);
	return a->status;
}

const char *
ctl_seconds(uint64_t s, char *buf, size_t size)
{
	static const struct {
		uint64_t n;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" },
		{ 1, "s" } };
	size_t i = 0;

	while (i + 1 < nitems(units) && s < units[i].n)
		i++;
	if (units[i].n == 1)
		snprintf(buf, size, "%" PRIu64 " s", s);
	else
		snprintf(buf, size, "%" PRIu64 " %s %" PRIu64 " %s",
		    s / units[i].n, units[i].unit,
		    s % units[i].n / units[i + 1].n, units[i + 1].unit);
	return buf;
}

static void
json_out(void *arg, const char *s, size_t len)
{
	fwrite(s, 1, len, arg);
}

void
ctl_json_start(struct json *j, int indent)
{
	json_init(j, json_out, stdout);
	j->indent = indent;
	json_object(j, NULL);
}

void
ctl_json_end(struct json *j)
{
	json_object_end(j);
	putchar('\n');
}

/* ---- reload, flush, log ---- */

#define COMMAND_SECONDS 60 /* at a reload, new processes take up to 20 */

/* Runs a command that changes the daemon, and prints its messages. */
static int
command(struct spfctl *ctl, enum msg_type type, const void *p, size_t len)
{
	struct ctl_answer a;
	struct json j;
	size_t i;
	int status;

	if (ctl_daemon_ask(ctl, type, p, len, COMMAND_SECONDS, &a) == -1)
		; /* it has printed why */
	else if (ctl->form == CTL_JSON) {
		ctl_json_start(&j, 1);
		json_bool(&j, "done", a.status == 0);
		json_int(&j, "status", a.status);
		json_array(&j, "messages");
		for (i = 0; i < a.n; i++)
			json_str(&j, NULL, a.line[i]);
		json_array_end(&j);
		ctl_json_end(&j);
	} else if (a.status != 0)
		(void)ctl_answer_complain(&a);
	else
		for (i = 0; i < a.n; i++)
			ctl_print(ctl, CTL_C_NONE, "%s\n", a.line[i]);
	status = a.status;
	ctl_answer_free(&a);
	return status;
}

int
ctl_reload(struct spfctl *ctl)
{
	return command(ctl, MSG_CTL_RELOAD, NULL, 0);
}

int
ctl_flush(struct spfctl *ctl)
{
	return command(ctl, MSG_CTL_FLUSH, NULL, 0);
}

int
ctl_log(struct spfctl *ctl)
{
	uint8_t buf[4];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, strcmp(ctl->argv[0], "verbose") == 0);
	return command(ctl, MSG_CTL_VERBOSE, buf, w.len);
}
