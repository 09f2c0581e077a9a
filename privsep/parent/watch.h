/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_WATCH_H
#define PRIVSEP_PARENT_WATCH_H

#include "privsep/parent/parent_ops.h"

/*
 * Reloads when the per-user file has changed since the configuration was read;
 * looks every few seconds (COMPAT "peruser"). ops and files must live until the
 * process ends.
 */
void watch_start(const struct parent_ops *, struct event_base *,
    const struct config_files *, const struct conf *);

#endif
