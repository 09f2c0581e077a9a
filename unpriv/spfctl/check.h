/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_CHECK_H
#define UNPRIV_SPFCTL_CHECK_H

#include "unpriv/spfctl/ctl.h"

/*
 * spfctl check IP SENDER [HELO]: what the daemon would say, and why. Exit
 * status: 0 for a verdict, 75 for temperror, 64 for a wrong argument.
 */
int ctl_check(struct ctl *);

#endif
