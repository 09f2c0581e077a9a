/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_WATCH_H
#define PRIVSEP_PARENT_WATCH_H

#include "privsep/parent/parent_ops.h"

/*
 * Checks every few seconds whether the per-user file has changed, as spf-engine
 * reads it for each mail, and reloads if so. ops and files are never freed.
 */
void watch_start(const struct parent_ops *, struct event_base *,
    const struct config_files *, const struct conf *);

#endif
