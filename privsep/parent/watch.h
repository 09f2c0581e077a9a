/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop. */

#ifndef PRIVSEP_PARENT_WATCH_H
#define PRIVSEP_PARENT_WATCH_H

#include "privsep/parent/parent.h"

/*
 * Looks every few seconds whether the per-user file is another than the
 * running configuration was made of; then reloads (COMPAT "peruser").
 */
void watch_start(struct parent *, const struct conf *);

#endif
