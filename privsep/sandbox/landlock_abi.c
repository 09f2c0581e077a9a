/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. A test replaces it, to run as on another kernel. */

#include <sys/syscall.h>

#include <unistd.h>

#include "privsep/sandbox/landlock.h"

int
landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LL_CREATE_VERSION);
}
