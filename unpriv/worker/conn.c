/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/stats.h"
#include "unpriv/worker/session.h"

#define CONN_IN_MAX	(65536 + 4)   /* the largest unit: a milter packet */
#define CONN_BUSY_IN	8192	      /* read ahead while a check runs */
#define CONN_OUT_SOFT	65536	      /* sessions stop taking input */
#define CONN_OUT_MAX	(1024 * 1024) /* more than the largest answer */
#define CONN_KEEP	2048	      /* larger buffers are freed when empty */
#define CONN_WRITE_SECS 30	      /* for the peer to read an answer */
#define CONN_KINDS	32	      /* reasons to close, of both protocols */
#define CONN_NOTES	10	      /* log lines a minute of each */
#define CONN_MEM_MAJOR	1	      /* device of /dev/null */

/* The reason for the deadline of a connection. */
enum conn_late {
	LATE_NONE = 0,
	LATE_IDLE,
	LATE_BEGUN,
	LATE_WRITE
};
/* An idle client is no fault: its connection closes without a log line. */
static const char *const conn_late_text[] = {
	[LATE_BEGUN] = "the rest of a command did not arrive in time",
	[LATE_WRITE] = "the peer does not read the answers",
};

struct buf {
	uint8_t *p;
	size_t size, len;
};

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct conn_env *env;
	const struct session_ops *ops;
	void *session;
	int in_fd, out_fd;
	int no_epoll;  /* in_fd is a file, always readable */
	int in_plain;  /* in_fd is no socket: use read(2) */
	int out_plain; /* out_fd is no socket: use write(2) */
	struct event *ev_in, *ev_closed, *ev_out, *timer;
	struct buf in, out; /* input not taken, output not sent yet */
	int reading, waiting_closed, writing; /* the events that are added */
	int eof;
	int dead;	     /* conn_settle() frees it */
	int ending;	     /* closes when out is empty */
	const char *why;     /* for the log, or NULL */
	enum conn_late late; /* reason for deadline */
	time_t deadline;
	time_t armed; /* when timer fires; 0: not set */
};

static TAILQ_HEAD(, conn) conns = TAILQ_HEAD_INITIALIZER(conns);
/* Receives every read; input that a session does not take moves to conn.in. */
static uint8_t conn_rbuf[CONN_IN_MAX];

static void conn_settle(struct conn *);

/* 1: the peer must read answers before it sends more. */
static int
conn_full(const struct conn *c)
{
	return c->out.len >= CONN_OUT_SOFT;
}

static int
conn_busy(const struct conn *c)
{
	return (c->ops->state(c->session) & SESSION_BUSY) != 0;
}

static void
buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

static int
buf_add(struct buf *b, const void *p, size_t n, size_t max)
{
	size_t size = b->size == 0 ? 512 : b->size;
	uint8_t *q;

	if (n > max || b->len > max - n)
		return -1;
	while (size - b->len < n)
		size *= 2;
	if (size != b->size) {
		if ((q = realloc(b->p, size)) == NULL)
			return -1;
		b->p = q;
		b->size = size;
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
	return 0;
}

static void
buf_drop(struct buf *b, size_t n)
{
	b->len -= n;
	if (b->len != 0)
		memmove(b->p, b->p + n, b->len);
	else if (b->size > CONN_KEEP)
		buf_free(b);
}

/* Each kind of fault has a limit of its own, so that none hides others. */
static struct log_note *
conn_note(const char *name, const char *why)
{
	static struct {
		const char *name, *why;
		struct log_note note;
	} kinds[CONN_KINDS];
	size_t i;

	for (i = 0; i < CONN_KINDS - 1 && kinds[i].why != NULL; i++)
		if (kinds[i].name == name && strcmp(kinds[i].why, why) == 0)
			break;
	kinds[i].name = name;
	kinds[i].why = why;
	kinds[i].note.max = CONN_NOTES;
	return &kinds[i].note;
}

static void
conn_free(struct conn *c)
{
	struct event *ev[] = { c->ev_in, c->ev_closed, c->ev_out, c->timer };
	struct conn_env *env = c->env;
	size_t i;

	if (c->why != NULL)
		log_note(conn_note(c->ops->name, c->why),
		    "%s connection closed: %s", c->ops->name, c->why);
	if (c->session != NULL)
		c->ops->end(c->session);
	for (i = 0; i < sizeof(ev) / sizeof(ev[0]); i++)
		if (ev[i] != NULL)
			event_free(ev[i]);
	buf_free(&c->in);
	buf_free(&c->out);
	close(c->in_fd);
	if (c->out_fd != c->in_fd)
		close(c->out_fd);
	TAILQ_REMOVE(&conns, c, entry);
	free(c);
	env->nconn--;
	stat_set(CONN_OPEN, env->nconn);
	if (env->closed != NULL)
		env->closed(env, env->arg);
}

/* Marks it dead; conn_settle(), which ends every callback, frees it. */
static void
conn_close(struct conn *c, const char *why)
{
	if (c->dead)
		return;
	c->dead = 1;
	if (why != NULL)
		c->why = why;
}

/*
 * Each connection has one timer. It does not follow a deadline that moves away,
 * but fires early and is set again, so that moving a deadline costs nothing.
 */
static void
conn_set_timer(struct conn *c, time_t now)
{
	struct timeval tv = { c->deadline - now, 0 };

	if (c->armed != 0 && c->armed <= c->deadline)
		return;
	c->armed = c->deadline;
	if (event_add(c->timer, &tv) == -1)
		fatalx("conn: no event");
}

static void
conn_arm(struct conn *c, unsigned int secs, enum conn_late late)
{
	time_t now = clock_seconds();

	/* A command or an answer that has begun keeps its deadline. */
	if (c->late == late && late != LATE_IDLE)
		return;
	c->late = late;
	c->deadline = now + secs;
	conn_set_timer(c, now);
}

/* Sets the time limit that applies in the present state. */
static void
conn_limit(struct conn *c)
{
	unsigned int state = c->ops->state(c->session);

	if (c->out.len != 0)
		conn_arm(c, CONN_WRITE_SECS, LATE_WRITE);
	else if ((state & SESSION_BUSY) != 0)
		c->late = LATE_NONE; /* the check has its own deadline */
	else if (c->in.len != 0 || (state & SESSION_PARTIAL) != 0)
		conn_arm(c, c->ops->begun, LATE_BEGUN);
	else
		conn_arm(c,
		    c->env->draining ? c->ops->idle_drain : c->ops->idle,
		    LATE_IDLE);
}

static void
conn_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	time_t now = clock_seconds();

	c->armed = 0;
	if (c->late == LATE_NONE)
		return;
	if (now < c->deadline) {
		conn_set_timer(c, now);
		return;
	}
	conn_close(c, conn_late_text[c->late]);
	conn_settle(c);
}

static ssize_t
conn_write(struct conn *c, const uint8_t *p, size_t n)
{
	ssize_t w = -1;

	if (!c->out_plain) {
		w = send(c->out_fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		c->out_plain = w == -1 && errno == ENOTSOCK;
	}
	return c->out_plain ? write(c->out_fd, p, n) : w;
}

static ssize_t
conn_read(struct conn *c, uint8_t *p, size_t n)
{
	ssize_t r = -1;

	if (!c->in_plain) {
		r = recv(c->in_fd, p, n, MSG_DONTWAIT);
		c->in_plain = r == -1 && errno == ENOTSOCK;
	}
	return c->in_plain ? read(c->in_fd, p, n) : r;
}

/* Adds or removes an event, and notes which. -1 when it cannot be added. */
static int
conn_wait(struct event *ev, int *added, int on)
{
	if (ev == NULL || on == *added)
		return 0;
	*added = on;
	if (on)
		return event_add(ev, NULL);
	event_del(ev);
	return 0;
}

/* Writes as much as the peer takes, and waits for room for the rest. */
static void
conn_flush(struct conn *c)
{
	ssize_t n;

	while (c->out.len != 0 && !c->dead) {
		n = conn_write(c, c->out.p, c->out.len);
		if (n > 0) {
			buf_drop(&c->out, (size_t)n);
			if (c->late == LATE_WRITE)
				c->late = LATE_NONE; /* the peer reads */
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
			conn_close(c, NULL); /* the peer is gone */
		else if (conn_wait(c->ev_out, &c->writing, 1) == -1)
			conn_close(c, "cannot watch the descriptor");
		return;
	}
	(void)conn_wait(c->ev_out, &c->writing, 0);
	if (c->ending)
		conn_close(c, NULL);
}

static void
conn_watch(struct conn *c)
{
	int want = !c->eof && !c->ending && !conn_full(c) &&
	    c->in.len < (conn_busy(c) ? CONN_BUSY_IN : CONN_IN_MAX);

	if (c->no_epoll) {
		if (want)
			event_active(c->ev_in, EV_READ, 0);
	} else if (conn_wait(c->ev_in, &c->reading, want) == -1)
		conn_close(c, "cannot watch the descriptor");
	/* Notice when a peer whose input is not read closes. */
	if (conn_wait(c->ev_closed, &c->waiting_closed,
		!want && !c->eof && c->ops->eof_cancels) == -1)
		c->waiting_closed = 0;
}

/*
 * Ends every callback: decides whether the connection is over, writes, sets
 * the time limit and the events to wait for. May free the conn.
 */
static void
conn_settle(struct conn *c)
{
	unsigned int state = c->ops->state(c->session);

	if (!c->dead && (state & SESSION_BUSY) == 0 && !conn_full(c) &&
	    (c->eof ||
		(c->env->draining && c->in.len == 0 &&
		    (state & SESSION_IDLE) != 0)))
		c->ending = 1;
	if (!c->dead)
		conn_flush(c);
	if (!c->dead) {
		conn_limit(c);
		conn_watch(c);
	}
	if (c->dead)
		conn_free(c);
}

/* Passes input to the session; returns the octets that it takes. */
static size_t
conn_process(struct conn *c, const uint8_t *p, size_t n)
{
	size_t used = 0;
	ssize_t k;

	while (used < n && !c->dead && !c->ending && !conn_full(c) &&
	    !conn_busy(c)) {
		if ((k = c->ops->input(c->session, p + used, n - used)) == -1)
			c->ending = 1;
		else if (k == 0)
			break;
		else
			used += (size_t)k;
	}
	return c->ending ? n : used; /* drop input after the end */
}

/* Passes c->in to the session, as long as the peer reads answers. */
static void
conn_continue(struct conn *c)
{
	size_t used;

	while (c->in.len != 0 && !c->dead) {
		used = conn_process(c, c->in.p, c->in.len);
		buf_drop(&c->in, used);
		if (!conn_full(c))
			break;
		conn_flush(c);
		if (conn_full(c))
			break;
	}
}

static void
conn_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	size_t used = 0;
	ssize_t n;

	n = conn_read(c, conn_rbuf, CONN_IN_MAX - c->in.len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		conn_watch(c);
		return;
	}
	if (n <= 0) {
		c->eof = 1;
		if (n == -1 || c->ops->eof_cancels)
			conn_close(c, NULL);
		conn_settle(c);
		return;
	}
	if (c->in.len == 0)
		used = conn_process(c, conn_rbuf, (size_t)n);
	if (used < (size_t)n &&
	    buf_add(&c->in, conn_rbuf + used, (size_t)n - used, CONN_IN_MAX) ==
		-1)
		conn_close(c, "no memory");
	if (c->in.len != 0)
		conn_continue(c);
	conn_settle(c);
}

static void
conn_peer_closed(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	conn_close(c, NULL);
	conn_settle(c);
}

static void
conn_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	conn_flush(c);
	conn_continue(c);
	conn_settle(c);
}

void
conn_send(struct conn *c, const void *p, size_t n)
{
	if (!c->dead && buf_add(&c->out, p, n, CONN_OUT_MAX) == -1)
		conn_close(c, "too much to write");
}

int
conn_fail(struct conn *c, const char *why)
{
	stats->v[c->ops->errors]++;
	c->why = why;
	c->ending = 1;
	return -1;
}

void
conn_progress(struct conn *c)
{
	if (c->late == LATE_BEGUN)
		c->late = LATE_NONE;
}

void
conn_resume(struct conn *c)
{
	conn_continue(c);
	conn_settle(c);
}

static void
conn_nodelay(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int on = 1;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void
conn_note_cap(void)
{
	static struct log_note said;

	log_note(&said, "too many connections (Max_Connections)");
}

void
conn_note_accept(void)
{
	static struct log_note said;

	log_note(&said, "accept: %s", strerror(errno));
}

static int
conn_refuse(int in, int out)
{
	conn_note_cap();
	stat_inc(CONN_REFUSED);
	close(in);
	if (out != in)
		close(out);
	return -1;
}

/* epoll(7) refuses regular files and /dev/null: those are always ready. */
static int
conn_is_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return 0;
	return S_ISREG(st.st_mode) ||
	    (S_ISCHR(st.st_mode) && major(st.st_rdev) == CONN_MEM_MAJOR);
}

static int
conn_events(struct conn *c)
{
	struct event_base *base = c->env->base;

	c->ev_in =
	    event_new(base, c->in_fd, EV_READ | EV_PERSIST, conn_readable, c);
	c->ev_out =
	    event_new(base, c->out_fd, EV_WRITE | EV_PERSIST, conn_writable, c);
	c->timer = evtimer_new(base, conn_timeout, c);
	if (c->ops->eof_cancels &&
	    (event_base_get_features(base) & EV_FEATURE_EARLY_CLOSE) != 0)
		c->ev_closed = event_new(base, c->in_fd, EV_CLOSED | EV_PERSIST,
		    conn_peer_closed, c);
	return c->ev_in == NULL || c->ev_out == NULL || c->timer == NULL ? -1 :
									   0;
}

int
conn_start(struct conn_env *env, enum conf_program program, int in, int out)
{
	struct conn *c;

	if (env->nconn >= env->max || (c = calloc(1, sizeof(*c))) == NULL)
		return conn_refuse(in, out);
	c->env = env;
	c->ops =
	    program == CONF_MILTER ? &milter_session_ops : &policy_session_ops;
	c->in_fd = in;
	c->out_fd = out;
	/* Only policyd-spf may fstat(2); a worker has nothing but sockets. */
	c->no_epoll = in != out && conn_is_file(in);
	TAILQ_INSERT_TAIL(&conns, c, entry);
	env->nconn++;
	stat_set(CONN_OPEN, env->nconn);
	stats->v[c->ops->opened]++;
	if (conn_events(c) == -1 ||
	    (c->session = c->ops->start(c, env)) == NULL) {
		c->why = "no memory";
		conn_free(c);
		return -1;
	}
	conn_nodelay(out);
	conn_settle(c);
	return 0;
}

void
conn_drain(struct conn_env *env)
{
	struct conn *c, *next;

	/* Read and answer first what has arrived already. */
	TAILQ_FOREACH_SAFE(c, &conns, entry, next) {
		if (c->env != env)
			continue;
		c->late = LATE_NONE;
		if (c->reading && !c->in_plain)
			conn_readable(c->in_fd, EV_READ, c);
		else
			conn_settle(c);
	}
}
