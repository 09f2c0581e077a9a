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
 * What a role does with the channels to other children that the parent
 * sends (PEER), by what they are for (role_link_to()), and with the parent's
 * orders. The callee owns the descriptor. A channel may come at any time,
 * and another one for the same purpose when the peer was restarted.
 */
struct role_ops {
	void (*dns)(struct role *, int fd);    /* the way to dns */
	void (*copies)(struct role *, int fd); /* the way to the shadow */
	/* a process that asks us, or sends copies: its id, role, channel */
	void (*client)(struct role *, uint32_t, enum msg_role, int fd);
	/*
	 * DRAIN, VERBOSE (u32; the log follows it already), FLUSH. May be
	 * NULL.
	 */
	void (*control)(struct role *, enum msg_type, const uint8_t *, size_t);
};

/*
 * What every confined role shares: the channel to the parent, logging over
 * it, the configuration and the listeners that the parent sent.
 */
struct role {
	enum msg_role who;
	struct event_base *base;
	struct chan *parent;
	struct conf *conf; /* received; owned */
	int milter_fd;	   /* listener, or -1 */
	int policy_fd;	   /* listener, or -1 */
	const struct role_ops *ops;
	void *arg; /* for ops */
};

/*
 * First call of a role's main: sandbox_early(), refuses root (exit 1), event
 * base, logging to the parent, then serves the parent's START messages until
 * GO. ops may be called within. Exits quietly when the parent is gone, then
 * and later.
 */
void role_start(struct role *, enum msg_role, const struct role_ops *,
    void *arg);
/* After sandbox_enter(): sends READY; messages of phase RUN may come now. */
void role_ready(struct role *);
/* Sends DRAINED; the parent ends the process by closing its channel. */
void role_drained(struct role *);

/* The mains of the roles; each returns the exit status. */
int dns_main(void);
int worker_main(void);
int libmilter_main(void);
int shadow_main(void);

#endif
