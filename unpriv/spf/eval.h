/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_EVAL_H
#define UNPRIV_SPF_EVAL_H

#include "unpriv/spf/state.h"

/*
 * check_host(): finds, checks and evaluates the record of the level's domain.
 * A result, or SPF_RESULT_MAX when an answer is missing.
 */
enum spf_result spf_check_host(struct spf_state *, struct spf_level *);

/* Evaluates one mechanism; include calls spf_check_host(). In mech.c. */
enum spf_step spf_mechanism(struct spf_state *, struct spf_level *,
    const struct spf_term *);

#endif
