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
/* Before the sandbox: reads the variables and removes them. */
void notify_init(void);
/*
 * Starts the timers: STATUS every few seconds; WATCHDOG if the manager set
 * WATCHDOG_USEC. ops is never freed.
 */
void notify_start(const struct parent_ops *, struct event_base *);
/* READY: at the start, and after each reload, even one that failed. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
