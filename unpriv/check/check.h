/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf; on a libevent base. */

#ifndef UNPRIV_CHECK_CHECK_H
#define UNPRIV_CHECK_CHECK_H

#include "unpriv/judge/judge.h"

/*
 * Drives judge_run() over the dns process: asks what a run missed, runs
 * again when answers have come, gives up at the deadline.
 */
struct asker; /* the way to the dns process; one a process */
struct check;

/*
 * Called once, unless cancelled; may be called inside check_start(). The
 * check is gone then.
 */
typedef void (*check_done_fn)(const struct judge_outcome *, void *);

/* A table of answers that several checks of a connection share. */
struct check_memo;

/*
 * memo is NULL or holds answers asked for earlier (a HELO prefetch); it and
 * what the request points to must live until done or cancel. The outcome is
 * valid during the callback only. seconds is the budget (Lookup_Time): 0 sets
 * none beside that of each question, less is over at once. Returns NULL when
 * done was called already. Dies on no memory.
 */
struct check *check_start(struct asker *, struct check_memo *,
    const struct judge_request *, int seconds, check_done_fn, void *);
/* No callback will follow. Never call it after done was called. */
void check_cancel(struct check *);

/* Dies on no memory. check_memo_free() takes NULL, too. */
struct check_memo *check_memo_new(void);
void check_memo_free(struct check_memo *);
/* Forgets and cancels everything. */
void check_memo_reset(struct check_memo *);
/*
 * Asks for a HELO name's TXT record ahead of MAIL, in place of what the memo
 * held; a check that begins more than a minute later does not use it.
 */
void check_prefetch_helo(struct asker *, struct check_memo *,
    const struct conf *, const char *helo);

#endif
