/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process, as the last step of its start. */

#ifndef PRIVSEP_CHILD_CONFINE_H
#define PRIVSEP_CHILD_CONFINE_H

#include "conf/conf.h"
#include "privsep/sandbox/sandbox.h"

/*
 * Fills the arguments of sandbox_enter() from the role's row and the
 * configuration: no directories and no image; the TCP ports are those of
 * the name servers.
 */
void confine_args(struct sandbox_args *, enum sandbox_role,
    const struct conf *);
/* sandbox_enter() with these arguments, which are all that a child needs. */
void confine_enter(enum sandbox_role, const struct conf *);

#endif
