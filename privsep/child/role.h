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
 * A role's callbacks. The first three take over the channel to another child
 * that PEER brings; role_link_to() decides which one. They may be called at any
 * time, and again if the peer was restarted.
 */
struct role_ops {
	void (*dns)(struct role *, int fd);    /* to dns, for questions */
	void (*copies)(struct role *, int fd); /* to the shadow, for copies */
	/* from a client, which asks or sends copies; its id and role */
	void (*client)(struct role *, uint32_t, enum msg_role, int fd);
	/* DRAIN, FLUSH, VERBOSE (u32; the log has it already). May be NULL. */
	void (*control)(struct role *, enum msg_type, const uint8_t *, size_t);
};

/* What every confined role has. */
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
 * The first call of a role's main. Calls sandbox_early(), exits with 1 if run
 * by root, sends log lines to the parent, and handles the parent's messages of
 * phase START until GO; it may call ops meanwhile. From then on the process
 * exits, without a log line, when the parent is gone.
 */
void role_start(struct role *, enum msg_role, const struct role_ops *,
    void *arg);
/* After sandbox_enter(): sends READY, accepts messages of phase RUN. */
void role_ready(struct role *);
/* Sends DRAINED; the parent then closes the channel, which ends the process. */
void role_drained(struct role *);

/* The mains of the roles; each returns the exit status. */
int dns_main(void);
int worker_main(void);
int libmilter_main(void);
int shadow_main(void);

#endif
