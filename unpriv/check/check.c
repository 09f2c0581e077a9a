/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf; on a libevent base. */

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/stats.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/check.h"
#include "unpriv/check/shadow_copy.h"

#define CHECK_ARENA_MAX (4 * 1024 * 1024)
/*
 * A hostile zone can let its answers drip in; past this many runs each waits
 * until everything asked for has come.
 */
#define CHECK_EAGER_RUNS 64
#define CHECK_EAGER_USEC 20000 /* and past this much work */
#define CHECK_RUNS_MAX	 4096  /* more is a defect of ours, not of a zone */
#define CHECK_SPARE	 64    /* tables kept for the next checks */
#define CHECK_MEMO_AGE	 60    /* seconds that a prefetched answer is good */
#define CHECK_ROOM	 2048  /* questions of all workers, when dns is calm */

/*
 * Questions that one check may have under way, by how much of this worker's
 * share of CHECK_ROOM all of them take, in eighths: a crowd of checks that
 * ask for hundreds of names leaves room for the others' few.
 */
static const struct {
	size_t eighths;
	unsigned int flights;
} check_shares[] = {
	{ 1, 64 },
	{ 4, 16 },
	{ 8, 4 },
};

/* A question of a check, or of a memo, on its way. */
struct flight {
	LIST_ENTRY(flight) entry;
	struct answers_question *q;
	uint32_t id;
	struct check *check; /* one of the two */
	struct check_memo *memo;
};
LIST_HEAD(flights, flight);

struct check_memo {
	struct answers *answers;
	struct asker *asker;
	struct flights flights;
	LIST_HEAD(, check) waiters;
	time_t when;
};

struct check {
	LIST_ENTRY(check) waiting; /* in memo->waiters while on_memo */
	struct asker *asker;
	struct check_memo *memo;
	struct judge_request req; /* what it points to is the caller's */
	struct answers *answers;
	struct arena *arena;
	struct flights flights;
	struct event *deadline;
	struct event *lists; /* Whitelist_Lookup_Time */
	struct event *again;
	check_done_fn done;
	void *arg;
	uint64_t since; /* microseconds, as spent */
	uint64_t spent; /* inside judge_run() */
	unsigned int runs;
	unsigned int nflights;
	int on_memo;
	int expired;
};

static struct spare {
	struct answers *answers;
	struct arena *arena;
} check_spares[CHECK_SPARE];
static size_t check_nspare;

static void check_answered(const struct dns_answer *, void *);
static int check_run(struct check *);

static const struct dns_answer check_no_answer = { .status = DNS_TEMPERROR };

/* What a verdict adds to the counters. */
static void
check_count(const struct check *c, const struct judge_outcome *out)
{
	stat_observe(HIST_CHECK, clock_usec() - c->since);
	if (c->req.voice == JUDGE_MILTER)
		stat_inc(CHECK_MILTER);
	else
		stat_inc(CHECK_POLICY);
	stat_add(CHECK_RUNS, c->runs);
	if (c->expired)
		stat_inc(CHECK_EXPIRED);
	if (out->skipped != NULL)
		stat_inc(SKIP_LIST);
	if (out->helo.done)
		stats->v[STAT_HELO_NONE + out->helo.verdict.result]++;
	if (out->mailfrom.done)
		stats->v[STAT_MAIL_NONE + out->mailfrom.verdict.result]++;
	stats->v[STAT_ACT_NOTHING + out->action]++;
}

static void
flight_end(struct flight *f)
{
	if (f->check != NULL)
		f->check->nflights--;
	LIST_REMOVE(f, entry);
	free(f);
}

static void
flights_cancel(struct asker *k, struct flights *list)
{
	struct flight *f;

	while ((f = LIST_FIRST(list)) != NULL) {
		asker_cancel(k, f->id);
		flight_end(f);
	}
}

/* Sends one question for a check or a memo. -1: it cannot be asked. */
static int
flight_start(struct asker *k, struct answers_question *q, struct check *c,
    struct check_memo *m)
{
	struct flight *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return -1;
	f->q = q;
	f->check = c;
	f->memo = m;
	f->id = asker_ask(k, q->type, q->name, q->namelen, check_answered, f);
	if (f->id == 0) {
		free(f);
		return -1;
	}
	if (c != NULL)
		c->nflights++;
	LIST_INSERT_HEAD(c != NULL ? &c->flights : &m->flights, f, entry);
	return 0;
}

static void
check_take_spare(struct check *c)
{
	if (check_nspare > 0) {
		c->answers = check_spares[--check_nspare].answers;
		c->arena = check_spares[check_nspare].arena;
		return;
	}
	if ((c->answers = answers_new()) == NULL ||
	    (c->arena = arena_new(CHECK_ARENA_MAX)) == NULL)
		fatal("check_start");
}

static void
check_give_spare(struct check *c)
{
	if (check_nspare == CHECK_SPARE) {
		answers_free(c->answers);
		arena_free(c->arena);
		return;
	}
	answers_reset(c->answers);
	arena_reset(c->arena);
	check_spares[check_nspare].answers = c->answers;
	check_spares[check_nspare++].arena = c->arena;
}

static void
check_free(struct check *c)
{
	if (c->on_memo)
		LIST_REMOVE(c, waiting);
	flights_cancel(c->asker, &c->flights);
	if (c->deadline != NULL)
		event_free(c->deadline);
	if (c->lists != NULL)
		event_free(c->lists);
	if (c->again != NULL)
		event_free(c->again);
	check_give_spare(c);
	free(c);
}

void
check_cancel(struct check *c)
{
	check_free(c);
}

/* 1 when the memo has it or will have it. */
static int
check_from_memo(struct check *c, struct answers_question *q)
{
	struct check_memo *m = c->memo;
	struct answers_question *mq;

	if (m == NULL ||
	    (mq = answers_find(m->answers, q->type, q->name, q->namelen)) ==
		NULL)
		return 0;
	if (mq->state == ANSWERS_DONE) {
		(void)answers_put(c->answers, q, &mq->answer);
		return 1;
	}
	if (mq->state != ANSWERS_ASKED)
		return 0;
	if (!c->on_memo) {
		LIST_INSERT_HEAD(&m->waiters, c, waiting);
		c->on_memo = 1;
	}
	return 1;
}

static unsigned int
check_share(const struct check *c)
{
	size_t i, room = CHECK_ROOM / 8;

	if (c->req.conf->workers > 1)
		room /= (size_t)c->req.conf->workers;
	for (i = 0; i < sizeof(check_shares) / sizeof(check_shares[0]); i++)
		if (asker_pending(c->asker) < check_shares[i].eighths * room)
			return check_shares[i].flights;
	return 1;
}

/*
 * What cannot be done without, two or three questions a run, is asked at
 * once; guesses above the share wait until answers have come.
 */
static void
check_ask(struct check *c)
{
	struct answers_question *q;

	while ((q = c->nflights < check_share(c) ?
		       answers_next(c->answers) :
		       answers_needed(c->answers)) != NULL) {
		if (check_from_memo(c, q))
			continue;
		if (flight_start(c->asker, q, c, NULL) == -1)
			(void)answers_put(c->answers, q, &check_no_answer);
	}
}

static int
check_waits(const struct check *c)
{
	return c->on_memo || !LIST_EMPTY(&c->flights);
}

/* What the request points to may be gone when done returns. */
static void
check_end(struct check *c, const struct judge_outcome *out)
{
	struct second_copy copy;

	check_count(c, out);
	second_take(&copy, &c->req, out);
	c->done(out, c->arg);
	second_send(&copy);
	check_free(c);
}

static enum judge_status
check_judge(struct check *c, struct judge_outcome *out)
{
	enum judge_status rv;
	uint64_t from;

	memset(out, 0, sizeof(*out));
	answers_begin(c->answers);
	arena_reset(c->arena);
	from = clock_usec();
	rv = judge_run(&c->req, c->answers, c->arena, out);
	c->spent += clock_usec() - from;
	return rv;
}

/*
 * Runs until the verdict is there (1: done was called, the check is gone) or
 * something is on its way (0).
 */
static int
check_run(struct check *c)
{
	struct judge_outcome out;

	for (;;) {
		if (c->runs++ > CHECK_RUNS_MAX)
			fatalx("a check does not end");
		if (check_judge(c, &out) == JUDGE_DONE) {
			check_end(c, &out);
			return 1;
		}
		check_ask(c);
		if (c->expired)
			/* out of time: what is asked late fails too */
			answers_expire(c->answers, DNS_TIMEOUT);
		else if (check_waits(c) && answers_missing(c->answers) != 0) {
			/* it may wait long: no memory of a run till then */
			arena_reset(c->arena);
			return 0;
		} else if (!check_waits(c))
			answers_expire(c->answers, DNS_TEMPERROR);
	}
}

static void
check_run_soon(struct check *c)
{
	if (c->runs >= CHECK_EAGER_RUNS || c->spent >= CHECK_EAGER_USEC) {
		check_ask(c);
		if (check_waits(c))
			return;
	}
	/* Once for all answers that came in one go. */
	event_active(c->again, EV_TIMEOUT, 0);
}

static void
check_again(evutil_socket_t fd, short what, void *arg)
{
	(void)check_run(arg);
}

static void
check_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	c->expired = 1;
	answers_expire(c->answers, DNS_TIMEOUT);
	(void)check_run(c);
}

/* What a list still lacks now does not match; the rest goes on. */
static void
check_lists_late(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	c->req.lists_late = 1;
	(void)check_run(c);
}

/* Lists that ask the DNS have a budget of their own inside the whole. */
static void
check_lists_budget(struct check *c, int seconds)
{
	const struct conf *conf = c->req.conf;
	struct timeval tv = { conf->whitelist_lookup_time, 0 };

	if (conf->domain_whitelist.n == 0 && conf->helo_whitelist.n == 0 &&
	    conf->domain_whitelist_ptr.n == 0)
		return;
	if (tv.tv_sec <= 0 || (seconds != 0 && tv.tv_sec >= seconds))
		return;
	c->lists = evtimer_new(asker_base(c->asker), check_lists_late, c);
	if (c->lists == NULL || event_add(c->lists, &tv) == -1)
		fatalx("check_start: no event");
}

static void
memo_answered(struct check_memo *m, const struct answers_question *mq)
{
	struct check *c, *next;
	struct answers_question *q;

	LIST_FOREACH_SAFE(c, &m->waiters, waiting, next) {
		if (LIST_EMPTY(&m->flights)) {
			LIST_REMOVE(c, waiting);
			c->on_memo = 0;
		}
		q = answers_find(c->answers, mq->type, mq->name, mq->namelen);
		if (q != NULL && q->state != ANSWERS_DONE)
			(void)answers_put(c->answers, q, &mq->answer);
		check_run_soon(c);
	}
}

static void
check_answered(const struct dns_answer *a, void *arg)
{
	struct flight *f = arg;
	struct check_memo *m = f->memo;
	struct check *c = f->check;
	struct answers_question *q = f->q;

	flight_end(f);
	if (a == NULL)
		a = &check_no_answer;
	(void)answers_put(c != NULL ? c->answers : m->answers, q, a);
	if (c != NULL)
		check_run_soon(c);
	else
		memo_answered(m, q);
}

struct check *
check_start(struct asker *k, struct check_memo *memo,
    const struct judge_request *req, int seconds, check_done_fn done, void *arg)
{
	struct timeval tv = { seconds > 0 ? seconds : 0, 0 };
	struct check *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("check_start");
	c->asker = k;
	if (memo != NULL && clock_seconds() - memo->when <= CHECK_MEMO_AGE)
		c->memo = memo;
	c->req = *req;
	c->since = clock_usec();
	c->done = done;
	c->arg = arg;
	LIST_INIT(&c->flights);
	check_take_spare(c);

	/* Many checks need no DNS at all, or only what the memo holds. */
	if (check_run(c))
		return NULL;
	c->deadline = evtimer_new(asker_base(k), check_deadline, c);
	c->again = evtimer_new(asker_base(k), check_again, c);
	if (c->deadline == NULL || c->again == NULL ||
	    (seconds != 0 && event_add(c->deadline, &tv) == -1))
		fatalx("check_start: no event");
	check_lists_budget(c, seconds);
	return c;
}

struct check_memo *
check_memo_new(void)
{
	struct check_memo *m;

	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->answers = answers_new()) == NULL)
		fatal("check_memo_new");
	LIST_INIT(&m->flights);
	LIST_INIT(&m->waiters);
	return m;
}

/*
 * Never while a check of the connection is under way (its sessions see to
 * that); one that waited all the same would end as a temporary error.
 */
void
check_memo_reset(struct check_memo *m)
{
	struct check *c;

	if (m->asker != NULL)
		flights_cancel(m->asker, &m->flights);
	while ((c = LIST_FIRST(&m->waiters)) != NULL) {
		LIST_REMOVE(c, waiting);
		c->on_memo = 0;
		c->memo = NULL;
		check_run_soon(c);
	}
	answers_reset(m->answers);
}

void
check_memo_free(struct check_memo *m)
{
	if (m == NULL)
		return;
	check_memo_reset(m);
	answers_free(m->answers);
	free(m);
}

void
check_prefetch_helo(struct asker *k, struct check_memo *m,
    const struct conf *conf, const char *helo)
{
	struct answers_question *q;

	check_memo_reset(m);
	m->asker = k;
	m->when = clock_seconds();
	answers_begin(m->answers);
	judge_hint_helo(conf, helo, m->answers);
	while ((q = answers_next(m->answers)) != NULL)
		if (flight_start(k, q, NULL, m) == -1)
			(void)answers_put(m->answers, q, &check_no_answer);
}
