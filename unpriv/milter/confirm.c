/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; on a libevent base. */

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "unpriv/check/flights.h"
#include "unpriv/milter/confirm.h"

#define CONFIRM_PTR_LEN 80 /* of the name in ip6.arpa */

struct confirm {
	const struct conf_hosts *hosts;
	struct addr client; /* unmapped */
	char ptr[CONFIRM_PTR_LEN];
	struct answers *answers;
	struct flights flights;
	enum hosts_match verdict;
	struct event *deadline;
	void (*done)(enum hosts_match, void *);
	void *arg;
};

void
confirm_cancel(struct confirm *c)
{
	if (c == NULL)
		return;
	flights_cancel(&c->flights);
	answers_free(c->answers);
	event_free(c->deadline);
	free(c);
}

static void
confirm_end(struct confirm *c)
{
	struct confirm ended = *c;

	confirm_cancel(c);
	ended.done(ended.verdict, ended.arg);
}

static void
confirm_late(evutil_socket_t fd, short what, void *arg)
{
	confirm_end(arg);
}

/*
 * Finds the verdict of the answers so far and asks for the others: the PTR
 * record, then the addresses of the names that an entry matches. A name that
 * an entry excludes outweighs names that others include.
 */
static void
confirm_run(struct confirm *c)
{
	const struct dns_answer *ptr;
	enum hosts_match match;
	const char *name;
	uint16_t i, n = 0;

	ptr = answers_get(c->answers, DNS_T_PTR, c->ptr, strlen(c->ptr));
	if (ptr != NULL && ptr->status == DNS_OK)
		n = ptr->nrr < CONFIRM_NAMES ? ptr->nrr : CONFIRM_NAMES;
	for (i = 0; i < n; i++) {
		name = (const char *)ptr->rr[i].data;
		match = hosts_name(c->hosts, name, ptr->rr[i].len);
		if (match != HOSTS_UNKNOWN &&
		    answers_confirm(c->answers, name, ptr->rr[i].len,
			&c->client) == 1 &&
		    c->verdict != HOSTS_NO)
			c->verdict = match;
	}
	(void)flights_ask_all(&c->flights);
}

static void
confirm_answered(const struct answers_question *q, void *arg)
{
	struct confirm *c = arg;

	confirm_run(c);
	if (c->flights.n == 0)
		confirm_end(c);
}

struct confirm *
confirm_start(struct asker *k, const struct conf_hosts *hosts,
    const struct addr *client, void (*done)(enum hosts_match, void *),
    void *arg)
{
	struct timeval tv = { CONFIRM_SECS, 0 };
	struct confirm *c;

	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->answers = answers_new()) == NULL)
		fatal("confirm_start");
	c->hosts = hosts;
	c->verdict = HOSTS_UNKNOWN;
	c->done = done;
	c->arg = arg;
	addr_unmap(&c->client, client);
	addr_ptrname(&c->client, c->ptr, sizeof(c->ptr));
	flights_init(&c->flights, k, c->answers, confirm_answered, c);
	confirm_run(c);
	/* When nothing can be asked, the deadline ends it from the loop. */
	if (c->flights.n == 0)
		tv.tv_sec = 0;
	c->deadline = evtimer_new(asker_base(k), confirm_late, c);
	if (c->deadline == NULL || event_add(c->deadline, &tv) == -1)
		fatalx("confirm_start: no event");
	return c;
}
