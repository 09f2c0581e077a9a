/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; needs sendmsg and recvmsg only. */

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "proto/wire.h"

#define CHAN_QUEUE_MAX (8 * 1024 * 1024) /* octets not yet sent */
#define CHAN_BATCH     64 /* messages read before other events get a turn */
#define CHAN_AGAIN_MS  50

struct chan_out {
	TAILQ_ENTRY(chan_out) entry;
	int fd;
	int close_fd;
	size_t len;
	uint8_t data[];
};

struct chan {
	int fd;
	enum msg_role self, peer;
	enum msg_phase phase;
	struct event *ev_in, *ev_out, *ev_again;
	TAILQ_HEAD(, chan_out) out;
	size_t queued;
	int want_drained;
	chan_msg_fn on_msg;
	chan_gone_fn on_gone;
	void (*on_drained)(struct chan *, void *);
	void *arg;
	int *freed; /* set to 1 when a callback frees the chan */
};

static void chan_read(evutil_socket_t, short, void *);
static void chan_write(evutil_socket_t, short, void *);

/* One buffer for all: a process decodes one record at a time. */
static uint8_t chan_buf[MSG_MAX];

int
chan_pair(int sv[2])
{
	int i, size = 1024 * 1024;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, sv) == -1)
		return -1;
	/* the kernel may allow less: chan_send() queues the rest */
	for (i = 0; i < 2; i++)
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
	return 0;
}

struct chan *
chan_new(struct event_base *base, int fd, enum msg_role self,
    enum msg_role peer, chan_msg_fn on_msg, chan_gone_fn on_gone, void *arg)
{
	struct chan *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("chan_new");
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->phase = PHASE_ANY;
	c->on_msg = on_msg;
	c->on_gone = on_gone;
	c->arg = arg;
	TAILQ_INIT(&c->out);
	c->ev_in = event_new(base, fd, EV_READ | EV_PERSIST, chan_read, c);
	c->ev_out = event_new(base, fd, EV_WRITE | EV_PERSIST, chan_write, c);
	c->ev_again = evtimer_new(base, chan_write, c);
	if (c->ev_in == NULL || c->ev_out == NULL || c->ev_again == NULL ||
	    event_add(c->ev_in, NULL) == -1)
		fatalx("chan_new: no event");
	return c;
}

static void
chan_out_free(struct chan *c, struct chan_out *o)
{
	TAILQ_REMOVE(&c->out, o, entry);
	c->queued -= o->len;
	if (o->close_fd && o->fd != -1)
		close(o->fd);
	free(o);
}

void
chan_free(struct chan *c)
{
	struct chan_out *o;

	if (c == NULL)
		return;
	while ((o = TAILQ_FIRST(&c->out)) != NULL)
		chan_out_free(c, o);
	event_free(c->ev_in);
	event_free(c->ev_out);
	event_free(c->ev_again);
	close(c->fd);
	if (c->freed != NULL)
		*c->freed = 1;
	free(c);
}

void
chan_phase(struct chan *c, enum msg_phase phase)
{
	c->phase = phase;
}

size_t
chan_backlog(const struct chan *c)
{
	return c->queued;
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

void
chan_pause(struct chan *c, int pause)
{
	if (pause) {
		event_del(c->ev_in);
		c->want_drained = 1;
	} else if (event_add(c->ev_in, NULL) == -1)
		fatalx("chan_pause: no event");
}

void
chan_on_empty(struct chan *c, void (*fn)(struct chan *, void *))
{
	c->on_drained = fn;
}

/* Sends one record; -1 with errno as sendmsg(2). */
static int
chan_sendmsg(int sock, uint8_t *data, size_t len, int fd)
{
	union {
		struct cmsghdr hdr;
		uint8_t buf[CMSG_SPACE(sizeof(int))];
	} cm;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd != -1) {
		memset(&cm, 0, sizeof(cm));
		cm.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		cm.hdr.cmsg_level = SOL_SOCKET;
		cm.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cm.hdr), &fd, sizeof(fd));
		mh.msg_control = cm.buf;
		mh.msg_controllen = sizeof(cm.buf);
	}
	return sendmsg(sock, &mh, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* 0: all sent, or the rest must wait. -1: the peer is gone. */
static int
chan_flush(struct chan *c)
{
	static const struct timeval again = { 0, CHAN_AGAIN_MS * 1000 };
	struct chan_out *o;

	while ((o = TAILQ_FIRST(&c->out)) != NULL) {
		if (chan_sendmsg(c->fd, o->data, o->len, o->fd) == -1) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN || errno == ENOBUFS) {
				event_add(c->ev_out, NULL);
				return 0;
			}
			/* too many descriptors of the user on their way */
			if (errno == ETOOMANYREFS) {
				event_del(c->ev_out);
				evtimer_add(c->ev_again, &again);
				return 0;
			}
			return -1;
		}
		chan_out_free(c, o);
	}
	event_del(c->ev_out);
	return 0;
}

static void
chan_write(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;
	struct chan_out *o;

	if (chan_flush(c) == -1) {
		/* drop the queue; reading reports EOF */
		while ((o = TAILQ_FIRST(&c->out)) != NULL)
			chan_out_free(c, o);
		event_del(c->ev_out);
		/* even if the channel is paused */
		if (event_add(c->ev_in, NULL) == -1)
			fatalx("chan_write: no event");
		return;
	}
	if (TAILQ_EMPTY(&c->out) && c->want_drained && c->on_drained != NULL) {
		c->want_drained = 0;
		c->on_drained(c, c->arg);
	}
}

int
chan_send(struct chan *c, enum msg_type type, uint32_t peerid,
    const void *payload, size_t len, int fd, int close_fd)
{
	struct msg_hdr h = { type, (uint32_t)(MSG_HDR_LEN + len), peerid,
		(uint32_t)getpid() };
	struct chan_out *o = NULL;
	const char *why;

	if (len > MSG_MAX - MSG_HDR_LEN || c->queued + len > CHAN_QUEUE_MAX) {
		c->want_drained = 1;
		goto fail;
	}
	if ((o = malloc(sizeof(*o) + MSG_HDR_LEN + len)) == NULL)
		goto fail;
	msg_put_hdr(o->data, &h);
	if (len != 0)
		memcpy(o->data + MSG_HDR_LEN, payload, len);
	o->len = MSG_HDR_LEN + len;
	o->fd = fd;
	o->close_fd = close_fd;
	if (msg_check(o->data, o->len, c->self, c->peer, fd != -1, PHASE_ANY,
		&h, &why) == -1) {
		log_warnx("message %u to %s not sent: %s", type,
		    msg_role_name[c->peer], why);
		goto fail;
	}
	/* The common case costs one system call and no event. */
	if (TAILQ_EMPTY(&c->out) &&
	    chan_sendmsg(c->fd, o->data, o->len, fd) == 0) {
		if (close_fd && fd != -1)
			close(fd);
		free(o);
		return 0;
	}
	TAILQ_INSERT_TAIL(&c->out, o, entry);
	c->queued += o->len;
	if (event_add(c->ev_out, NULL) == -1)
		fatalx("chan_send: no event");
	return 0;
fail:
	if (close_fd && fd != -1)
		close(fd);
	free(o);
	return -1;
}

int
chan_send_u32(struct chan *c, enum msg_type type, uint32_t v, int fd)
{
	uint8_t buf[4];
	struct wbuf w;

	if (fd != -1 && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, v);
	return chan_send(c, type, 0, buf, w.len, fd, 1);
}

/*
 * Reads one record into chan_buf. Returns its length; 0 at EOF; -1 when there
 * is none yet; -2 when it is broken, with the reason in *why. *fdp is the
 * descriptor that came with it, or -1.
 */
static ssize_t
chan_recvmsg(struct chan *c, int *fdp, const char **why)
{
	union {
		struct cmsghdr hdr;
		uint8_t buf[CMSG_SPACE(sizeof(int) * 4)];
	} cm;
	struct iovec iov = { .iov_base = chan_buf,
		.iov_len = sizeof(chan_buf) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = cm.buf,
		.msg_controllen = sizeof(cm.buf) };
	struct cmsghdr *cmsg;
	ssize_t n;
	size_t i, count;
	int fd;

	*fdp = -1;
	*why = NULL;
	n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* reported once; the peer's last messages can still be read */
	if (n == -1 && errno == ECONNRESET)
		n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	cmsg = CMSG_FIRSTHDR(&mh);
	for (; cmsg != NULL; cmsg = CMSG_NXTHDR(&mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(fd));
			if (*fdp == -1)
				*fdp = fd;
			else {
				close(fd);
				*why = "more than one descriptor";
			}
		}
	}
	if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		*why = "record truncated";
	return *why != NULL ? -2 : n;
}

static void
chan_read(evutil_socket_t sock, short what, void *arg)
{
	struct chan *c = arg;
	struct msg_hdr h;
	const char *why = NULL;
	ssize_t n;
	int fd, freed = 0, i;

	for (i = 0; i < CHAN_BATCH; i++) {
		n = chan_recvmsg(c, &fd, &why);
		if (n == -1)
			return;
		if (n <= 0 ||
		    msg_check(chan_buf, (size_t)n, c->peer, c->self, fd != -1,
			c->phase, &h, &why) == -1) {
			if (fd != -1)
				close(fd);
			event_del(c->ev_in);
			c->on_gone(c, n == 0 ? NULL : why, c->arg);
			return;
		}
		c->freed = &freed;
		c->on_msg(c, &h, chan_buf + MSG_HDR_LEN, n - MSG_HDR_LEN, fd,
		    c->arg);
		if (freed)
			return;
		c->freed = NULL;
		if (!event_pending(c->ev_in, EV_READ, NULL))
			return; /* paused */
	}
}

void
chan_read_rest(struct chan *c)
{
	chan_read(c->fd, EV_READ, c);
}
