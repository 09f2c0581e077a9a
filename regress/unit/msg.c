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
	if (fd != -1)
		s->fd = fd;
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

/* A message that a rule allows, and one that differs in one thing. */
struct message {
	uint32_t type, payload, claimed; /* octets: sent, and in the header */
	enum msg_role from, to;
	int fd;
	enum msg_phase phase;
};

/* 1 when the message is accepted. */
static int
accepted(struct message m)
{
	static uint8_t buf[MSG_MAX + 64];
	struct msg_hdr h = { m.type, m.claimed, 1, 2 };
	const char *why = NULL;

	msg_put_hdr(buf, &h);
	return msg_check(buf, MSG_HDR_LEN + m.payload, m.from, m.to, m.fd,
		   m.phase, &h, &why) == 0;
}

/* Every row: what it allows passes, and each way of breaking it does not. */
static void
test_rule(uint32_t type)
{
	const struct msg_rule *r = &msg_rules[type];
	struct message m = { type, r->min, MSG_HDR_LEN + r->min,
		role_of(r->senders), role_of(r->receivers), r->fd == FD_ONE,
		r->phase & PHASE_RUN ? PHASE_RUN : PHASE_START },
		       x;

#define T(what, want, change)                                                  \
	do {                                                                   \
		x = m;                                                         \
		change;                                                        \
		check_int(check_name("msg/%s-%s", r->name, what), accepted(x), \
		    want);                                                     \
	} while (0)
	T("smallest", 1, );
	T("largest", 1, x.claimed += (x.payload = r->max) - r->min);
	T("wrong-length", 0, x.claimed++);
	T("too-long", 0, x.claimed += (x.payload = r->max + 1) - r->min);
	if (r->min > 0)
		T("too-short", 0, x.claimed--; x.payload--);
	T("wrong-sender", 0, x.from = role_of(~r->senders));
	T("wrong-receiver", 0, x.to = role_of(~r->receivers));
	T("wrong-descriptor", 0, x.fd = !x.fd);
	if (r->phase != PHASE_ANY)
		T("wrong-phase", 0,
		    x.phase = r->phase == PHASE_RUN ? PHASE_START : PHASE_RUN);
#undef T
}

static void
test_table(void)
{
	struct message m = { 0, 0, MSG_HDR_LEN, ROLE_PARENT, ROLE_DNS, 0,
		PHASE_RUN };
	uint32_t t;

	for (t = MSG_NONE + 1; t < MSG_TYPE_MAX; t++)
		test_rule(t);
	m.type = MSG_NONE;
	check_int("msg/type-none", accepted(m), 0);
	m.type = MSG_TYPE_MAX;
	check_int("msg/type-unknown", accepted(m), 0);
	m.type = 0xffffffff;
	check_int("msg/type-huge", accepted(m), 0);
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

/* What a raw message comes to: messages, ends, and why. */
static void
raw_is(const char *name, const void *data, size_t len, int nfds, int msgs,
    const char *why)
{
	struct seen s;

	raw(data, len, nfds, &s);
	check(check_name("chan/%s", name), s.msgs == msgs && s.gone == !msgs,
	    "%d messages, %d ends: %s", s.msgs, s.gone, s.why);
	if (why != NULL)
		check_has(check_name("chan/%s-why", name), s.why, why);
}

static void
test_chan(void)
{
	static uint8_t buf[MSG_MAX + 4096];
	struct msg_hdr h = { MSG_LOG, MSG_HDR_LEN + 5, 0, 0 };
	int before = open_fds();

	msg_put_hdr(buf, &h);
	memcpy(buf + MSG_HDR_LEN, "\0\0\0\6x", 5);
	raw_is("good", buf, MSG_HDR_LEN + 5, 0, 1, NULL);
	raw_is("short-header", buf, 3, 0, 0, NULL);
	raw_is("record-too-long", buf, sizeof(buf), 0, 0, "truncated");
	raw_is("descriptor-not-due", buf, MSG_HDR_LEN + 5, 1, 0, NULL);
	raw_is("three-descriptors", buf, MSG_HDR_LEN + 5, 3, 0, NULL);
	raw_is("descriptors-truncated", buf, MSG_HDR_LEN + 5, 8, 0, NULL);
	h.type = MSG_CONFIG;
	msg_put_hdr(buf, &h);
	raw_is("child-sends-parents-message", buf, MSG_HDR_LEN + 5, 1, 0, NULL);
	check_int("chan/no-descriptor-leaks", open_fds(), before);
}

static struct chan *ends[2];
static struct seen here, there; /* what they received */

static void
connect_ends(enum msg_role a, enum msg_role b)
{
	int sv[2];

	memset(&here, 0, sizeof(here));
	memset(&there, 0, sizeof(there));
	there.fd = -1;
	if (chan_pair(sv) == -1)
		abort();
	ends[0] = chan_new(base, sv[0], a, b, on_msg, on_gone, &here);
	ends[1] = chan_new(base, sv[1], b, a, on_msg, on_gone, &there);
}

/* What chan_send() accepts arrives; a full queue says so and loses nothing. */
static void
test_flow(void)
{
	static uint8_t big[60000];
	int n, sent = 0;

	connect_ends(ROLE_DNS, ROLE_WORKER);
	while (sent < 10000 &&
	    chan_send(ends[0], MSG_ANSWER, 1, big, sizeof(big), -1, 0) == 0)
		sent++;
	check("chan/queue-is-bounded",
	    sent < 1000 && chan_backlog(ends[0]) <= 9 * 1024 * 1024, "%d",
	    sent);
	for (n = 0; n < 1000 && there.msgs < sent; n++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	check_int("chan/all-arrive", there.msgs, sent);
	check_int("chan/type-not-allowed-is-not-sent",
	    chan_send(ends[0], MSG_READY, 0, NULL, 0, -1, 0), -1);
	check_int("chan/type-of-the-other-side-is-not-sent",
	    chan_send(ends[0], MSG_QUERY, 0, big, 10, -1, 0), -1);
	chan_free(ends[0]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_int("chan/eof-is-told", there.gone, 1);
	chan_free(ends[1]);
}

static void
test_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY);

	connect_ends(ROLE_PARENT, ROLE_DNS);
	chan_send(ends[0], MSG_PEER, 0, "\0\0\0\0\0\0\0", 8, fd, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	check("chan/descriptor-arrives", there.msgs == 1 && there.fd != -1);
	check("chan/descriptor-is-cloexec",
	    (fcntl(there.fd, F_GETFD) & FD_CLOEXEC) != 0);
	check("chan/descriptor-is-given-away",
	    fcntl(fd, F_GETFD) == -1 || fd == there.fd);
	chan_free(ends[0]);
	chan_free(ends[1]);
}

int
main(void)
{
	log_init_callback(quiet, NULL);
	base = event_base_new();
	test_table();
	test_chan();
	test_flow();
	test_descriptor();
	return check_exit();
}
