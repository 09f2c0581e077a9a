/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop. */

#ifndef PRIVSEP_PARENT_CONTROL_H
#define PRIVSEP_PARENT_CONTROL_H

#include "privsep/parent/parent.h"
#include "proto/status.h"

/*
 * The control socket: spfctl asks, we answer. Only root, the daemon's user
 * and members of the daemon's group are heard (SO_PEERCRED, SO_PEERGROUPS).
 */
void control_start(struct parent *, int fd);
void control_stop(struct parent *);

/* Receives a row; its texts are valid until the call returns. */
typedef void (*control_row_fn)(void *, const struct status_row *);
/* Passes the daemon's status to the function, row by row. */
void control_status(const struct parent *, control_row_fn, void *);

/* How a reload that somebody waits for ended: sysexits(3) and a text. */
void control_reload_done(struct parent *, int status, const char *);
/* dns is there, with an empty cache: what a flush waits for. */
void control_dns_ready(struct parent *);

#endif
