/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_CLOCK_H
#define PRIVSEP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Monotonic time: it counts from an unknown moment, and no change of the
 * system's clock affects it. For durations and deadlines, not for dates.
 */
static inline uint64_t
clock_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline time_t
clock_seconds(void)
{
	return (time_t)(clock_usec() / 1000000);
}

#endif
