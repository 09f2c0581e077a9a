/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_CHECK_H
#define UNPRIV_SPFCTL_CHECK_H

#include "unpriv/spfctl/ctl.h"

/*
 * spfctl check IP SENDER [HELO]: what the daemon would decide, and why.
 * Returns the exit status: 0 for a verdict, EX_TEMPFAIL for temperror or when
 * dns ended, EX_USAGE for an argument that is no IP address.
 */
int ctl_check(struct ctl *);

#endif
