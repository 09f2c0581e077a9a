/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, worker, libmilter, shadow. */

#ifndef PRIVSEP_CHILD_ROLE_H
#define PRIVSEP_CHILD_ROLE_H

#include <stdint.h>

#include "conf/conf.h"
#include "privsep/base/chan.h"
#include "privsep/sandbox/sandbox.h"

/* The channel to the parent is this descriptor at exec. */
#define ROLE_PARENT_FD 3
/* Payload of LISTENER. */
#define ROLE_LISTENER_MILTER 1
#define ROLE_LISTENER_POLICY 2

/*
 * What every confined role shares: the channel to the parent, logging over
 * it, the configuration, listeners and peers as the parent hands them over.
 */
struct role {
	enum msg_role who;
	struct event_base *base;
	struct chan *parent;
	struct conf *conf; /* received; owned */
	int milter_fd;	   /* listener, or -1 */
	int policy_fd;	   /* listener, or -1 */
	/*
	 * A channel end to another process (PEER): its id, role and
	 * descriptor, which the callee owns. May come at any time; also again
	 * for the same id when the other process was restarted.
	 */
	void (*peer)(struct role *, uint32_t, enum msg_role, int);
	/* DRAIN, VERBOSE (u32), FLUSH. VERBOSE is applied already. */
	void (*control)(struct role *, enum msg_type, const uint8_t *, size_t);
	void *arg;
};

/*
 * First call of a role's main: sandbox_early(), refuses root (exit 1), event
 * base, logging to the parent, then serves the parent's START messages until
 * GO. peer may be called within. Exits quietly when the parent is gone, then
 * and later.
 */
void role_start(struct role *, enum msg_role,
    void (*peer)(struct role *, uint32_t, enum msg_role, int),
    void (*control)(struct role *, enum msg_type, const uint8_t *, size_t),
    void *arg);
/* After sandbox_enter(): tells READY; messages of phase RUN may come now. */
void role_ready(struct role *);
/* Tells DRAINED; the parent ends the process by closing its channel. */
void role_drained(struct role *);

/* The mains of the roles; each returns the exit status. */
int dns_main(void);
int worker_main(void);
int libmilter_main(void);
int shadow_main(void);

#endif
