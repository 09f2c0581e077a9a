/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; notify_init() as root, the rest after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_NOTIFY_H
#define PRIVSEP_PARENT_NOTIFY_H

#include "privsep/parent/parent_ops.h"

/*
 * Reports to the service manager, as sd_notify(3) does: sends VARIABLE=value
 * lines to NOTIFY_SOCKET. Without that variable these functions do nothing.
 */

/* Before the sandbox: reads and removes the variables of the environment. */
void notify_init(void);
/*
 * Starts the timers for STATUS and, if WATCHDOG_USEC was set, WATCHDOG. The
 * view must live until the process ends.
 */
void notify_start(const struct parent_view *, struct event_base *);
/* A generation serves: at the start, and after a reload, successful or not. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
