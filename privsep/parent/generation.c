/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(); reads messages of its children. */

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
#include "privsep/child/statpage.h"
#include "privsep/parent/generation.h"
#include "privsep/start/spawn.h"
#include "proto/wire.h"

#define START_BURST	 10  /* children of a role started again at once, */
#define START_MS	 200 /* then one each 0.2 s */
#define BACKOFF_MIN_MS	 100U
#define BACKOFF_MAX_MS	 5000U
#define STARTS_MAX	 6 /* that fail, before a generation does */
#define READY_SECONDS	 20
#define PING_SECONDS	 2
#define PINGS_UNANSWERED 5
#define LOG_LINES_SECOND 20000 /* two lines of 10,000 messages */

static void slot_start(struct generation_slot *);

static void
slot_new(struct generation *g, const struct role_row *row)
{
	struct generation_slot *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("slot_new");
	s->gen = g;
	s->row = row;
	s->id = ++g->all->last_id;
	s->pid = -1;
	if ((s->stats_fd = statpage_new(&s->stats)) == -1)
		fatal("page of counters");
	TAILQ_INSERT_TAIL(&g->slots, s, entry);
}

/* The listeners that are open, as ROLE_LISTENER_ bits. */
static unsigned int
generations_open(const struct generations *all)
{
	return (all->milter_fd != -1 ? ROLE_LISTENER_MILTER : 0) |
	    (all->policy_fd != -1 ? ROLE_LISTENER_POLICY : 0);
}

struct generation *
generation_new(struct generations *all, struct conf *conf)
{
	const struct role_row *row;
	struct generation *g;
	int i, n;

	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("generation_new");
	g->all = all;
	g->number = ++all->last_number;
	g->since = clock_seconds();
	g->conf = conf;
	TAILQ_INIT(&g->slots);
	TAILQ_INSERT_TAIL(&all->list, g, entry);
	if ((g->conf_fd = spawn_conf_fd(conf)) == -1)
		fatal("configuration for the children");
	for (row = role_rows; row < role_rows + SANDBOX_MAX; row++) {
		n = role_processes(row, conf, generations_open(all));
		for (i = 0; i < n; i++)
			slot_new(g, row);
	}
	return g;
}

void
generation_free(struct generation *g)
{
	struct generation_slot *s;

	generation_stats(g, &g->all->retired, 0);
	while ((s = TAILQ_FIRST(&g->slots)) != NULL) {
		TAILQ_REMOVE(&g->slots, s, entry);
		chan_free(s->chan);
		statpage_free(s->stats);
		close(s->stats_fd);
		if (s->timer != NULL)
			event_free(s->timer);
		free(s);
	}
	TAILQ_REMOVE(&g->all->list, g, entry);
	if (g->deadline != NULL)
		event_free(g->deadline);
	if (g->conf_fd != -1)
		close(g->conf_fd);
	conf_free(g->conf);
	free(g);
}

int
generation_is_empty(const struct generation *g)
{
	const struct generation_slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->pid != -1)
			return 0;
	return 1;
}

static int
generation_is_ready(const struct generation *g)
{
	const struct generation_slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		if (!s->ready && s->row->essential)
			return 0;
	return 1;
}

/* 0 when the child has logged too much: it may be compromised. */
static int
slot_may_log(struct generation_slot *s)
{
	time_t t = clock_seconds();

	if (s->log_second != t) {
		if (s->log_lines > LOG_LINES_SECOND)
			log_warnx("%s[%d]: %u lines in a second were dropped",
			    s->row->name, (int)s->pid,
			    s->log_lines - LOG_LINES_SECOND);
		s->log_second = t;
		s->log_lines = 0;
	}
	return ++s->log_lines <= LOG_LINES_SECOND;
}

/* The text may be hostile: log_line() escapes it. */
static void
slot_log(struct generation_slot *s, const uint8_t *p, size_t len)
{
	struct rbuf r;
	int pri;

	if (!slot_may_log(s))
		return;
	rbuf_init(&r, p, len);
	pri = log_priority(rbuf_u32(&r));
	if ((pri & ~LOG_FLAGS) == LOG_DEBUG && !s->gen->all->verbose)
		return;
	log_line(pri, "%.*s", (int)r.left, (const char *)r.p);
}

static void
generation_check_drained(struct generation *g)
{
	struct generation_slot *s;

	/* the processes that take mail may still need the others */
	TAILQ_FOREACH(s, &g->slots, entry)
		if (role_takes_mail(s->row) && s->chan != NULL && !s->drained)
			return;
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->chan != NULL) {
			chan_free(s->chan);
			s->chan = NULL;
			/* libspf2 may keep the shadow from reading EOF */
			if (!s->row->essential && s->pid != -1)
				kill(s->pid, SIGKILL);
		}
}

/* dns reports a client that broke the message rules; terminate it. */
static void
generation_badpeer(struct generation *g, const struct generation_slot *dns,
    const uint8_t *p, size_t len)
{
	struct generation_slot *s;
	struct rbuf r;
	uint32_t id;

	rbuf_init(&r, p, len);
	id = rbuf_u32(&r);
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->id == id && s != dns && s->pid != -1 && !s->reported) {
			s->reported = 1;
			log_line(LOG_CRIT,
			    "%s[%d] broke the message rules towards dns",
			    s->row->name, (int)s->pid);
			kill(s->pid, SIGKILL);
		}
}

static void
slot_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct generation_slot *s = arg;
	struct generation *g = s->gen;

	switch (h->type) {
	case MSG_LOG:
		slot_log(s, p, len);
		break;
	case MSG_READY:
		s->ready = 1;
		chan_phase(c, PHASE_RUN);
		if (g->all->verbose)
			(void)chan_send_u32(c, MSG_VERBOSE, 1, -1);
		if (s->row->dns == ROLE_SERVER)
			g->all->ops->dns_ready(g, g->all->arg);
		/* a child may send READY while the generation drains */
		if (!g->draining && !g->was_ready && generation_is_ready(g)) {
			g->was_ready = 1;
			g->all->ops->ready(g, g->all->arg);
		}
		break;
	case MSG_PONG:
		s->pings = 0;
		break;
	case MSG_BADPEER:
		generation_badpeer(g, s, p, len);
		break;
	case MSG_DRAINED:
		s->drained = 1;
		if (g->draining)
			generation_check_drained(g);
		break;
	}
}

/* EOF; or, with why, the child broke the message rules and is killed. */
static void
slot_gone(struct chan *c, const char *why, void *arg)
{
	struct generation_slot *s = arg;

	if (why != NULL)
		log_line(LOG_CRIT, "%s[%d] broke the message rules: %s",
		    s->row->name, (int)s->pid, why);
	chan_free(c);
	s->chan = NULL;
	if (s->pid != -1 && (why != NULL || !s->gen->draining))
		kill(s->pid, SIGKILL);
}

/* Makes a channel to each child that this one has a link to. */
static void
slot_connect(struct generation_slot *s)
{
	struct generation_slot *o;
	int rc = 0;

	TAILQ_FOREACH(o, &s->gen->slots, entry)
		if (o != s && o->chan != NULL &&
		    role_link_to(s->row->role, o->row->role) != ROLE_LINK_NONE)
			rc |= spawn_send_peers(o->chan, o->row->role, o->id,
			    s->chan, s->row->role, s->id);
	if (rc != 0)
		log_warnx("%s[%d]: not connected to all its peers",
		    s->row->name, (int)s->pid);
}

static int
slot_send_start(struct generation_slot *s)
{
	const struct generation *g = s->gen;
	const struct generations *all = g->all;
	unsigned int l = role_listeners(s->row, g->conf, generations_open(all));
	int fd;

	if (chan_send_u32(s->chan, MSG_CONFIG, g->conf->program, g->conf_fd) ==
	    -1)
		return -1;
	if ((fd = fcntl(s->stats_fd, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    chan_send(s->chan, MSG_STATS, 0, NULL, 0, fd, 1) == -1)
		return -1;
	if ((l & ROLE_LISTENER_MILTER) != 0 &&
	    chan_send_u32(s->chan, MSG_LISTENER, ROLE_LISTENER_MILTER,
		all->milter_fd) == -1)
		return -1;
	if ((l & ROLE_LISTENER_POLICY) != 0 &&
	    chan_send_u32(s->chan, MSG_LISTENER, ROLE_LISTENER_POLICY,
		all->policy_fd) == -1)
		return -1;
	return 0;
}

/* A process: it is late with READY. None: it is time to start one. */
static void
slot_timer(evutil_socket_t fd, short what, void *arg)
{
	struct generation_slot *s = arg;

	if (s->pid == -1 && s->fails >= STARTS_MAX && s->row->essential &&
	    !s->gen->was_ready)
		s->gen->all->ops->failed(s->gen, "a child cannot be started",
		    s->gen->all->arg);
	else if (s->pid == -1)
		slot_start(s);
	else if (!s->ready) {
		log_warnx("%s[%d] was not ready after %d seconds", s->row->name,
		    (int)s->pid, READY_SECONDS);
		kill(s->pid, SIGKILL);
	}
}

static void
slot_wake(struct generation_slot *s, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

	if (s->timer == NULL &&
	    (s->timer = evtimer_new(s->gen->all->base, slot_timer, s)) == NULL)
		fatalx("slot_wake: no event");
	evtimer_add(s->timer, &tv);
}

/*
 * After children that were ready, at once, as far as the role's rate allows;
 * after one that was not, 0.1 s later, then 0.2 s, ... 5 s.
 */
static void
slot_respawn(struct generation_slot *s)
{
	uint64_t *due = &s->gen->all->start_due[s->row->role];
	uint64_t ms = clock_usec() / 1000;
	unsigned int wait = 0;

	if (*due + START_BURST * START_MS < ms)
		*due = ms - START_BURST * START_MS;
	*due += START_MS;
	if (*due > ms)
		wait = (unsigned int)(*due - ms);
	if (s->fails > 6)
		wait = BACKOFF_MAX_MS;
	else if (s->fails > 0 && wait < BACKOFF_MIN_MS << (s->fails - 1))
		wait = BACKOFF_MIN_MS << (s->fails - 1);
	slot_wake(s, wait);
}

static void
slot_start(struct generation_slot *s)
{
	struct generation *g = s->gen;
	int sock;

	if (g->draining || s->pid != -1)
		return;
	s->ready = s->drained = s->reported = 0;
	s->pings = 0;
	s->started = clock_seconds();
	s->pid =
	    spawn_role(g->all->exe_fd, "pyspf-milter", s->row->role, &sock);
	if (s->pid == -1) {
		log_warn("cannot start %s", s->row->name);
		s->fails++;
		slot_respawn(s);
		return;
	}
	s->chan = chan_new(g->all->base, sock, ROLE_PARENT, s->row->role,
	    slot_msg, slot_gone, s);
	chan_phase(s->chan, PHASE_START);
	if (slot_send_start(s) == -1)
		log_warnx("%s[%d]: start messages were not sent", s->row->name,
		    (int)s->pid);
	slot_connect(s);
	(void)chan_send(s->chan, MSG_GO, 0, NULL, 0, -1, 0);
	slot_wake(s, READY_SECONDS * 1000);
}

void
generation_start(struct generation *g)
{
	struct generation_slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		slot_start(s);
}

void
generation_send(struct generation *g, enum msg_type type, uint32_t value)
{
	struct generation_slot *s;

	TAILQ_FOREACH(s, &g->slots, entry) {
		if ((msg_rules[type].receivers & ROLE_BIT(s->row->role)) == 0 ||
		    !s->ready || s->chan == NULL)
			continue;
		if (type == MSG_VERBOSE)
			(void)chan_send_u32(s->chan, type, value, -1);
		else
			(void)chan_send(s->chan, type, 0, NULL, 0, -1, 0);
	}
}

int
generation_nameservers(struct generation *g, const struct conf_servers *servers)
{
	const struct generation_slot *s;
	int fd;

	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->row->dns == ROLE_SERVER && !s->ready)
			return -1;
	conf_servers_copy(&g->conf->nameservers, servers);
	if ((fd = spawn_conf_fd(g->conf)) == -1)
		fatal("configuration for the children");
	close(g->conf_fd);
	g->conf_fd = fd;
	generation_send(g, MSG_FLUSH, 0);
	return 0;
}

/*
 * Counts pings and not seconds: when the whole machine was stopped, the
 * children get the time to answer.
 */
static void
slot_ping(struct generation_slot *s)
{
	if (!s->row->watched || !s->ready || s->chan == NULL)
		return;
	if (s->pings++ == 0) {
		(void)chan_send(s->chan, MSG_PING, 0, NULL, 0, -1, 0);
	} else if (s->pings > PINGS_UNANSWERED && s->pid != -1) {
		log_line(LOG_CRIT, "%s[%d] does not answer; it is ended",
		    s->row->name, (int)s->pid);
		kill(s->pid, SIGKILL);
	}
}

static void
generations_ping(evutil_socket_t fd, short what, void *arg)
{
	struct generations *all = arg;
	struct generation *g;
	struct generation_slot *s;

	TAILQ_FOREACH(g, &all->list, entry)
		TAILQ_FOREACH(s, &g->slots, entry)
			slot_ping(s);
}

void
generations_watch(struct generations *all)
{
	const struct timeval tv = { PING_SECONDS, 0 };

	all->ping = event_new(all->base, -1, EV_PERSIST, generations_ping, all);
	if (all->ping == NULL || event_add(all->ping, &tv) == -1)
		fatalx("generations_watch: no event");
}

void
generation_stats(const struct generation *g, struct stats *sum, int gauges)
{
	const struct generation_slot *s;

	TAILQ_FOREACH(s, &g->slots, entry)
		stat_sum(sum, s->stats, gauges && s->pid != -1);
}

static void
generation_late(evutil_socket_t fd, short what, void *arg)
{
	generation_kill(arg);
}

static void
generation_deadline(struct generation *g, unsigned int seconds)
{
	const struct timeval tv = { seconds, 0 };

	if ((g->deadline = evtimer_new(g->all->base, generation_late, g)) ==
	    NULL)
		fatalx("generation_deadline: no event");
	evtimer_add(g->deadline, &tv);
}

void
generation_drain(struct generation *g, unsigned int seconds)
{
	struct generation_slot *s;

	if (g->draining)
		return;
	g->draining = 1;
	TAILQ_FOREACH(s, &g->slots, entry) {
		if (s->timer != NULL)
			event_del(s->timer);
		if (!role_takes_mail(s->row) || s->chan == NULL)
			continue;
		if (!s->ready)
			kill(s->pid, SIGKILL);
		else
			(void)chan_send(s->chan, MSG_DRAIN, 0, NULL, 0, -1, 0);
	}
	generation_deadline(g, seconds);
	generation_check_drained(g);
	if (generation_is_empty(g))
		g->all->ops->empty(g, g->all->arg);
}

void
generation_kill(struct generation *g)
{
	struct generation_slot *s;

	g->draining = 1;
	TAILQ_FOREACH(s, &g->slots, entry)
		if (s->pid != -1)
			kill(s->pid, SIGKILL);
}

static void
slot_log_end(const struct generation_slot *s, pid_t pid, int status)
{
	const char *role = s->row->name;

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

static struct generation_slot *
slot_by_pid(const struct generations *all, pid_t pid)
{
	struct generation *g;
	struct generation_slot *s;

	TAILQ_FOREACH(g, &all->list, entry)
		TAILQ_FOREACH(s, &g->slots, entry)
			if (s->pid == pid)
				return s;
	return NULL;
}

void
generations_reaped(struct generations *all, pid_t pid, int status)
{
	struct generation *g;
	struct generation_slot *s;
	int was_ready;

	if ((s = slot_by_pid(all, pid)) == NULL)
		return;
	g = s->gen;
	/* the pid may be reused now; last messages may still be unread */
	s->pid = -1;
	if (s->chan != NULL)
		chan_read_rest(s->chan);
	slot_log_end(s, pid, status);
	chan_free(s->chan);
	s->chan = NULL;
	was_ready = s->ready;
	s->ready = 0;
	if (g->draining) {
		generation_check_drained(g);
		if (generation_is_empty(g))
			all->ops->empty(g, all->arg);
		return;
	}
	s->restarts++;
	if (status != 0)
		all->restarts[s->row->role]++;
	if (!g->was_ready && s->row->essential) {
		all->ops->failed(g, "a child ended while starting", all->arg);
		return;
	}
	s->fails = was_ready ? 0 : s->fails + 1;
	slot_respawn(s);
}

void
generations_verbose(struct generations *all, int on)
{
	struct generation *g;

	all->verbose = on;
	TAILQ_FOREACH(g, &all->list, entry)
		generation_send(g, MSG_VERBOSE, (uint32_t)on);
}

void
generations_stats(const struct generations *all, struct stats *sum)
{
	const struct generation *g;

	*sum = all->retired;
	TAILQ_FOREACH(g, &all->list, entry)
		generation_stats(g, sum, 1);
}
