/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: test; a daemon that takes the kernel for Debian 12's. */

#include "privsep/sandbox/landlock.h"

/* Replaces the product's. The kernel must have this ABI or a newer one. */
int
landlock_abi(void)
{
	return 2;
}
