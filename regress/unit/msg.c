/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* The message table, and channels that meet messages which break it. */

#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "proto/wire.h"
#include "regress/unit/check.h"

struct seen {
	int msgs;
	int gone;
	char why[64];
	int fd;
};

static struct event_base *base;

static void
on_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct seen *s = arg;

	s->msgs++;
	if (fd != -1) {
		s->fd = fd;
	}
}

static void
on_gone(struct chan *c, const char *why, void *arg)
{
	struct seen *s = arg;

	s->gone++;
	strlcpy(s->why, why == NULL ? "eof" : why, sizeof(s->why));
}

static void
quiet(int pri, const char *text, void *arg)
{
}

/* One role of a set; 0 when it is empty. */
static enum msg_role
role_of(unsigned int bits)
{
	unsigned int r;

	for (r = 1; r < ROLE_MAX; r++)
		if (bits & ROLE_BIT(r))
			return r;
	return ROLE_NONE;
}

static int
try(uint32_t type, size_t payload, uint32_t claimed, enum msg_role from,
    enum msg_role to, int fd, enum msg_phase phase)
{
	static uint8_t buf[MSG_MAX + 64];
	struct msg_hdr h = { type, claimed, 1, 2 };
	const char *why = NULL;

	msg_put_hdr(buf, &h);
	return msg_check(buf, MSG_HDR_LEN + payload, from, to, fd, phase, &h,
	    &why);
}

/* Every row: what it allows passes, and each way of breaking it does not. */
static void
test_table(void)
{
	const struct msg_rule *r;
	enum msg_role from, to, bad_from, bad_to;
	enum msg_phase ph;
	char name[64];
	uint32_t t, len;
	int fd;

	for (t = MSG_NONE + 1; t < MSG_TYPE_MAX; t++) {
		r = &msg_rules[t];
		from = role_of(r->senders);
		to = role_of(r->receivers);
		bad_from = role_of(~r->senders);
		bad_to = role_of(~r->receivers);
		ph = r->phase & PHASE_RUN ? PHASE_RUN : PHASE_START;
		fd = r->fd == FD_ONE;
		len = MSG_HDR_LEN + r->min;

#define T(what, want, ...)                                                     \
	do {                                                                   \
		snprintf(name, sizeof(name), "msg/%s-%s", r->name, what);      \
		check(name, (try(__VA_ARGS__) == 0) == (want), "accepted: %d", \
		    !(want));                                                  \
	} while (0)
		T("smallest", 1, t, r->min, len, from, to, fd, ph);
		T("largest", 1, t, r->max, MSG_HDR_LEN + r->max, from, to, fd,
		    ph);
		T("wrong-length", 0, t, r->min, len + 1, from, to, fd, ph);
		T("too-long", 0, t, r->max + 1, len + r->max - r->min + 1, from,
		    to, fd, ph);
		if (r->min > 0)
			T("too-short", 0, t, r->min - 1, len - 1, from, to, fd,
			    ph);
		T("wrong-sender", 0, t, r->min, len, bad_from, to, fd, ph);
		T("wrong-receiver", 0, t, r->min, len, from, bad_to, fd, ph);
		T("wrong-descriptor", 0, t, r->min, len, from, to, !fd, ph);
		if (r->phase != PHASE_ANY)
			T("wrong-phase", 0, t, r->min, len, from, to, fd,
			    r->phase == PHASE_RUN ? PHASE_START : PHASE_RUN);
#undef T
	}
	check_int("msg/type-none",
	    try(MSG_NONE, 0, MSG_HDR_LEN, ROLE_PARENT, ROLE_DNS, 0, PHASE_RUN),
	    -1);
	check_int("msg/type-unknown",
	    try(MSG_TYPE_MAX, 0, MSG_HDR_LEN, ROLE_PARENT, ROLE_DNS, 0,
		PHASE_RUN),
	    -1);
	check_int("msg/type-huge",
	    try(0xffffffff, 0, MSG_HDR_LEN, ROLE_PARENT, ROLE_DNS, 0,
		PHASE_RUN),
	    -1);
}

/* Sends raw octets with n descriptors to a parent's end. */
static void
raw(const void *data, size_t len, int nfds, struct seen *s)
{
	union {
		struct cmsghdr hdr;
		uint8_t buf[CMSG_SPACE(sizeof(int) * 8)];
	} cm;
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[8], sv[2], i;
	struct chan *c;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	if (chan_pair(sv) == -1)
		abort();
	c = chan_new(base, sv[0], ROLE_PARENT, ROLE_WORKER, on_msg, on_gone, s);
	if (nfds > 0) {
		memset(&cm, 0, sizeof(cm));
		for (i = 0; i < nfds; i++)
			fds[i] = open("/dev/null", O_RDONLY);
		cm.hdr.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		cm.hdr.cmsg_level = SOL_SOCKET;
		cm.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&cm.hdr), fds, sizeof(int) * nfds);
		mh.msg_control = cm.buf;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	if (sendmsg(sv[1], &mh, 0) == -1)
		abort();
	for (i = 0; i < nfds; i++)
		close(fds[i]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	chan_free(c);
	close(sv[1]);
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

static void
test_chan(void)
{
	static uint8_t buf[MSG_MAX + 4096];
	struct msg_hdr h = { MSG_LOG, MSG_HDR_LEN + 5, 0, 0 };
	struct seen s;
	int before = open_fds();

	msg_put_hdr(buf, &h);
	memcpy(buf + MSG_HDR_LEN, "\0\0\0\6x", 5);
	raw(buf, MSG_HDR_LEN + 5, 0, &s);
	check("chan/good", s.msgs == 1 && s.gone == 0, "%s", s.why);
	raw(buf, 3, 0, &s);
	check("chan/short-header", s.msgs == 0 && s.gone == 1);
	raw(buf, sizeof(buf), 0, &s);
	check("chan/record-too-long",
	    s.msgs == 0 && s.gone == 1 && strstr(s.why, "truncated") != NULL,
	    "%s", s.why);
	raw(buf, MSG_HDR_LEN + 5, 1, &s);
	check("chan/descriptor-not-due", s.msgs == 0 && s.gone == 1, "%s",
	    s.why);
	raw(buf, MSG_HDR_LEN + 5, 3, &s);
	check("chan/three-descriptors", s.msgs == 0 && s.gone == 1, "%s",
	    s.why);
	raw(buf, MSG_HDR_LEN + 5, 8, &s);
	check("chan/descriptors-truncated", s.msgs == 0 && s.gone == 1, "%s",
	    s.why);
	h.type = MSG_CONFIG;
	msg_put_hdr(buf, &h);
	raw(buf, MSG_HDR_LEN + 5, 1, &s);
	check("chan/child-sends-parents-message", s.msgs == 0 && s.gone == 1);
	check_int("chan/no-descriptor-leaks", open_fds(), before);
}

/* What chan_send() accepts arrives; a full queue says so and loses nothing. */
static void
test_flow(void)
{
	static uint8_t big[60000];
	struct seen s, o;
	struct chan *a, *b;
	int sv[2], fd, n, sent = 0;

	memset(&s, 0, sizeof(s));
	memset(&o, 0, sizeof(o));
	if (chan_pair(sv) == -1)
		abort();
	a = chan_new(base, sv[0], ROLE_DNS, ROLE_WORKER, on_msg, on_gone, &o);
	b = chan_new(base, sv[1], ROLE_WORKER, ROLE_DNS, on_msg, on_gone, &s);
	while (chan_send(a, MSG_ANSWER, 1, big, sizeof(big), -1, 0) == 0 &&
	    sent < 10000)
		sent++;
	check("chan/queue-is-bounded",
	    sent < 1000 && chan_backlog(a) <= 9 * 1024 * 1024, "%d", sent);
	for (n = 0; n < 1000 && s.msgs < sent; n++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	check_int("chan/all-arrive", s.msgs, sent);
	check("chan/type-not-allowed-is-not-sent",
	    chan_send(a, MSG_READY, 0, NULL, 0, -1, 0) == -1 &&
		chan_send(a, MSG_QUERY, 0, big, 10, -1, 0) == -1);
	chan_free(a);
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_int("chan/eof-is-told", s.gone, 1);
	chan_free(b);

	memset(&s, 0, sizeof(s));
	s.fd = -1;
	if (chan_pair(sv) == -1)
		abort();
	a = chan_new(base, sv[0], ROLE_PARENT, ROLE_DNS, on_msg, on_gone, &o);
	b = chan_new(base, sv[1], ROLE_DNS, ROLE_PARENT, on_msg, on_gone, &s);
	fd = open("/dev/null", O_RDONLY);
	chan_send(a, MSG_PEER, 0, big, 8, fd, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	check("chan/descriptor-arrives",
	    s.msgs == 1 && s.fd != -1 && (fcntl(s.fd, F_GETFD) & FD_CLOEXEC),
	    "fd %d", s.fd);
	check("chan/descriptor-is-given-away",
	    fcntl(fd, F_GETFD) == -1 || fd == s.fd);
	chan_free(a);
	chan_free(b);
}

int
main(void)
{
	log_init_callback(quiet, NULL);
	base = event_base_new();
	test_table();
	test_chan();
	test_flow();
	return check_exit();
}
