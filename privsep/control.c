/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop; hears only whom the kernel vouches for. */

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "../proto/stats.h"
#include "../proto/wire.h"
#include "control.h"
#include "log.h"

#define CONTROL_MAX	16	/* clients at a time */
#define CONTROL_GROUPS	256

struct ctl {
	LIST_ENTRY(ctl)	 entry;
	struct parent	*parent;
	struct chan	*chan;
	int		 waits;		/* for the end of a reload */
};

static LIST_HEAD(, ctl) ctls = LIST_HEAD_INITIALIZER(ctls);
static unsigned int nctls;
static struct event *ctl_event;

static void
ctl_free(struct ctl *c)
{
	LIST_REMOVE(c, entry);
	nctls--;
	chan_free(c->chan);
	free(c);
}

static void __attribute__((__format__(printf, 2, 3)))
ctl_text(struct ctl *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)chan_send(c->chan, MSG_CTL_TEXT, 0, text, strlen(text), -1, 0);
}

static void
ctl_end(struct ctl *c, int status)
{
	uint8_t buf[4];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, (uint32_t)status);
	(void)chan_send(c->chan, MSG_CTL_END, 0, buf, w.len, -1, 0);
}

/* Lines "word value ...", in the order in which a reader wants them. */
static void
ctl_status(struct ctl *c, const uint8_t *p, size_t len)
{
	struct parent *pa = c->parent;
	struct generation *g;
	struct slot *s;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ctl_text(c, "parent %d uptime %lld", (int)getpid(),
	    (long long)(ts.tv_sec - pa->since));
	ctl_text(c, "config %s", pa->path);
	ctl_text(c, "sandbox %s", pa->sandbox);
	TAILQ_FOREACH(g, &pa->all, entry) {
		ctl_text(c, "generation %u %s", g->number, g->draining ?
		    "draining" : g == pa->cur ? "serving" : "starting");
		TAILQ_FOREACH(s, &g->slots, entry)
			ctl_text(c, "process %s %d generation %u %s restarts "
			    "%u uptime %lld", msg_role_name[s->role],
			    (int)s->pid, g->number, s->pid == -1 ? "down" :
			    s->ready ? "ready" : "starting", s->restarts,
			    s->pid == -1 ? 0LL :
			    (long long)(ts.tv_sec - s->started));
	}
	ctl_end(c, 0);
}

static void
ctl_stats(struct ctl *c, const uint8_t *p, size_t len)
{
	uint8_t buf[8192];
	struct stats sum;
	size_t n;

	parent_stats(c->parent, &sum);
	if (stat_put(&sum, buf, sizeof(buf), &n) == -1)
		fatalx("counters do not fit a message");
	(void)chan_send(c->chan, MSG_CTL_COUNTS, 0, buf, n, -1, 0);
	ctl_end(c, 0);
}

static void
ctl_say(int pri, const char *text, void *arg)
{
	struct ctl *c = arg;

	config_say_log(pri, text, NULL);
	ctl_text(c, "%s%s", pri == LOG_ERR ? "" : "warning: ", text);
}

static void
ctl_reload(struct ctl *c, const uint8_t *p, size_t len)
{
	if (parent_reload(c->parent, ctl_say, c) == -1)
		ctl_end(c, EX_CONFIG);
	else
		c->waits = 1;
}

static void
ctl_flush(struct ctl *c, const uint8_t *p, size_t len)
{
	if (c->parent->cur != NULL)
		gen_tell(c->parent->cur, ROLE_DNS, MSG_FLUSH, 0);
	ctl_end(c, 0);
}

static void
ctl_verbose(struct ctl *c, const uint8_t *p, size_t len)
{
	struct rbuf r;

	rbuf_init(&r, p, len);
	parent_verbose(c->parent, rbuf_u32(&r) != 0);
	ctl_end(c, 0);
}

static const struct {
	enum msg_type	 type;
	void		(*fn)(struct ctl *, const uint8_t *, size_t);
} ctl_commands[] = {
	{ MSG_CTL_STATUS, ctl_status },
	{ MSG_CTL_STATS, ctl_stats },
	{ MSG_CTL_RELOAD, ctl_reload },
	{ MSG_CTL_FLUSH, ctl_flush },
	{ MSG_CTL_VERBOSE, ctl_verbose },
};

static void
ctl_msg(struct chan *ch, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	size_t i;

	for (i = 0; i < sizeof(ctl_commands) / sizeof(ctl_commands[0]); i++)
		if (ctl_commands[i].type == (enum msg_type)h->type)
			ctl_commands[i].fn(arg, p, len);
}

static void
ctl_gone(struct chan *ch, const char *why, void *arg)
{
	if (why != NULL)
		log_warnx("control client: %s", why);
	ctl_free(arg);
}

/* 1 when the kernel says it is root, our user or in our group. */
static int
ctl_allowed(int fd, const struct priv_owner *o)
{
	struct ucred cred;
	gid_t groups[CONTROL_GROUPS];
	socklen_t len = sizeof(cred);
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return 0;
	if (cred.uid == 0 || cred.uid == o->uid || cred.gid == o->gid)
		return 1;
	len = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return 0;
	for (i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == o->gid)
			return 1;
	return 0;
}

static void
ctl_accept(evutil_socket_t sock, short what, void *arg)
{
	struct parent *p = arg;
	struct ctl *c;
	int fd;

	fd = accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return;
	if (nctls >= CONTROL_MAX || !ctl_allowed(fd, &p->owner) ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return;
	}
	c->parent = p;
	c->chan = chan_new(p->base, fd, ROLE_PARENT, ROLE_CONTROL, ctl_msg,
	    ctl_gone, c);
	LIST_INSERT_HEAD(&ctls, c, entry);
	nctls++;
}

void
control_start(struct parent *p, int fd)
{
	if (fd == -1)
		return;
	ctl_event = event_new(p->base, fd, EV_READ | EV_PERSIST, ctl_accept,
	    p);
	if (ctl_event == NULL || event_add(ctl_event, NULL) == -1)
		fatalx("control_start: no event");
}

void
control_stop(struct parent *p)
{
	struct ctl *c;

	if (ctl_event != NULL)
		event_free(ctl_event);
	ctl_event = NULL;
	while ((c = LIST_FIRST(&ctls)) != NULL)
		ctl_free(c);
}

void
control_reload_done(struct parent *p, int status, const char *text)
{
	struct ctl *c;

	LIST_FOREACH(c, &ctls, entry) {
		if (!c->waits)
			continue;
		c->waits = 0;
		ctl_text(c, "%s", text);
		ctl_end(c, status);
	}
}
