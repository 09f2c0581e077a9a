/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_WATCH_H
#define PRIVSEP_PARENT_WATCH_H

#include "privsep/parent/parent_ops.h"

/*
 * Looks every few seconds whether the per-user file has changed since the
 * running configuration was read; then reloads (COMPAT "peruser"). The file
 * may be among the given ones. ops and files must live for ever.
 */
void watch_start(const struct parent_ops *, struct event_base *,
    const struct config_files *, const struct conf *);

#endif
