/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread), policyd-spf. */

#ifndef UNPRIV_CHECK_LOGLINE_H
#define UNPRIV_CHECK_LOGLINE_H

#include <time.h>

#include "conf/conf.h"
#include "unpriv/judge/judge.h"

/*
 * What one message (milter) or request (policy) logs: the records of
 * spf-engine, or with Log_Format = json one object in their place,
 * from debugLevel 1 on. Records of debugLevel 2 and more stay as they are.
 */
#define LOGLINE_MAX 4000 /* octets of an object; long texts are cut */

/* Whom and what it is about; NULL: unknown, or of no meaning here. */
struct logline {
	const struct conf *conf; /* debugLevel and format */
	const char *protocol;	 /* "milter", "policy" */
	const char *prefix;	 /* "Q" makes a record "Q: record" */
	const char *queue_id;
	const char *client;
	const char *client_name;
	const char *helo;
	const char *sender; /* "": null */
	const char *recipient;
	const char *instance;
	int per_user;	       /* judged by settings of its own */
	struct timespec since; /* the request came; monotonic */
};

/* The time for since. */
void logline_clock(struct timespec *);
/*
 * A verdict, and what is done: the outcome's action, or JUDGE_NOTHING where
 * the message has its header already.
 */
void logline_judged(const struct logline *, const struct judge_outcome *,
    enum judge_action done);
/* The reply of an earlier recipient again, with its record. */
void logline_again(const struct logline *, enum judge_action, const char *reply,
    const char *record);
/* Nothing was checked; reason is a word. */
void logline_skipped(const struct logline *, const char *reason);
/* Forged fields of the message: how many go, or that it is refused. */
void logline_forged(const struct logline *, size_t removed, int refused);

#endif
