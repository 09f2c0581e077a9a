/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(); clients are checked by the kernel. */

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/parent/control.h"
#include "proto/stats.h"
#include "proto/wire.h"

#define CONTROL_MAX    16 /* clients at a time */
#define CONTROL_GROUPS 256

/* The event after which a client gets its answer. */
enum ctl_wait {
	WAITS_NOT = 0,
	WAITS_RELOAD, /* the end of a reload */
	WAITS_DNS     /* a new dns process, with an empty cache */
};

struct control_client {
	LIST_ENTRY(control_client) entry;
	struct chan *chan;
	enum ctl_wait waits;
	int full; /* its queue is full: an answer was dropped */
};

static const struct parent_ops *ctl_ops;
static const struct priv_owner *ctl_owner;
static struct event_base *ctl_base;
static LIST_HEAD(, control_client) ctls = LIST_HEAD_INITIALIZER(ctls);
static unsigned int nctls;
static struct event *ctl_event;
static struct log_note ctl_noise = { .max = 10 };

static void
ctl_free(struct control_client *c)
{
	LIST_REMOVE(c, entry);
	nctls--;
	chan_free(c->chan);
	free(c);
}

static void
ctl_send(struct control_client *c, enum msg_type type, const void *p,
    size_t len)
{
	if (chan_send(c->chan, type, 0, p, len, -1, 0) == -1)
		c->full = 1;
}

static void __attribute__((__format__(printf, 2, 3)))
ctl_text(struct control_client *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (text[0] != '\0')
		ctl_send(c, MSG_CTL_TEXT, text, strlen(text));
}

static void
ctl_end(struct control_client *c, int status)
{
	uint8_t buf[4];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, (uint32_t)status);
	c->waits = WAITS_NOT;
	ctl_send(c, MSG_CTL_END, buf, w.len);
}

static void
ctl_row(void *arg, const struct status_row *row)
{
	uint8_t buf[STATUS_ROW_MAX];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	if (status_put(&w, row) == -1)
		fatalx("%s: a value is out of bounds",
		    status_kinds[row->kind].name);
	ctl_send(arg, MSG_CTL_ROW, buf, w.len);
}

static void
command_status(struct control_client *c, const uint8_t *p, size_t len)
{
	struct parent_view v;

	ctl_ops->view(ctl_ops->arg, &v);
	control_status(&v, ctl_row, c);
	ctl_end(c, 0);
}

static void
command_stats(struct control_client *c, const uint8_t *p, size_t len)
{
	uint8_t buf[8192];
	struct stats sum;
	size_t n;

	ctl_ops->stats(ctl_ops->arg, &sum);
	if (stat_put(&sum, buf, sizeof(buf), &n) == -1)
		fatalx("counters do not fit into a message");
	ctl_send(c, MSG_CTL_COUNTS, buf, n);
	ctl_end(c, 0);
}

static void
ctl_say(int pri, const char *text, void *arg)
{
	struct control_client *c = arg;

	config_say_log(pri, text, NULL);
	ctl_text(c, "%s%s", pri == LOG_ERR ? "" : "warning: ", text);
}

/* 1 when a generation serves; else answers that none does. */
static int
ctl_may_act(struct control_client *c)
{
	enum parent_state state = ctl_ops->state(ctl_ops->arg);

	if (state == PARENT_SERVING || state == PARENT_RELOADING)
		return 1;
	ctl_text(c, "not now: starting or stopping");
	ctl_end(c, EX_TEMPFAIL);
	return 0;
}

static void
command_reload(struct control_client *c, const uint8_t *p, size_t len)
{
	if (!ctl_may_act(c))
		return;
	if (ctl_ops->reload(ctl_ops->arg, ctl_say, c) == -1) {
		ctl_text(c, "reload refused; the running configuration stays");
		ctl_end(c, EX_CONFIG);
	} else
		c->waits = WAITS_RELOAD;
}

static void
command_flush(struct control_client *c, const uint8_t *p, size_t len)
{
	if (!ctl_may_act(c))
		return;
	generation_send(ctl_ops->serving(ctl_ops->arg), MSG_FLUSH, 0);
	c->waits = WAITS_DNS;
}

static void
command_verbose(struct control_client *c, const uint8_t *p, size_t len)
{
	struct rbuf r;
	int on;

	rbuf_init(&r, p, len);
	on = rbuf_u32(&r) != 0;
	ctl_ops->verbose(ctl_ops->arg, on);
	ctl_text(c, "the log is %s now", on ? "verbose" : "brief");
	ctl_end(c, 0);
}

static const struct {
	enum msg_type type;
	void (*fn)(struct control_client *, const uint8_t *, size_t);
} ctl_commands[] = {
	{ MSG_CTL_STATUS, command_status },
	{ MSG_CTL_STATS, command_stats },
	{ MSG_CTL_RELOAD, command_reload },
	{ MSG_CTL_FLUSH, command_flush },
	{ MSG_CTL_VERBOSE, command_verbose },
};

static void
ctl_msg(struct chan *ch, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct control_client *c = arg;
	size_t i;

	/* one command at a time: the second END would end the first */
	if (c->waits != WAITS_NOT) {
		log_note(&ctl_noise,
		    "control client: asks again before it was answered");
		ctl_free(c);
		return;
	}
	for (i = 0; i < sizeof(ctl_commands) / sizeof(ctl_commands[0]); i++)
		if (ctl_commands[i].type == (enum msg_type)h->type)
			ctl_commands[i].fn(c, p, len);
	if (c->full) {
		log_note(&ctl_noise, "control client: reads no answers");
		ctl_free(c);
	}
}

static void
ctl_gone(struct chan *ch, const char *why, void *arg)
{
	if (why != NULL)
		log_note(&ctl_noise, "control client: %s", why);
	ctl_free(arg);
}

/* 1 when the peer is root, the daemon's user or in the daemon's group. */
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

/* Sends the reason and closes the connection. */
static void
ctl_refuse(int fd, int status, const char *why)
{
	struct control_client c = { .waits = WAITS_NOT };

	c.chan = chan_new(ctl_base, fd, ROLE_PARENT, ROLE_CONTROL, ctl_msg,
	    ctl_gone, &c);
	ctl_text(&c, "%s", why);
	ctl_end(&c, status);
	chan_free(c.chan);
}

static void
ctl_accept(evutil_socket_t sock, short what, void *arg)
{
	struct control_client *c;
	int fd;

	fd = accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return;
	if (!ctl_allowed(fd, ctl_owner)) {
		ctl_refuse(fd, EX_NOPERM,
		    "only root, the daemon's user and members of its group "
		    "may use this socket");
		return;
	}
	if (nctls >= CONTROL_MAX || (c = calloc(1, sizeof(*c))) == NULL) {
		ctl_refuse(fd, EX_TEMPFAIL, "too many clients at a time");
		return;
	}
	c->chan = chan_new(ctl_base, fd, ROLE_PARENT, ROLE_CONTROL, ctl_msg,
	    ctl_gone, c);
	LIST_INSERT_HEAD(&ctls, c, entry);
	nctls++;
}

void
control_start(const struct parent_ops *ops, struct event_base *base,
    const struct priv_owner *owner, int fd)
{
	ctl_ops = ops;
	ctl_base = base;
	ctl_owner = owner;
	if (fd == -1)
		return;
	ctl_event = event_new(base, fd, EV_READ | EV_PERSIST, ctl_accept, NULL);
	if (ctl_event == NULL || event_add(ctl_event, NULL) == -1)
		fatalx("control_start: no event");
}

void
control_stop(void)
{
	struct control_client *c;

	if (ctl_event != NULL)
		event_free(ctl_event);
	ctl_event = NULL;
	while ((c = LIST_FIRST(&ctls)) != NULL)
		ctl_free(c);
}

/*
 * Answers the clients that wait for this. One whose queue is full is closed
 * when it sends its next message.
 */
static void
ctl_answer(enum ctl_wait what, int status, const char *text)
{
	struct control_client *c;

	LIST_FOREACH(c, &ctls, entry) {
		if (c->waits != what)
			continue;
		ctl_text(c, "%s", text);
		ctl_end(c, status);
	}
}

void
control_reload_done(int status, const char *text)
{
	ctl_answer(WAITS_RELOAD, status, text);
}

void
control_dns_ready(void)
{
	ctl_answer(WAITS_DNS, 0, "flushed");
}
