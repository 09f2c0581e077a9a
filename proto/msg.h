/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef PROTO_MSG_H
#define PROTO_MSG_H

#include <stddef.h>
#include <stdint.h>

/*
 * The messages between our processes, in the manner of OpenBSD's imsg. Each
 * SEQPACKET record is one message: a header of four u32 in network order (type,
 * length of the whole, peer id, pid), then the payload; at most one descriptor.
 */
#define MSG_HDR_LEN 16
#define MSG_MAX	    (65536 + MSG_HDR_LEN)

enum msg_role {
	ROLE_NONE = 0,
	ROLE_PARENT,
	ROLE_DNS,
	ROLE_WORKER,
	ROLE_LIBMILTER,
	ROLE_SHADOW,
	ROLE_CONTROL, /* spfctl at the control socket */
	ROLE_MAX
};
#define ROLE_BIT(r) (1U << (r))

/* name, senders, receivers, smallest and largest payload, descriptor, phase */
#define MSG_TABLE(X)                                   \
	X(CONFIG, P, DWLS, 4, 4, FD_ONE, START)        \
	X(LISTENER, P, WL, 4, 4, FD_ONE, START)        \
	X(PEER, P, DWLS, 8, 8, FD_ONE, ANY)            \
	X(GO, P, DWLS, 0, 0, FD_NONE, START)           \
	X(STATS, P, DWLS, 0, 0, FD_ONE, START)         \
	X(DRAIN, P, WL, 0, 0, FD_NONE, RUN)            \
	X(VERBOSE, P, DWLS, 4, 4, FD_NONE, RUN)        \
	X(FLUSH, P, D, 0, 0, FD_NONE, RUN)             \
	X(PING, P, DWLS, 0, 0, FD_NONE, RUN)           \
	X(READY, DWLS, P, 0, 0, FD_NONE, START)        \
	X(DRAINED, WL, P, 0, 0, FD_NONE, RUN)          \
	X(PONG, DWLS, P, 0, 0, FD_NONE, RUN)           \
	X(BADPEER, D, P, 4, 4, FD_NONE, RUN)           \
	X(LOG, DWLS, P, 5, 8192, FD_NONE, ANY)         \
	X(QUERY, WLS, D, 5, 257, FD_NONE, RUN)         \
	X(ANSWER, D, WLS, 15, 65000, FD_NONE, RUN)     \
	X(SHADOW_COPY, WLC, S, 13, 2072, FD_NONE, RUN) \
	X(SHADOW_RESULT, S, C, 6, 518, FD_NONE, RUN)   \
	X(CTL_STATUS, C, P, 0, 0, FD_NONE, RUN)        \
	X(CTL_STATS, C, P, 0, 0, FD_NONE, RUN)         \
	X(CTL_RELOAD, C, P, 0, 0, FD_NONE, RUN)        \
	X(CTL_FLUSH, C, P, 0, 0, FD_NONE, RUN)         \
	X(CTL_VERBOSE, C, P, 4, 4, FD_NONE, RUN)       \
	X(CTL_TEXT, P, C, 1, 8192, FD_NONE, RUN)       \
	X(CTL_ROW, P, C, 5, 16384, FD_NONE, RUN)       \
	X(CTL_COUNTS, P, C, 8, 8192, FD_NONE, RUN)     \
	X(CTL_END, P, C, 4, 4, FD_NONE, RUN)

enum msg_type {
	MSG_NONE = 0,
#define X(n, s, r, lo, hi, fd, ph) MSG_##n,
	MSG_TABLE(X)
#undef X
	MSG_TYPE_MAX
};

enum msg_fd {
	FD_NONE = 0,
	FD_ONE
};
enum msg_phase {
	PHASE_START = 1,
	PHASE_RUN = 2,
	PHASE_ANY = 3
};

struct msg_rule {
	const char *name;
	unsigned int senders, receivers; /* ROLE_BIT()s */
	uint32_t min, max;
	enum msg_fd fd;
	enum msg_phase phase;
};

extern const struct msg_rule msg_rules[MSG_TYPE_MAX];
extern const char *const msg_role_name[ROLE_MAX];

struct msg_hdr {
	uint32_t type;
	uint32_t len;
	uint32_t peerid;
	uint32_t pid;
};

void msg_put_hdr(uint8_t *, const struct msg_hdr *);
/*
 * Decodes a record and checks it against the table: known type, len equal
 * to the record's, payload within bounds, from may send it, to may receive
 * it, a descriptor (has_fd 1) exactly when the rule has one, phase. 0, or -1
 * with *why set to a constant text.
 */
int msg_check(const uint8_t *, size_t, enum msg_role from, enum msg_role to,
    int has_fd, enum msg_phase, struct msg_hdr *, const char **why);

#endif
