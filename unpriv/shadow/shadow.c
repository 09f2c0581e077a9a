/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: shadow; copies are judged only after sandbox_enter(). */

#include <sys/queue.h>
#include <sys/resource.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "proto/stats.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/flights.h"
#include "unpriv/shadow/shadow_spf2.h"

#define SHADOW_JOBS    32 /* at a time; more copies wait in the sockets */
#define SHADOW_SECONDS 20 /* for all questions of one copy */
#define SHADOW_NICE    10 /* mail has priority */
#define SHADOW_LINES   30 /* log lines in SHADOW_PERIOD seconds */
#define SHADOW_PERIOD  60

/* A process that sends copies. */
struct shadow_peer {
	TAILQ_ENTRY(shadow_peer) entry;
	struct shadow *shadow;
	uint32_t id;
	enum msg_role role;
	struct chan *chan;
};

struct shadow_job {
	LIST_ENTRY(shadow_job) entry;
	struct shadow *shadow;
	struct shadow_peer *peer; /* NULL: it is gone */
	uint32_t peerid;	  /* its number for the copy */
	struct shadow_copy copy;
	struct spf2_check check;
	struct flights flights;
	struct event *deadline;
};

struct shadow {
	struct role role;
	struct asker *asker;
	struct spf2 *spf2;
	TAILQ_HEAD(, shadow_peer) peers;
	LIST_HEAD(, shadow_job) jobs;
	unsigned int njobs;
	int paused;
	time_t since; /* start of the period of lines */
	unsigned int lines;
	unsigned long unsaid; /* differences not logged */
};

static void
shadow_pause(struct shadow *s, int pause)
{
	struct shadow_peer *p;

	if (s->paused == pause)
		return;
	s->paused = pause;
	TAILQ_FOREACH(p, &s->peers, entry)
		chan_pause(p->chan, pause);
}

/* --- one copy ------------------------------------------------------------- */

static void
shadow_job_free(struct shadow_job *j)
{
	struct shadow *s = j->shadow;

	flights_cancel(&j->flights);
	LIST_REMOVE(j, entry);
	answers_free(j->check.answers);
	event_free(j->deadline);
	free(j);
	s->njobs--;
	shadow_pause(s, 0);
}

/* 1 when another difference may be logged in this period. */
static int
shadow_may_say(struct shadow *s)
{
	time_t now = clock_seconds();

	if (now - s->since >= SHADOW_PERIOD) {
		if (s->unsaid != 0)
			log_line(LOG_INFO,
			    "second opinion: %lu more "
			    "differences were not logged",
			    s->unsaid);
		s->since = now;
		s->lines = 0;
		s->unsaid = 0;
	}
	if (s->lines++ < SHADOW_LINES)
		return 1;
	s->unsaid++;
	return 0;
}

static void
shadow_job_compare(struct shadow_job *j, const struct shadow_opinion *o)
{
	const struct shadow_copy *c = &j->copy;
	char client[ADDR_STRLEN];

	stats->second[c->result][o->result]++;
	if (o->result == c->result) {
		stat_inc(SECOND_AGREE);
		return;
	}
	stat_inc(SECOND_DIFFER);
	if (!shadow_may_say(j->shadow))
		return;
	/* The parent escapes the names. */
	log_line(LOG_INFO,
	    "second opinion: libspf2 says %s%s where we say "
	    "%s: client=%s sender=%s helo=%s",
	    shadow_result_name[o->result], o->cut ? " (cut short)" : "",
	    shadow_result_name[c->result],
	    addr_format(&c->client, client, sizeof(client)),
	    c->sender[0] == '\0' ? "<>" : c->sender, c->helo);
}

static void
shadow_job_answer(struct shadow_job *j, const struct shadow_opinion *o)
{
	uint8_t buf[SHADOWMSG_RESULT_MAX];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	if (j->peer == NULL || shadowmsg_put_opinion(&w, o) == -1 ||
	    chan_send(j->peer->chan, MSG_SHADOW_RESULT, j->peerid, buf, w.len,
		-1, 0) == -1)
		log_warnx("an opinion could not be sent");
}

/*
 * Runs until there is an opinion, which frees the job, or answers are under
 * way. Each run has one more answer; spf2_judge() limits their number.
 */
static void
shadow_job_run(struct shadow_job *j, int last)
{
	struct shadow_opinion o;

	while (!spf2_judge(j->shadow->spf2, &j->copy, &j->check, last, &o))
		if (flights_ask_all(&j->flights) != 0)
			return;
	if (j->copy.want)
		shadow_job_answer(j, &o);
	else
		shadow_job_compare(j, &o);
	shadow_job_free(j);
}

static void
shadow_job_answered(const struct answers_question *q, void *arg)
{
	struct shadow_job *j = arg;

	if (j->flights.n == 0)
		shadow_job_run(j, 0);
}

/* From now on missing answers count as DNS errors. */
static void
shadow_job_deadline(evutil_socket_t fd, short what, void *arg)
{
	shadow_job_run(arg, 1);
}

static void
shadow_job_start(struct shadow_peer *p, uint32_t peerid,
    const struct shadow_copy *copy)
{
	struct shadow *s = p->shadow;
	static const struct timeval tv = { SHADOW_SECONDS, 0 };
	struct shadow_job *j;

	if ((j = calloc(1, sizeof(*j))) == NULL ||
	    (j->check.answers = answers_new()) == NULL)
		fatal("shadow_job_start");
	j->shadow = s;
	j->peer = p;
	j->peerid = peerid;
	j->copy = *copy;
	flights_init(&j->flights, s->asker, j->check.answers,
	    shadow_job_answered, j);
	LIST_INSERT_HEAD(&s->jobs, j, entry);
	j->deadline = evtimer_new(s->role.base, shadow_job_deadline, j);
	if (j->deadline == NULL || evtimer_add(j->deadline, &tv) == -1)
		fatalx("shadow_job_start: no event");
	if (++s->njobs >= SHADOW_JOBS)
		shadow_pause(s, 1);
	shadow_job_run(j, 0);
}

/* --- processes that send copies -------------------------------------------- */

static void
shadow_peer_free(struct shadow_peer *p)
{
	struct shadow_job *j;

	LIST_FOREACH(j, &p->shadow->jobs, entry)
		if (j->peer == p)
			j->peer = NULL;
	TAILQ_REMOVE(&p->shadow->peers, p, entry);
	chan_free(p->chan);
	free(p);
}

static void
shadow_peer_msg(struct chan *chan, const struct msg_hdr *h,
    const uint8_t *payload, size_t len, int fd, void *arg)
{
	static struct shadow_copy copy;
	struct shadow_peer *p = arg;
	struct rbuf r;
	int may_want;

	/* Only a process that may receive SHADOW_RESULT may want one. */
	may_want =
	    (msg_rules[MSG_SHADOW_RESULT].receivers & ROLE_BIT(p->role)) != 0;
	rbuf_init(&r, payload, len);
	if (shadowmsg_get_copy(&r, &copy) == -1 || copy.want != may_want) {
		log_warnx("%s %u sent a malformed copy; its channel is "
			  "closed",
		    msg_role_name[p->role], p->id);
		shadow_peer_free(p);
		return;
	}
	shadow_job_start(p, h->peerid, &copy);
}

static void
shadow_peer_gone(struct chan *chan, const char *why, void *arg)
{
	struct shadow_peer *p = arg;

	if (why != NULL)
		log_warnx("message from %s %u: %s; its channel is closed",
		    msg_role_name[p->role], p->id, why);
	shadow_peer_free(p);
}

static void
shadow_dns(struct role *role, int fd)
{
	struct shadow *s = role->arg;

	if (s->asker == NULL)
		s->asker = asker_new(role->base, role->who);
	asker_connect(s->asker, fd);
}

static void
shadow_client(struct role *role, uint32_t id, enum msg_role who, int fd)
{
	struct shadow *s = role->arg;
	struct shadow_peer *p, *next;

	/* A process that was started again has a new channel. */
	TAILQ_FOREACH_SAFE(p, &s->peers, entry, next)
		if (p->id == id)
			shadow_peer_free(p);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("shadow_client");
	p->shadow = s;
	p->id = id;
	p->role = who;
	p->chan = chan_new(role->base, fd, ROLE_SHADOW, who, shadow_peer_msg,
	    shadow_peer_gone, p);
	TAILQ_INSERT_TAIL(&s->peers, p, entry);
	if (s->paused)
		chan_pause(p->chan, 1);
}

static const struct role_ops shadow_ops = {
	.dns = shadow_dns,
	.client = shadow_client,
};

int
shadow_main(void)
{
	static struct shadow shadow;
	struct shadow *s = &shadow;

	TAILQ_INIT(&s->peers);
	LIST_INIT(&s->jobs);
	s->paused = 1;
	role_start(&s->role, ROLE_SHADOW, &shadow_ops, s);
	if (s->asker == NULL) /* dns starts again and is not ready */
		s->asker = asker_new(s->role.base, s->role.who);
	s->spf2 = spf2_new();
	/* A service manager may forbid it. */
	if (setpriority(PRIO_PROCESS, 0, SHADOW_NICE) == -1)
		log_debug("no lower priority for the shadow");

	confine_enter(SANDBOX_SHADOW, s->role.conf);

	shadow_pause(s, 0);
	role_ready(&s->role);
	if (event_base_dispatch(s->role.base) == -1)
		fatalx("event loop");
	return 0;
}
