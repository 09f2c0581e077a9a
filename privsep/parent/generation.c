/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop; reads only messages of its children. */

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "privsep/child/role.h"
#include "privsep/child/statpage.h"
#include "privsep/parent/control.h"
#include "privsep/parent/parent.h"
#include "privsep/start/spawn.h"
#include "proto/wire.h"

#define RESPAWN_SOON	 10 /* seconds; ending before that is a failure */
#define RESPAWN_MIN_MS	 100
#define RESPAWN_MAX_MS	 30000
#define READY_SECONDS	 20
#define LOG_LINES_SECOND 20000 /* two lines of 10,000 messages */

static void slot_start(struct slot *);
static void slot_gone(struct chan *, const char *, void *);

static struct slot *
slot_new(struct generation *g, enum msg_role role)
{
	struct slot *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("slot_new");
	s->gen = g;
	s->role = role;
	s->id = ++g->parent->last_id;
	s->pid = -1;
	if ((s->stats_fd = statpage_new(&s->stats)) == -1)
		fatal("page of counters");
	TAILQ_INSERT_TAIL(&g->slots, s, entry);
	return s;
}

struct generation *
gen_new(struct parent *p, struct conf *conf)
{
	struct generation *g;
	int i, lib;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("gen_new");
	g->parent = p;
	g->number = ++p->last_number;
	g->since = clock_seconds();
	g->conf = conf;
	TAILQ_INIT(&g->slots);
	TAILQ_INSERT_TAIL(&p->all, g, entry);
	if ((g->conf_fd = spawn_conf_fd(conf)) == -1)
		fatal("configuration for the children");

	/* dns comes first, so that the others find it */
	slot_new(g, ROLE_DNS);
	lib = conf->milter_frontend == FRONTEND_LIBMILTER && p->milter_fd != -1;
	if (lib)
		for (i = 0; i < conf->workers; i++)
			slot_new(g, ROLE_LIBMILTER);
	if (!lib || p->policy_fd != -1)
		for (i = 0; i < conf->workers; i++)
			slot_new(g, ROLE_WORKER);
	if (conf->second_opinion)
		slot_new(g, ROLE_SHADOW);
	return g;
}

void
gen_free(struct generation *g)
{
	struct slot *s;

	gen_stats(g, &g->parent->retired, 0);
	while ((s = TAILQ_FIRST(&g->slots)) != NULL) {
		TAILQ_REMOVE(&g->slots, s, entry);
		chan_free(s->chan);
		statpage_free(s->stats);
		close(s->stats_fd);
		if (s->respawn != NULL)
			event_free(s->respawn);
		free(s);
	}
	TAILQ_REMOVE(&g->parent->all, g, entry);
	if (g->deadline != NULL)
		event_free(g->deadline);
	if (g->conf_fd != -1)
		close(g->conf_fd);
	conf_free(g->conf);
	free(g);
}

int
gen_is_empty(const struct generation *g)
{
	const struct slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->pid != -1)
			return 0;
	return 1;
}

/* Mail never waits for the shadow: not at the start and not at the end. */
static int
gen_is_ready(const struct generation *g)
{
	const struct slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		if (!s->ready && s->role != ROLE_SHADOW)
			return 0;
	return 1;
}

/* A child that is not ours any more must not fill the log. */
static int
slot_may_log(struct slot *s)
{
	time_t t = clock_seconds();

	if (s->log_second != t) {
		if (s->log_lines > LOG_LINES_SECOND)
			log_warnx("%s[%d]: %u lines in a second were dropped",
			    msg_role_name[s->role], (int)s->pid,
			    s->log_lines - LOG_LINES_SECOND);
		s->log_second = t;
		s->log_lines = 0;
	}
	return ++s->log_lines <= LOG_LINES_SECOND;
}

/* A child's line: text of a process that reads hostile input; see log.c. */
static void
slot_log(struct slot *s, const uint8_t *p, size_t len)
{
	struct rbuf r;
	int pri;

	if (!slot_may_log(s))
		return;
	rbuf_init(&r, p, len);
	pri = log_priority(rbuf_u32(&r));
	if ((pri & ~LOG_FLAGS) == LOG_DEBUG && !s->gen->parent->debug)
		return;
	log_line(pri, "%.*s", (int)r.left, (const char *)r.p);
}

static int
slot_takes_mail(const struct slot *s)
{
	return s->role == ROLE_WORKER || s->role == ROLE_LIBMILTER;
}

static void
gen_check_drained(struct generation *g)
{
	struct slot *s;

	/* dns and shadow go last: the others may still need them */
	TAILQ_FOREACH(s, &g->slots, entry)
		if (slot_takes_mail(s) && s->chan != NULL && !s->drained)
			return;
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->chan != NULL) {
			chan_free(s->chan);
			s->chan = NULL;
			/* a library of others may not let it hear of that */
			if (s->role == ROLE_SHADOW && s->pid != -1)
				kill(s->pid, SIGKILL);
		}
}

/* dns says that one who asks broke the rules: that one ends. */
static void
gen_badpeer(struct generation *g, const struct slot *teller, const uint8_t *p,
    size_t len)
{
	struct slot *s;
	struct rbuf r;
	uint32_t id;

	rbuf_init(&r, p, len);
	id = rbuf_u32(&r);
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->id == id && s != teller && s->pid != -1 &&
		    !s->condemned) {
			s->condemned = 1;
			log_line(LOG_CRIT,
			    "%s[%d] broke the message rules "
			    "towards dns",
			    msg_role_name[s->role], (int)s->pid);
			kill(s->pid, SIGKILL);
		}
}

static void
slot_verbose(struct slot *s)
{
	uint8_t buf[4] = { 0, 0, 0, 1 };

	(void)chan_send(s->chan, MSG_VERBOSE, 0, buf, sizeof(buf), -1, 0);
}

static void
slot_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct slot *s = arg;
	struct generation *g = s->gen;

	switch (h->type) {
	case MSG_LOG:
		slot_log(s, p, len);
		break;
	case MSG_READY:
		s->ready = 1;
		chan_phase(c, PHASE_RUN);
		if (g->parent->debug)
			slot_verbose(s);
		if (s->role == ROLE_DNS && g == g->parent->cur)
			control_dns_ready(g->parent);
		/* one that is being ended may still say so */
		if (!g->draining && !g->was_ready && gen_is_ready(g)) {
			g->was_ready = 1;
			parent_gen_ready(g);
		}
		break;
	case MSG_PONG:
		s->asked = 0;
		break;
	case MSG_BADPEER:
		gen_badpeer(g, s, p, len);
		break;
	case MSG_DRAINED:
		s->drained = 1;
		if (g->draining)
			gen_check_drained(g);
		break;
	}
}

/* EOF, or a broken rule: a child that we cannot trust any more ends. */
static void
slot_gone(struct chan *c, const char *why, void *arg)
{
	struct slot *s = arg;

	if (why != NULL)
		log_line(LOG_CRIT, "%s[%d] broke the message rules: %s",
		    msg_role_name[s->role], (int)s->pid, why);
	chan_free(c);
	s->chan = NULL;
	if (s->pid != -1 && (why != NULL || !s->gen->draining))
		kill(s->pid, SIGKILL);
}

/* All ask dns; those who take mail send copies to the shadow. */
static int
slot_talks_to(const struct slot *s, const struct slot *o)
{
	if (s->role == ROLE_DNS || o->role == ROLE_DNS)
		return s->role != o->role;
	return (s->role == ROLE_SHADOW && slot_takes_mail(o)) ||
	    (o->role == ROLE_SHADOW && slot_takes_mail(s));
}

static void
slot_connect(struct slot *s)
{
	struct slot *o;
	int rc = 0;

	TAILQ_FOREACH(o, &s->gen->slots, entry)
		if (o != s && o->chan != NULL && slot_talks_to(s, o))
			rc |= spawn_send_peers(o->chan, o->role, o->id, s->chan,
			    s->role, s->id);
	if (rc != 0)
		log_warnx("%s[%d]: not connected to all its peers",
		    msg_role_name[s->role], (int)s->pid);
}

static int
slot_send_listener(struct slot *s, uint32_t which, int fd)
{
	struct wbuf w;
	uint8_t buf[4];

	if (fd == -1)
		return 0;
	if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, which);
	return chan_send(s->chan, MSG_LISTENER, 0, buf, w.len, fd, 1);
}

static int
slot_send_stats(struct slot *s)
{
	int fd;

	if ((fd = fcntl(s->stats_fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	return chan_send(s->chan, MSG_STATS, 0, NULL, 0, fd, 1);
}

static int
slot_send_listeners(struct slot *s)
{
	struct generation *g = s->gen;
	int lib = g->conf->milter_frontend == FRONTEND_LIBMILTER;

	if (s->role == ROLE_LIBMILTER || (s->role == ROLE_WORKER && !lib))
		if (slot_send_listener(s, ROLE_LISTENER_MILTER,
			g->parent->milter_fd) == -1)
			return -1;
	if (s->role == ROLE_WORKER)
		return slot_send_listener(s, ROLE_LISTENER_POLICY,
		    g->parent->policy_fd);
	return 0;
}

static void
slot_retry(evutil_socket_t fd, short what, void *arg)
{
	slot_start(arg);
}

/* At once the first time, then after 0.1 s, 0.2 s, ... 30 s. */
static void
slot_respawn(struct slot *s)
{
	struct timeval tv = { 0, 0 };
	unsigned int ms = 0;

	if (s->fails > 0) {
		ms = RESPAWN_MIN_MS;
		if (s->fails > 9)
			ms = RESPAWN_MAX_MS;
		else
			ms <<= s->fails - 1;
		if (ms > RESPAWN_MAX_MS)
			ms = RESPAWN_MAX_MS;
	}
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (ms % 1000) * 1000;
	if (s->respawn == NULL &&
	    (s->respawn = evtimer_new(s->gen->parent->base, slot_retry, s)) ==
		NULL)
		fatalx("slot_respawn: no event");
	evtimer_add(s->respawn, &tv);
}

static void
slot_start(struct slot *s)
{
	struct generation *g = s->gen;
	int sock;

	if (g->draining || s->pid != -1)
		return;
	s->ready = s->drained = s->asked = 0;
	s->started = clock_seconds();
	s->pid = spawn_role(g->parent->exe_fd, "pyspf-milter", s->role, &sock);
	if (s->pid == -1) {
		log_warn("cannot start %s", msg_role_name[s->role]);
		s->fails++;
		slot_respawn(s);
		return;
	}
	s->chan = chan_new(g->parent->base, sock, ROLE_PARENT, s->role,
	    slot_msg, slot_gone, s);
	chan_phase(s->chan, PHASE_START);
	if (spawn_send_config(s->chan, g->conf, g->conf_fd) == -1 ||
	    slot_send_stats(s) == -1 || slot_send_listeners(s) == -1)
		log_warnx("%s[%d]: start messages not sent",
		    msg_role_name[s->role], (int)s->pid);
	slot_connect(s);
	(void)chan_send(s->chan, MSG_GO, 0, NULL, 0, -1, 0);
}

static void
gen_late(evutil_socket_t fd, short what, void *arg)
{
	struct generation *g = arg;

	if (g->draining)
		gen_kill(g);
	else if (!g->was_ready)
		parent_gen_failed(g, "children are not ready in time");
}

static void
gen_deadline(struct generation *g, unsigned int seconds)
{
	struct timeval tv = { seconds, 0 };

	if (g->deadline == NULL &&
	    (g->deadline = evtimer_new(g->parent->base, gen_late, g)) == NULL)
		fatalx("gen_deadline: no event");
	evtimer_add(g->deadline, &tv);
}

void
gen_start(struct generation *g)
{
	struct slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		slot_start(s);
	gen_deadline(g, READY_SECONDS);
}

void
gen_tell(struct generation *g, enum msg_role role, enum msg_type type,
    uint32_t value)
{
	uint8_t buf[4];
	struct wbuf w;
	struct slot *s;

	wbuf_init(&w, buf, sizeof(buf));
	if (type == MSG_VERBOSE)
		wbuf_u32(&w, value);
	TAILQ_FOREACH(s, &g->slots, entry)
		if ((role == ROLE_NONE || s->role == role) && s->ready &&
		    s->chan != NULL)
			(void)chan_send(s->chan, type, 0, buf, w.len, -1, 0);
}

int
gen_answers(struct generation *g)
{
	unsigned int due = 0, ready = 0;
	struct slot *s;
	int all = 1;

	TAILQ_FOREACH(s, &g->slots, entry) {
		/* what kills or stops the shadow must not stop mail */
		if (s->role == ROLE_SHADOW)
			continue;
		due |= ROLE_BIT(s->role);
		if (!s->ready || s->chan == NULL)
			continue;
		ready |= ROLE_BIT(s->role);
		if (s->asked)
			all = 0;
		else if (chan_send(s->chan, MSG_PING, 0, NULL, 0, -1, 0) == 0)
			s->asked = 1;
	}
	return all && ready == due;
}

void
gen_stats(const struct generation *g, struct stats *sum, int gauges)
{
	const struct slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		stat_sum(sum, s->stats, gauges && s->pid != -1);
}

void
gen_drain(struct generation *g, unsigned int seconds)
{
	struct slot *s;

	if (g->draining)
		return;
	g->draining = 1;
	TAILQ_FOREACH(s, &g->slots, entry) {
		if (s->respawn != NULL)
			event_del(s->respawn);
		if (!slot_takes_mail(s) || s->chan == NULL)
			continue;
		if (!s->ready)
			kill(s->pid, SIGKILL);
		else
			(void)chan_send(s->chan, MSG_DRAIN, 0, NULL, 0, -1, 0);
	}
	gen_deadline(g, seconds);
	gen_check_drained(g);
	if (gen_is_empty(g))
		parent_gen_empty(g);
}

void
gen_kill(struct generation *g)
{
	struct slot *s;

	g->draining = 1;
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->pid != -1)
			kill(s->pid, SIGKILL);
}

static void
slot_log_end(const struct slot *s, pid_t pid, int status)
{
	const char *role = msg_role_name[s->role];

	if (s->gen->draining)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_line(LOG_CRIT, "%s[%d] ended: sandbox violation (SIGSYS)",
		    role, (int)pid);
	else if (WIFSIGNALED(status))
		log_warnx("%s[%d] ended by signal %d (%s)", role, (int)pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_warnx("%s[%d] ended with status %d", role, (int)pid,
		    WEXITSTATUS(status));
}

static struct slot *
slot_by_pid(struct parent *p, pid_t pid)
{
	struct generation *g;
	struct slot *s;

	TAILQ_FOREACH(g, &p->all, entry)
		TAILQ_FOREACH(s, &g->slots, entry)
			if (s->pid == pid)
				return s;
	return NULL;
}

void
gen_reaped(struct parent *p, pid_t pid, int status)
{
	struct generation *g;
	struct slot *s;

	if ((s = slot_by_pid(p, pid)) == NULL)
		return;
	g = s->gen;
	/* Its last words may still be in the pipe; its number is free now. */
	s->pid = -1;
	if (s->chan != NULL)
		chan_read_rest(s->chan);
	slot_log_end(s, pid, status);
	chan_free(s->chan);
	s->chan = NULL;
	s->ready = 0;
	if (g->draining) {
		gen_check_drained(g);
		if (gen_is_empty(g))
			parent_gen_empty(g);
		return;
	}
	s->restarts++;
	if (status != 0)
		g->parent->restarts[s->role]++;
	if (!g->was_ready && s->role != ROLE_SHADOW) {
		parent_gen_failed(g, "a child ended while starting");
		return;
	}
	/* dns ends with 0 to be started with an empty cache */
	if (clock_seconds() - s->started >= RESPAWN_SOON || status == 0)
		s->fails = 0;
	slot_respawn(s);
	if (status != 0)
		s->fails++;
}
