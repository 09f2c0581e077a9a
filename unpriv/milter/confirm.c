/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; on a libevent base. */

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "unpriv/milter/confirm.h"

struct candidate {
	struct confirm *owner;
	uint32_t asked; /* question under way, or 0 */
	enum hosts_match sign;
};

struct confirm {
	struct asker *asker;
	const struct conf_hosts *hosts;
	struct addr client; /* unmapped */
	uint32_t asked;	    /* the PTR question, or 0 */
	struct candidate c[CONFIRM_NAMES];
	size_t n, pending;
	enum hosts_match verdict;
	struct event *deadline;
	void (*done)(enum hosts_match, void *);
	void *arg;
};

static void
confirm_free(struct confirm *f)
{
	size_t i;

	if (f->asked != 0)
		asker_cancel(f->asker, f->asked);
	for (i = 0; i < f->n; i++)
		if (f->c[i].asked != 0)
			asker_cancel(f->asker, f->c[i].asked);
	event_free(f->deadline);
	free(f);
}

void
confirm_cancel(struct confirm *f)
{
	if (f != NULL)
		confirm_free(f);
}

static void
confirm_end(struct confirm *f)
{
	void (*done)(enum hosts_match, void *) = f->done;
	enum hosts_match verdict = f->verdict;
	void *arg = f->arg;

	confirm_free(f);
	done(verdict, arg);
}

static void
confirm_late(evutil_socket_t fd, short what, void *arg)
{
	confirm_end(arg);
}

static int
has_address(const struct dns_answer *a, const struct addr *client)
{
	size_t len = client->family == 4 ? 4 : 16;
	uint16_t i;

	if (a == NULL || a->status != DNS_OK)
		return 0;
	for (i = 0; i < a->nrr; i++)
		if (a->rr[i].len == len &&
		    memcmp(a->rr[i].data, client->b, len) == 0)
			return 1;
	return 0;
}

static void
confirm_addresses(const struct dns_answer *a, void *arg)
{
	struct candidate *c = arg;
	struct confirm *f = c->owner;

	c->asked = 0;
	/* A name that says no outweighs those that say yes. */
	if (has_address(a, &f->client) && f->verdict != HOSTS_NO)
		f->verdict = c->sign;
	if (--f->pending == 0)
		confirm_end(f);
}

/* Only names that an entry matches are worth a question. */
static void
confirm_names(const struct dns_answer *a, void *arg)
{
	struct confirm *f = arg;
	struct candidate *c;
	const char *name;
	uint16_t i;

	f->asked = 0;
	for (i = 0; a != NULL && a->status == DNS_OK && i < a->nrr &&
	     i < CONFIRM_NAMES;
	     i++) {
		name = (const char *)a->rr[i].data;
		c = &f->c[f->n];
		c->sign = hosts_name(f->hosts, name, a->rr[i].len);
		if (c->sign == HOSTS_UNKNOWN)
			continue;
		c->owner = f;
		c->asked = asker_ask(f->asker,
		    f->client.family == 4 ? DNS_T_A : DNS_T_AAAA, name,
		    a->rr[i].len, confirm_addresses, c);
		if (c->asked == 0)
			continue;
		f->n++;
		f->pending++;
	}
	if (f->pending == 0)
		confirm_end(f);
}

struct confirm *
confirm_start(struct asker *k, const struct conf_hosts *hosts,
    const struct addr *client, void (*done)(enum hosts_match, void *),
    void *arg)
{
	struct timeval tv = { CONFIRM_SECS, 0 };
	struct confirm *f;
	char name[80];

	if ((f = calloc(1, sizeof(*f))) == NULL)
		fatal("confirm_start");
	f->asker = k;
	f->hosts = hosts;
	f->verdict = HOSTS_UNKNOWN;
	f->done = done;
	f->arg = arg;
	addr_unmap(&f->client, client);
	addr_ptrname(&f->client, name, sizeof(name));
	f->asked =
	    asker_ask(k, DNS_T_PTR, name, strlen(name), confirm_names, f);
	/* With no way to ask the deadline answers at once. */
	if (f->asked == 0)
		tv.tv_sec = 0;
	f->deadline = evtimer_new(asker_base(k), confirm_late, f);
	if (f->deadline == NULL || event_add(f->deadline, &tv) == -1)
		fatalx("confirm_start: no event");
	return f;
}
