/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns; questions are answered only after sandbox_enter(). */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "dns/resolver.h"
#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "privsep/child/role_table.h"
#include "proto/dnsmsg.h"
#include "proto/stats.h"

/*
 * Limits of the queue of answers to a client that does not read them. Above
 * CLIENT_QUEUE_PAUSE octets dns reads no more questions from it; above
 * CLIENT_QUEUE_SMALL its answers become TEMPERROR. So each question gets an
 * answer, and the queue stays far below the limit of a channel.
 */
#define CLIENT_QUEUE_PAUSE (256 * 1024)
#define CLIENT_QUEUE_SMALL (4 * 1024 * 1024)

struct client {
	TAILQ_ENTRY(client) entry;
	struct dns *dns;
	uint32_t id; /* given by the parent */
	enum msg_role role;
	struct chan *chan;
	TAILQ_HEAD(, request) requests;
	size_t nrequests;
	int paused;
};

/* A question, until its answer or its deadline. */
struct request {
	RB_ENTRY(request) byid;
	TAILQ_ENTRY(request) bytime; /* all have the same time to wait */
	TAILQ_ENTRY(request) byclient;
	uint32_t id; /* given to the resolver, which returns it */
	struct client *client;
	uint32_t peerid; /* the client's number, returned with the answer */
	uint16_t type;
	uint64_t usec; /* when it arrived */
};
RB_HEAD(request_tree, request);
TAILQ_HEAD(request_queue, request);

struct dns {
	struct role role;
	struct resolver *resolver;
	int ready;
	TAILQ_HEAD(, client) clients;
	struct request_tree requests;
	struct request_queue queue; /* oldest first */
	struct event *deadline;	    /* of the oldest */
	uint64_t timeout;	    /* microseconds */
	uint32_t last_id;
	struct log_note note_full, note_large, note_client;
};

static uint8_t answer_buf[DNSMSG_ANSWER_MAX];

static int
request_cmp(struct request *a, struct request *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_PROTOTYPE_INTERNAL(request_tree, request, byid, request_cmp,
    __attribute__((__unused__)) static)
RB_GENERATE_INTERNAL(request_tree, request, byid, request_cmp,
    __attribute__((__unused__)) static)

static struct request *
request_find(struct dns *d, uint32_t id)
{
	struct request key;

	key.id = id;
	return RB_FIND(request_tree, &d->requests, &key);
}

/* Sets the timer to the deadline of the oldest question. */
static void
deadline_set(struct dns *d)
{
	struct request *q = TAILQ_FIRST(&d->queue);
	uint64_t due, now;
	struct timeval tv;

	if (q == NULL) {
		evtimer_del(d->deadline);
		return;
	}
	now = clock_usec();
	due = q->usec + d->timeout;
	due = due > now ? due - now : 0;
	tv.tv_sec = (time_t)(due / 1000000);
	tv.tv_usec = (suseconds_t)(due % 1000000);
	if (evtimer_add(d->deadline, &tv) == -1)
		fatalx("deadline: no event");
}

static struct request *
request_new(struct client *c, uint32_t peerid, uint16_t type)
{
	struct dns *d = c->dns;
	struct request *q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->client = c;
	q->peerid = peerid;
	q->type = type;
	q->usec = clock_usec();
	do {
		q->id = ++d->last_id;
	} while (RB_INSERT(request_tree, &d->requests, q) != NULL);
	TAILQ_INSERT_TAIL(&d->queue, q, bytime);
	TAILQ_INSERT_TAIL(&c->requests, q, byclient);
	c->nrequests++;
	stat_add(DNS_INFLIGHT, 1);
	return q;
}

static void
request_free(struct request *q)
{
	struct client *c = q->client;

	RB_REMOVE(request_tree, &c->dns->requests, q);
	TAILQ_REMOVE(&c->dns->queue, q, bytime);
	TAILQ_REMOVE(&c->requests, q, byclient);
	c->nrequests--;
	stat_add(DNS_INFLIGHT, -1);
	free(q);
}

/* The client's questions stay in libunbound; their answers fill the cache. */
static void
client_free(struct client *c)
{
	struct request *q;
	struct dns *d = c->dns;

	while ((q = TAILQ_FIRST(&c->requests)) != NULL)
		request_free(q);
	TAILQ_REMOVE(&d->clients, c, entry);
	chan_free(c->chan);
	free(c);
}

/*
 * Encodes an answer into answer_buf and returns the length. With small, or if
 * the answer is too large, it becomes a TEMPERROR.
 */
static size_t
answer_put(struct dns *d, struct dns_answer *a, int small)
{
	struct wbuf w;

	wbuf_init(&w, answer_buf, sizeof(answer_buf));
	if (!small && dnsmsg_put_answer(&w, a) == 0)
		return w.len;
	if (small)
		log_note(&d->note_client,
		    "a client does not read its answers: they become "
		    "temporary errors");
	else
		log_note(&d->note_large,
		    "an answer of more than %d octets was refused",
		    DNSMSG_ANSWER_MAX);
	a->status = DNS_TEMPERROR;
	a->secure = 0;
	a->nrr = 0;
	a->ttl = 0;
	wbuf_init(&w, answer_buf, sizeof(answer_buf));
	if (dnsmsg_put_answer(&w, a) == -1)
		fatalx("answer without records does not encode");
	return w.len;
}

static void
client_send(struct client *c, uint32_t peerid, struct dns_answer *a)
{
	size_t len;

	len = answer_put(c->dns, a,
	    a->nrr > 0 && chan_backlog(c->chan) > CLIENT_QUEUE_SMALL);
	if (chan_send(c->chan, MSG_ANSWER, peerid, answer_buf, len, -1, 0) ==
	    -1)
		log_warnx("answer for %s %u was lost", msg_role_name[c->role],
		    c->id);
	if (!c->paused && chan_backlog(c->chan) > CLIENT_QUEUE_PAUSE) {
		c->paused = 1;
		chan_pause(c->chan, 1);
	}
}

static void
client_queue_empty(struct chan *chan, void *arg)
{
	struct client *c = arg;

	if (c->paused && c->dns->ready) {
		c->paused = 0;
		chan_pause(chan, 0);
	}
}

static void
request_count(const struct dns_answer *a, uint64_t usec)
{
	if (a->cached)
		stat_inc(DNS_CACHED);
	else {
		stat_inc(DNS_UNCACHED);
		stat_observe(HIST_DNS, usec);
	}
	if (a->status >= DNS_OK && a->status < DNS_STATUS_MAX)
		stats->v[STAT_DNS_OK + a->status - DNS_OK]++;
}

static void
request_answer(struct request *q, const struct dns_answer *from)
{
	struct dns_answer a = *from;
	struct client *c = q->client;
	uint32_t peerid = q->peerid;
	uint64_t took = clock_usec() - q->usec;

	a.usec = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	request_count(&a, took);
	log_debug("question %u: %s, %u records, %u us%s", q->id,
	    dns_status_name[a.status], a.nrr, a.usec,
	    a.cached ? ", cached" : "");
	request_free(q);
	client_send(c, peerid, &a);
}

/* The resolver's callback. The request may have expired. */
static void
dns_answered(uint32_t id, const struct dns_answer *a, void *arg)
{
	struct dns *d = arg;
	struct request *q;

	if ((q = request_find(d, id)) == NULL)
		return;
	request_answer(q, a);
}

static void
dns_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct dns *d = arg;
	struct dns_answer a = { .status = DNS_TIMEOUT };
	struct request *q;
	uint64_t now = clock_usec();

	while ((q = TAILQ_FIRST(&d->queue)) != NULL &&
	    q->usec + d->timeout <= now) {
		a.type = q->type;
		request_answer(q, &a);
	}
	deadline_set(d);
}

/* 0 when too many questions are in flight. */
static int
client_may_ask(struct client *c)
{
	struct dns *d = c->dns;

	if (resolver_inflight(d->resolver) >= resolver_limit(d->resolver)) {
		log_note(&d->note_full,
		    "%zu questions are in flight; more are refused",
		    resolver_inflight(d->resolver));
		return 0;
	}
	if (c->nrequests >= role_find(c->role)->questions) {
		log_note(&d->note_client,
		    "%s %u has %zu questions in flight; more are refused",
		    msg_role_name[c->role], c->id, c->nrequests);
		return 0;
	}
	return 1;
}

static void
client_ask(struct client *c, uint32_t peerid, uint16_t type, const char *name,
    size_t len)
{
	struct dns_answer refused = { .status = DNS_TEMPERROR, .type = type };
	struct dns *d = c->dns;
	struct request *q;
	int first = TAILQ_EMPTY(&d->queue);

	if (!client_may_ask(c) || (q = request_new(c, peerid, type)) == NULL) {
		client_send(c, peerid, &refused);
		return;
	}
	log_debug("question %u: %s %.*s", q->id, dns_type_name(type), (int)len,
	    name);
	/* This may answer and free the request. */
	resolver_ask(d->resolver, q->id, type, name, len);
	if (first && !TAILQ_EMPTY(&d->queue))
		deadline_set(d);
}

/* Reports a client that broke the message rules; the parent kills it. */
static void
client_bad(struct client *c)
{
	uint8_t buf[4];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, c->id);
	(void)chan_send(c->dns->role.parent, MSG_BADPEER, 0, buf, w.len, -1, 0);
}

static void
client_msg(struct chan *chan, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct client *c = arg;
	const char *name;
	struct rbuf r;
	uint16_t type;
	size_t namelen;

	/* The message table admits only QUERY, without a descriptor. */
	rbuf_init(&r, p, len);
	if (dnsmsg_get_query(&r, &type, &name, &namelen) == -1) {
		log_warnx("%s %u sent a malformed question; its channel is "
			  "closed",
		    msg_role_name[c->role], c->id);
		client_bad(c);
		client_free(c);
		return;
	}
	client_ask(c, h->peerid, type, name, namelen);
}

static void
client_gone(struct chan *chan, const char *why, void *arg)
{
	struct client *c = arg;

	if (why != NULL) {
		log_warnx("message from %s %u: %s; its channel is closed",
		    msg_role_name[c->role], c->id, why);
		client_bad(c);
	}
	client_free(c);
}

static void
dns_client(struct role *role, uint32_t id, enum msg_role who, int fd)
{
	struct dns *d = role->arg;
	struct client *c, *next;

	/* a restarted process has the same id and a new channel */
	TAILQ_FOREACH_SAFE(c, &d->clients, entry, next) {
		if (c->id == id)
			client_free(c);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("dns_client");
	c->dns = d;
	c->id = id;
	c->role = who;
	TAILQ_INIT(&c->requests);
	c->chan =
	    chan_new(role->base, fd, ROLE_DNS, who, client_msg, client_gone, c);
	chan_on_empty(c->chan, client_queue_empty);
	TAILQ_INSERT_TAIL(&d->clients, c, entry);
	if (!d->ready) {
		c->paused = 1;
		chan_pause(c->chan, 1);
	}
}

static void
dns_control(struct role *role, enum msg_type type, const uint8_t *p, size_t len)
{
	struct rbuf r;

	switch (type) {
	case MSG_VERBOSE:
		rbuf_init(&r, p, len);
		resolver_verbose(rbuf_u32(&r) != 0);
		break;
	case MSG_FLUSH:
		/*
		 * libunbound cannot empty the cache of a context and needs
		 * long to delete one. The parent restarts dns at once, and the
		 * clients repeat the questions in flight.
		 */
		log_info("flush: restarting with an empty cache");
		_exit(0);
	default:
		break;
	}
}

static const struct role_ops dns_ops = {
	.client = dns_client,
	.control = dns_control,
};

int
dns_main(void)
{
	static struct dns dns;
	struct dns *d = &dns;
	struct client *c;

	TAILQ_INIT(&d->clients);
	TAILQ_INIT(&d->queue);
	RB_INIT(&d->requests);
	role_start(&d->role, ROLE_DNS, &dns_ops, d);
	d->timeout = (uint64_t)(d->role.conf->dns_timeout < 1 ?
			     1 :
			     d->role.conf->dns_timeout) *
	    1000000;
	if ((d->deadline = evtimer_new(d->role.base, dns_deadline, d)) == NULL)
		fatalx("dns: no event");
	d->resolver = resolver_new(d->role.base, d->role.conf, dns_answered, d);
	confine_enter(SANDBOX_DNS, d->role.conf);

	d->ready = 1;
	TAILQ_FOREACH(c, &d->clients, entry)
		client_queue_empty(c->chan, c);
	role_ready(&d->role);
	if (event_base_dispatch(d->role.base) == -1)
		fatalx("event loop");
	return 0;
}
