/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, and the roles at their start. */

#ifndef PRIVSEP_CHILD_STATPAGE_H
#define PRIVSEP_CHILD_STATPAGE_H

#include "proto/stats.h"

/*
 * Makes a page of counters in a memfd that can neither shrink nor grow, and
 * maps it for reading. Returns the descriptor, for STATS, or -1 with errno.
 */
int statpage_new(const struct stats **);
void statpage_free(const struct stats *);
/*
 * For a child: maps the page of STATS for counting, sets gauges to 0, and
 * closes fd. 0, or -1 if fd is not such a page.
 */
int statpage_use(int fd);

#endif
