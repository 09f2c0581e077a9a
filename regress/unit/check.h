/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* The unit tests' only helper: one line a test, see regress/README. */

#ifndef REGRESS_UNIT_CHECK_H
#define REGRESS_UNIT_CHECK_H

#include <stdio.h>

static int check_failures;

/* One test: its name says what would be wrong. fmt tells more on failure. */
#define check(name, cond, ...)                                    \
	do {                                                      \
		if (cond)                                         \
			printf("ok %s\n", (name));                \
		else {                                            \
			printf("not ok %s - ", (name));           \
			printf("failed " __VA_ARGS__);            \
			printf(" (%s:%d)\n", __FILE__, __LINE__); \
			check_failures++;                         \
		}                                                 \
	} while (0)

#define check_exit() (check_failures != 0)

#endif
