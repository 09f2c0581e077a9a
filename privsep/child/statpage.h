/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, and the roles at their start. */

#ifndef PRIVSEP_CHILD_STATPAGE_H
#define PRIVSEP_CHILD_STATPAGE_H

#include "proto/stats.h"

/*
 * A page of counters in a memfd that can neither shrink nor grow, mapped
 * here for reading only. Returns its descriptor for MSG_STATS and the map;
 * -1 with errno.
 */
int statpage_new(const struct stats **);
void statpage_free(const struct stats *);
/*
 * In a child: counts in this page from now on; gauges begin at 0. Closes fd.
 * 0, or -1 when fd is not such a page.
 */
int statpage_use(int fd);

#endif
