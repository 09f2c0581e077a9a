/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every role that asks dns, policyd-spf, spfctl; on libevent. */

#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "unpriv/check/asker.h"

#define ASKER_PENDING_MAX 65536

struct asked {
	RB_ENTRY(asked) entry;
	uint32_t id;
	uint16_t type;
	uint8_t namelen;
	asker_fn fn; /* NULL: cancelled */
	void *arg;
	char name[DNAME_MAX];
};

RB_HEAD(asked_tree, asked);

struct asker {
	struct event_base *base;
	enum msg_role self;
	struct chan *dns; /* NULL while there is no dns process */
	struct asked_tree pending;
	size_t npending;
	uint32_t last_id;
	void (*on_gone)(void *);
	void *gone_arg;
};

static int
asked_cmp(struct asked *a, struct asked *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_PROTOTYPE_INTERNAL(asked_tree, asked, entry, asked_cmp,
    __attribute__((__unused__)) static)
RB_GENERATE_INTERNAL(asked_tree, asked, entry, asked_cmp,
    __attribute__((__unused__)) static)

/* Holds the decoded answer while its function is called. */
static struct dns_rr asker_rr[DNSMSG_MAXRR];

struct asker *
asker_new(struct event_base *base, enum msg_role self)
{
	struct asker *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		fatal("asker_new");
	k->base = base;
	k->self = self;
	RB_INIT(&k->pending);
	return k;
}

static void
asked_free(struct asker *k, struct asked *q)
{
	RB_REMOVE(asked_tree, &k->pending, q);
	k->npending--;
	free(q);
}

void
asker_free(struct asker *k)
{
	struct asked *q;

	if (k == NULL)
		return;
	while ((q = RB_MIN(asked_tree, &k->pending)) != NULL)
		asked_free(k, q);
	chan_free(k->dns);
	free(k);
}

static struct asked *
asked_find(struct asker *k, uint32_t id)
{
	struct asked key = { .id = id };

	return RB_FIND(asked_tree, &k->pending, &key);
}

static void
asker_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct asker *k = arg;
	struct dns_answer a;
	struct asked *q;
	struct rbuf r;
	asker_fn fn;
	void *fnarg;
	int ok;

	if ((q = asked_find(k, h->peerid)) == NULL)
		return;
	fn = q->fn;
	fnarg = q->arg;
	/* dns may be compromised: check its answers */
	rbuf_init(&r, p, len);
	ok = dnsmsg_get_answer(&r, &a, asker_rr, DNSMSG_MAXRR) == 0 &&
	    a.type == q->type;
	asked_free(k, q);
	if (fn == NULL)
		return;
	if (!ok)
		log_warnx("dns sent a malformed answer");
	fn(ok ? &a : NULL, fnarg);
}

static void
asker_gone(struct chan *c, const char *why, void *arg)
{
	struct asker *k = arg;

	if (why != NULL)
		log_warnx("message from dns: %s; its channel is closed", why);
	chan_free(c);
	k->dns = NULL;
	if (k->on_gone != NULL)
		k->on_gone(k->gone_arg);
	else if (why != NULL)
		fatalx("no dns without its channel; a restart makes a new one");
}

void
asker_on_gone(struct asker *k, void (*fn)(void *), void *arg)
{
	k->on_gone = fn;
	k->gone_arg = arg;
}

static int
asker_send(struct asker *k, const struct asked *q)
{
	uint8_t buf[DNSMSG_QUERY_MAX];
	struct wbuf w;

	if (k->dns == NULL)
		return 0; /* asker_connect() sends it */
	wbuf_init(&w, buf, sizeof(buf));
	if (dnsmsg_put_query(&w, q->type, q->name, q->namelen) == -1)
		return -1;
	return chan_send(k->dns, MSG_QUERY, q->id, buf, w.len, -1, 0);
}

void
asker_connect(struct asker *k, int fd)
{
	struct asked *q, *next;
	size_t left = 0;

	chan_free(k->dns);
	RB_FOREACH_SAFE(q, asked_tree, &k->pending, next)
		if (q->fn == NULL)
			asked_free(k, q);
	k->dns =
	    chan_new(k->base, fd, k->self, ROLE_DNS, asker_msg, asker_gone, k);
	RB_FOREACH(q, asked_tree, &k->pending)
		if (asker_send(k, q) == -1)
			left++;
	if (left != 0)
		log_warnx("%zu questions could not be sent to dns again", left);
}

struct event_base *
asker_base(const struct asker *k)
{
	return k->base;
}

size_t
asker_pending(const struct asker *k)
{
	return k->npending;
}

uint32_t
asker_ask(struct asker *k, uint16_t type, const char *name, size_t len,
    asker_fn fn, void *arg)
{
	struct asked *q;

	if (len > DNAME_MAX || k->npending >= ASKER_PENDING_MAX ||
	    (q = malloc(sizeof(*q))) == NULL)
		return 0;
	do {
		if (++k->last_id == 0)
			k->last_id = 1;
	} while (asked_find(k, k->last_id) != NULL);
	q->id = k->last_id;
	q->type = type;
	q->namelen = (uint8_t)len;
	q->fn = fn;
	q->arg = arg;
	memcpy(q->name, name, len);
	RB_INSERT(asked_tree, &k->pending, q);
	k->npending++;
	if (asker_send(k, q) == -1) {
		asked_free(k, q);
		return 0;
	}
	return k->last_id;
}

/* dns still answers: until then the question counts as pending. */
void
asker_cancel(struct asker *k, uint32_t id)
{
	struct asked *q;

	if (id != 0 && (q = asked_find(k, id)) != NULL)
		q->fn = NULL;
}
