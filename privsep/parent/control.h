/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_CONTROL_H
#define PRIVSEP_PARENT_CONTROL_H

#include "privsep/parent/parent_ops.h"
#include "privsep/root/priv_files.h"
#include "proto/status.h"

/*
 * Answers spfctl at the control socket fd; -1: there is none. Only root, the
 * daemon's user and members of the daemon's group may use it (SO_PEERCRED,
 * SO_PEERGROUPS).
 */
void control_start(const struct parent_ops *, struct event_base *,
    const struct priv_owner *, int fd);
void control_stop(void);

/* Receives a row; its texts are valid until the call returns. */
typedef void (*control_row_fn)(void *, const struct status_row *);
/* Passes the daemon's status to the function, row by row. */
void control_status(const struct parent_view *, control_row_fn, void *);

/* Answers clients that wait for a reload: sysexits(3) status and a text. */
void control_reload_done(int status, const char *);
/* Answers clients that wait for a flush: dns is ready, with an empty cache. */
void control_dns_ready(void);

#endif
