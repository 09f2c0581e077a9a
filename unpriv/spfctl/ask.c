/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(); on a libevent base. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "unpriv/check/flights.h"
#include "unpriv/judge/judge.h"
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/zonefile.h"

#define TICK_MS	    250	 /* between checks of the time limit */
#define PROGRESS_MS 1000 /* before the progress line is shown */

struct ask {
	struct spfctl *ctl;
	struct answers *answers;
	struct flights flights;
	struct event *tick;
	uint64_t start; /* microseconds */
	long shown;	/* seconds in the progress line; 0: none */
};

static long
ask_ms(const struct ask *a)
{
	return (long)((clock_usec() - a->start) / 1000);
}

/* Answers from the zone file. 0: ask dns, for alias if that is not "". */
static int
in_zone(const struct spfctl *ctl, const struct answers_question *q,
    struct dns_answer *ans, char alias[DNAME_MAX + 1])
{
	alias[0] = '\0';
	return ctl->zone != NULL &&
	    zonefile_answer(ctl->zone, q->type, q->name, q->namelen, ans,
		alias);
}

/* Asks all new questions. Returns how many are answered already. */
static size_t
ask_new(struct ask *a)
{
	char alias[DNAME_MAX + 1];
	struct answers_question *q;
	struct dns_answer ans;
	size_t n = 0;

	while ((q = answers_next(a->answers)) != NULL)
		if (in_zone(a->ctl, q, &ans, alias)) {
			(void)answers_put(a->answers, q, &ans);
			n++;
		} else if (alias[0] != '\0')
			n += !flights_ask_name(&a->flights, q, alias,
			    strlen(alias));
		else
			n += !flights_ask(&a->flights, q);
	return n;
}

/* Shows the latest question, once a second. */
static void
ask_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ask *a = arg;
	const struct answers_question *q = flights_last(&a->flights);
	long ms = ask_ms(a);

	if (!a->ctl->progress || ms < PROGRESS_MS || q == NULL ||
	    a->shown == ms / 1000)
		return;
	fprintf(stderr, "\r\033[Kwaiting for DNS: %s ", dns_type_name(q->type));
	ctl_put_short(stderr, q->name, q->namelen, 40);
	if (a->flights.n > 1)
		fprintf(stderr, " and %zu more", a->flights.n - 1);
	fprintf(stderr, " (%ld s)", ms / 1000);
	fflush(stderr);
	a->shown = ms / 1000;
}

/* The loop ends: each round adds an answer, or waits within the time limit. */
int
ctl_ask_run(struct spfctl *ctl, struct answers *answers, int seconds,
    ctl_run_fn fn, void *arg)
{
	struct timeval tv = { 0, TICK_MS * 1000 };
	struct ask a;
	long ms;

	memset(&a, 0, sizeof(a));
	a.ctl = ctl;
	a.answers = answers;
	flights_init(&a.flights, ctl->asker, answers, NULL, NULL);
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
		if (seconds != JUDGE_NO_LIMIT && ms >= seconds * 1000L)
			answers_expire(answers, DNS_TIMEOUT);
		else if (a.flights.n == 0)
			answers_expire(answers, DNS_TEMPERROR);
		else if (event_base_loop(ctl->base, EVLOOP_ONCE) == -1)
			fatalx("event loop");
	}
	flights_cancel(&a.flights);
	event_free(a.tick);
	if (a.shown != 0) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	if (!ctl->dns_gone)
		return 0;
	ctl_complain("the dns process ended");
	return -1;
}

const char *
ctl_ask_source(const struct spfctl *ctl, const struct answers_question *q)
{
	char alias[DNAME_MAX + 1];
	struct dns_answer ans;

	return in_zone(ctl, q, &ans, alias) ? "zone" :
	    q->answer.cached		    ? "cache" :
					      "dns";
}
