/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf; on a libevent base. */

#ifndef UNPRIV_CHECK_CHECK_H
#define UNPRIV_CHECK_CHECK_H

#include "unpriv/judge/judge.h"

/*
 * One check of a message or request: runs judge_run(), asks the dns process for
 * the missing answers and runs it again when some have arrived, until there is
 * an outcome or the time is over.
 */
struct asker;
struct check;

/* Called once, unless cancelled; the outcome is valid during the call. */
typedef void (*check_done_fn)(const struct judge_outcome *, void *);

/* The answers asked for at HELO, before a check needs them. */
struct check_prefetch;

/*
 * Starts a check; done is called later, from the event loop.
 * The prefetch may be NULL. It and what the request points to must live until
 * done or check_cancel(). The request's configuration has the time limits.
 * Exits when there is no memory. The check is freed when done returns.
 */
struct check *check_start(struct asker *, struct check_prefetch *,
    const struct judge_request *, check_done_fn, void *);
/* Frees the check without a call of done. Not to be called after done. */
void check_cancel(struct check *);

/*
 * A prefetch belongs to one connection, which runs one check at a time.
 * Exits when there is no memory. check_prefetch_free() takes NULL, too.
 */
struct check_prefetch *check_prefetch_new(struct asker *);
void check_prefetch_free(struct check_prefetch *);
/* Cancels its questions and forgets its answers. */
void check_prefetch_reset(struct check_prefetch *);
/*
 * Resets it, then asks for the TXT record of a HELO name. A check that starts
 * more than a minute later does not use it.
 */
void check_prefetch_helo(struct check_prefetch *, const struct conf *,
    const char *helo);

#endif
