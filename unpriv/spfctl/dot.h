/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_DOT_H
#define UNPRIV_SPFCTL_DOT_H

#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/trace.h"

/*
 * Prints traces as one graph for dot(1): dot_begin(), each identity, dot_end().
 */
void dot_begin(void);
/* root may be NULL. */
void dot_identity(const struct ctl *, const char *name,
    const struct spf_verdict *, const struct trace_node *root);
void dot_end(void);

#endif
