/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before and after the drop. */

#ifndef PRIVSEP_PARENT_NOTIFY_H
#define PRIVSEP_PARENT_NOTIFY_H

struct parent;

/*
 * What we tell the service manager that started us, by the protocol of
 * sd_notify(3): datagrams of VARIABLE=value lines to NOTIFY_SOCKET. Without
 * that variable every call here does nothing.
 */
/* Before the sandbox: takes the variables out of the environment. */
void notify_init(void);
/* With the loop: STATUS now and then, WATCHDOG when one was asked for. */
void notify_start(struct parent *);
/* The current generation serves; also the end of a reload, good or bad. */
void notify_ready(struct parent *);
void notify_reloading(void);
void notify_stopping(void);

#endif
