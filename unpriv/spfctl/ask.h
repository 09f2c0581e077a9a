/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_ASK_H
#define UNPRIV_SPFCTL_ASK_H

#include "unpriv/spf/answers.h"
#include "unpriv/spfctl/ctl.h"

/*
 * Evaluates over the answers so far: 1 when some are missing, 0 when done.
 * elapsed is in seconds since ctl_ask_run() began.
 */
typedef int (*ctl_run_fn)(struct answers *, int elapsed, void *);

/*
 * Runs fn until it is done, and gets the missing answers in between: from the
 * zone file, or from dns. After so many seconds each missing answer becomes
 * DNS_TIMEOUT. Returns 0; or -1 when dns is gone, which it says on stderr.
 */
int ctl_ask_run(struct ctl *, struct answers *, unsigned int seconds,
    ctl_run_fn, void *);
/* Where the answer of a question came from: "zone", "cache" or "dns". */
const char *ctl_ask_source(const struct ctl *, const struct answers_question *);

#endif
