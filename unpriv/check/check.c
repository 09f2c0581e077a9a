/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf; on a libevent base. */

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/stats.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/check.h"
#include "unpriv/check/flights.h"
#include "unpriv/check/shadow_copy.h"

#define CHECK_ARENA_MAX (4 * 1024 * 1024)
/*
 * A hostile zone can send its answers one by one. After this many runs or this
 * much work, run a check again only when all of its questions are answered.
 */
#define CHECK_EAGER_RUNS   64
#define CHECK_EAGER_USEC   20000
#define CHECK_RUNS_MAX	   4096 /* more are a bug */
#define CHECK_SPARE	   64	/* tables kept for later checks */
#define CHECK_PREFETCH_AGE 60	/* seconds that a prefetch is used */
#define CHECK_ROOM	   2048 /* questions of all workers together */

/*
 * The questions that one check may have under way while those of all checks
 * take less than so many eighths of this worker's share of CHECK_ROOM. Many
 * checks with hundreds of names each thus leave room for the other checks.
 */
static const struct {
	size_t eighths;
	unsigned int flights;
} check_shares[] = {
	{ 1, 64 },
	{ 4, 16 },
	{ 8, 4 },
};

struct check_prefetch {
	struct answers *answers;
	struct flights flights;
	struct check *waiter; /* the check that needs its answers */
	time_t when;
};

struct check {
	struct asker *asker;
	struct check_prefetch *prefetch; /* or NULL */
	struct judge_request req;	 /* its pointers are the caller's */
	struct answers *answers;
	struct arena *arena;
	struct flights flights;
	struct event *deadline;
	struct event *lists; /* Whitelist_Lookup_Time; or NULL */
	struct event *again; /* runs the check from the loop */
	check_done_fn done;
	void *arg;
	uint64_t since; /* the start, in microseconds */
	uint64_t spent; /* microseconds inside judge_run() */
	unsigned int runs;
	int expired;
};

static struct spare {
	struct answers *answers;
	struct arena *arena;
} check_spares[CHECK_SPARE];
static size_t check_nspare;

/* Counts a finished check in the statistics. */
static void
check_count(const struct check *c, const struct judge_outcome *out)
{
	stat_observe(HIST_CHECK, clock_usec() - c->since);
	if (c->req.program == CONF_MILTER)
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

static int
check_waits_prefetch(const struct check *c)
{
	return c->prefetch != NULL && c->prefetch->waiter == c;
}

static void
check_leave_prefetch(struct check *c)
{
	if (check_waits_prefetch(c))
		c->prefetch->waiter = NULL;
	c->prefetch = NULL;
}

void
check_cancel(struct check *c)
{
	check_leave_prefetch(c);
	flights_cancel(&c->flights);
	event_free(c->deadline);
	if (c->lists != NULL)
		event_free(c->lists);
	event_free(c->again);
	check_give_spare(c);
	free(c);
}

/* 1 when the prefetch has the answer, or will wake the check with it. */
static int
check_from_prefetch(struct check *c, struct answers_question *q)
{
	struct check_prefetch *p = c->prefetch;
	struct answers_question *pq;

	if (p == NULL ||
	    (pq = answers_find(p->answers, q->type, q->name, q->namelen)) ==
		NULL)
		return 0;
	if (pq->state == ANSWERS_DONE) {
		(void)answers_put(c->answers, q, &pq->answer);
		return 1;
	}
	if (pq->state != ANSWERS_ASKED || (p->waiter != NULL && p->waiter != c))
		return 0;
	p->waiter = c;
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
 * Asks the two or three questions that the last run needs at once. Guesses
 * above the share wait until answers have arrived.
 */
static void
check_ask(struct check *c)
{
	struct answers_question *q;

	while ((q = c->flights.n < check_share(c) ?
		       answers_next(c->answers) :
		       answers_needed(c->answers)) != NULL)
		if (!check_from_prefetch(c, q))
			(void)flights_ask(&c->flights, q);
}

static int
check_waits(const struct check *c)
{
	return check_waits_prefetch(c) || c->flights.n != 0;
}

/* done() may free the prefetch and what the request points to. */
static void
check_end(struct check *c, const struct judge_outcome *out)
{
	struct shadow_copy_msg copy;

	check_count(c, out);
	shadow_copy_take(&copy, &c->req, out);
	check_leave_prefetch(c);
	c->done(out, c->arg);
	shadow_copy_send(&copy);
	check_cancel(c);
}

static enum judge_status
check_judge(struct check *c, struct judge_outcome *out)
{
	enum judge_status rv;
	uint64_t from;

	answers_begin(c->answers);
	arena_reset(c->arena);
	from = clock_usec();
	rv = judge_run(&c->req, c->answers, c->arena, out);
	c->spent += clock_usec() - from;
	return rv;
}

/* Runs until there is a verdict, which frees the check, or it must wait. */
static void
check_run(struct check *c)
{
	struct judge_outcome out;

	for (;;) {
		if (c->runs++ > CHECK_RUNS_MAX)
			fatalx("a check does not end");
		if (check_judge(c, &out) == JUDGE_DONE) {
			check_end(c, &out);
			return;
		}
		check_ask(c);
		if (c->expired)
			/* new questions have no time left either */
			answers_expire(c->answers, DNS_TIMEOUT);
		else if (check_waits(c) && answers_missing(c->answers) != 0) {
			/* the wait may be long: free the run's memory */
			arena_reset(c->arena);
			return;
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
	/* One run serves all answers that arrive together. */
	event_active(c->again, EV_TIMEOUT, 0);
}

static void
check_again(evutil_socket_t fd, short what, void *arg)
{
	check_run(arg);
}

static void
check_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	c->expired = 1;
	answers_expire(c->answers, DNS_TIMEOUT);
	check_run(c);
}

/* From now on a list without answers does not match. */
static void
check_lists_late(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	c->req.lists_late = 1;
	check_run(c);
}

/* Whitelists that ask the DNS have their own, shorter time limit. */
static void
check_lists_budget(struct check *c)
{
	const struct conf *conf = c->req.conf;
	struct timeval tv = { judge_lists_time(conf), 0 };

	if ((conf->domain_whitelist.n == 0 && conf->helo_whitelist.n == 0 &&
		conf->domain_whitelist_ptr.n == 0) ||
	    tv.tv_sec == JUDGE_NO_LIMIT)
		return;
	c->lists = evtimer_new(asker_base(c->asker), check_lists_late, c);
	if (c->lists == NULL || event_add(c->lists, &tv) == -1)
		fatalx("check_start: no event");
}

static void
check_answered(const struct answers_question *q, void *arg)
{
	check_run_soon(arg);
}

struct check *
check_start(struct asker *k, struct check_prefetch *p,
    const struct judge_request *req, check_done_fn done, void *arg)
{
	struct timeval tv = { judge_time(req->conf), 0 };
	struct check *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("check_start");
	c->asker = k;
	if (p != NULL && clock_seconds() - p->when <= CHECK_PREFETCH_AGE)
		c->prefetch = p;
	c->req = *req;
	c->since = clock_usec();
	c->done = done;
	c->arg = arg;
	check_take_spare(c);
	flights_init(&c->flights, k, c->answers, check_answered, c);
	c->deadline = evtimer_new(asker_base(k), check_deadline, c);
	c->again = evtimer_new(asker_base(k), check_again, c);
	if (c->deadline == NULL || c->again == NULL ||
	    (tv.tv_sec != JUDGE_NO_LIMIT && event_add(c->deadline, &tv) == -1))
		fatalx("check_start: no event");
	check_lists_budget(c);
	/* The first run follows the caller's return, before the loop polls. */
	event_active(c->again, EV_TIMEOUT, 0);
	return c;
}

static void
prefetch_answered(const struct answers_question *pq, void *arg)
{
	struct check_prefetch *p = arg;
	struct check *c = p->waiter;
	struct answers_question *q;

	if (c == NULL)
		return;
	if (p->flights.n == 0)
		p->waiter = NULL;
	q = answers_find(c->answers, pq->type, pq->name, pq->namelen);
	if (q != NULL && q->state != ANSWERS_DONE)
		(void)answers_put(c->answers, q, &pq->answer);
	check_run_soon(c);
}

struct check_prefetch *
check_prefetch_new(struct asker *k)
{
	struct check_prefetch *p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->answers = answers_new()) == NULL)
		fatal("check_prefetch_new");
	flights_init(&p->flights, k, p->answers, prefetch_answered, p);
	return p;
}

/*
 * Sessions cancel a connection's check before they reset its prefetch. If a
 * check still waited, its missing answers would become temporary errors.
 */
void
check_prefetch_reset(struct check_prefetch *p)
{
	struct check *c = p->waiter;

	flights_cancel(&p->flights);
	if (c != NULL) {
		p->waiter = NULL;
		c->prefetch = NULL;
		check_run_soon(c);
	}
	answers_reset(p->answers);
}

void
check_prefetch_free(struct check_prefetch *p)
{
	if (p == NULL)
		return;
	check_prefetch_reset(p);
	answers_free(p->answers);
	free(p);
}

void
check_prefetch_helo(struct check_prefetch *p, const struct conf *conf,
    const char *helo)
{
	check_prefetch_reset(p);
	p->when = clock_seconds();
	answers_begin(p->answers);
	judge_hint_helo(conf, helo, p->answers);
	(void)flights_ask_all(&p->flights);
}
