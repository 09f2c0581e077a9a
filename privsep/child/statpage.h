/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, and the roles at their start. */

#ifndef PRIVSEP_CHILD_STATPAGE_H
#define PRIVSEP_CHILD_STATPAGE_H

#include "proto/stats.h"

/*
 * Makes a page of counters in a memfd of fixed size and maps it for reading.
 * Returns its descriptor, to send with STATS, and the map; -1 with errno.
 */
int statpage_new(const struct stats **);
void statpage_free(const struct stats *);
/*
 * In a child: makes stats (proto/stats.h) this page, sets its gauges to 0 and
 * closes fd. 0, or -1 when fd is not such a page.
 */
int statpage_use(int fd);

#endif
