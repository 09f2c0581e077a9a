/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_ASK_H
#define UNPRIV_SPFCTL_ASK_H

#include "unpriv/spf/answers.h"
#include "unpriv/spfctl/ctl.h"

/*
 * Evaluates with the answers so far. Returns 1 if some are missing, 0 if not.
 * elapsed: seconds since ctl_ask_run() began.
 */
typedef int (*ctl_run_fn)(struct answers *, int elapsed, void *);

/*
 * Runs fn until it returns 0, and each time gets the missing answers from the
 * zone file or from dns. After so many seconds they become DNS_TIMEOUT;
 * JUDGE_NO_LIMIT: never. Returns 0; or -1 if dns ended, after a message on
 * stderr.
 */
int ctl_ask_run(struct spfctl *, struct answers *, int seconds, ctl_run_fn,
    void *);
/* Returns the source of an answer: "zone", "cache" or "dns". */
const char *ctl_ask_source(const struct spfctl *,
    const struct answers_question *);

#endif
