/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, worker, libmilter, shadow. */

#ifndef PRIVSEP_CHILD_ROLE_H
#define PRIVSEP_CHILD_ROLE_H

#include <stdint.h>

#include "conf/conf.h"
#include "privsep/base/chan.h"

/* The channel to the parent is this descriptor at exec. */
#define ROLE_PARENT_FD 3

struct role;

/*
 * Callbacks of a role. The first three get a channel to another child, which
 * the parent sends as PEER (role_link_to() says what it is for), and own the
 * descriptor. A channel may arrive at any time; if its peer was restarted, it
 * replaces the earlier one.
 */
struct role_ops {
	void (*dns)(struct role *, int fd);    /* to dns */
	void (*copies)(struct role *, int fd); /* to the shadow */
	/* from a process that asks or sends copies; its id and role */
	void (*client)(struct role *, uint32_t, enum msg_role, int fd);
	/* DRAIN, FLUSH, VERBOSE (u32; the log has changed). May be NULL. */
	void (*control)(struct role *, enum msg_type, const uint8_t *, size_t);
};

/* What each confined role has. */
struct role {
	enum msg_role who;
	struct event_base *base;
	struct chan *parent;
	struct conf *conf; /* from the parent; owned */
	int milter_fd;	   /* listener, or -1 */
	int policy_fd;	   /* listener, or -1 */
	const struct role_ops *ops;
	void *arg; /* for ops */
};

/*
 * First call of a role's main: calls sandbox_early(), refuses root (exit 1),
 * makes the event base, logs to the parent, then handles the parent's
 * messages until GO, which may call ops. When the parent closes the channel,
 * now or later, the process exits with 0.
 */
void role_start(struct role *, enum msg_role, const struct role_ops *,
    void *arg);
/* After sandbox_enter(): sends READY and accepts messages of phase RUN. */
void role_ready(struct role *);
/* Sends DRAINED; the parent ends the process by closing its channel. */
void role_drained(struct role *);

/* The mains of the roles; each returns the exit status. */
int dns_main(void);
int worker_main(void);
int libmilter_main(void);
int shadow_main(void);

#endif
