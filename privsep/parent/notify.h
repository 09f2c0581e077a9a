/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; notify_init() as root, the rest after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_NOTIFY_H
#define PRIVSEP_PARENT_NOTIFY_H

#include "privsep/parent/parent_ops.h"

/*
 * Reports to the service manager by the protocol of sd_notify(3): datagrams
 * of VARIABLE=value lines to NOTIFY_SOCKET. Without that variable every
 * function here does nothing.
 */
/* Before the sandbox: takes the variables out of the environment. */
void notify_init(void);
/*
 * With the event loop: STATUS now and then, WATCHDOG when the manager set
 * WATCHDOG_USEC. ops must live for ever.
 */
void notify_start(const struct parent_ops *, struct event_base *);
/* The current generation serves; also the end of a reload, good or bad. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
