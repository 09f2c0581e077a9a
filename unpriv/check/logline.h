/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread), policyd-spf. */

#ifndef UNPRIV_CHECK_LOGLINE_H
#define UNPRIV_CHECK_LOGLINE_H

#include <time.h>

#include "conf/conf.h"
#include "unpriv/judge/judge.h"

/*
 * What one message (milter) or request (policy) logs: the lines of
 * spf-engine, or with Log_Format = json and from debugLevel 1 on one object in
 * their place. Lines of debugLevel 2 and more are the same in both formats.
 */
#define LOGLINE_MAX	   4000 /* octets of an object; long texts are cut */
#define LOGLINE_RECORD_MAX 4096 /* octets of a record, with the NUL */

/* The message or request; NULL: not known, or not of this protocol. */
struct logline {
	const struct conf *conf;   /* debugLevel and format */
	enum conf_program program; /* whose protocol it came by */
	const char *prefix;	   /* "Q" makes a record "Q: record" */
	const char *queue_id;
	const char *client;
	const char *client_name;
	const char *helo;
	const char *sender; /* "": null */
	const char *recipient;
	const char *instance;
	int per_user;	       /* the recipient has settings of its own */
	struct timespec since; /* arrival of the request; monotonic */
};

/* A record as one line, cut where size ends. */
void logline_record(const struct judge_log *, char *out, size_t size);
/* The time now, for since. */
void logline_clock(struct timespec *);
/*
 * A verdict. done is the outcome's action, or JUDGE_NOTHING where the message
 * has its header field already.
 */
void logline_judged(const struct logline *, const struct judge_outcome *,
    enum judge_action done);
/* The action and answer of an earlier recipient, given again. */
void logline_again(const struct logline *, enum judge_action,
    const char *answer);
/* Nothing was checked; reason is one word. */
void logline_skipped(const struct logline *, const char *reason);
/*
 * Forged header fields: how many are removed; or, with refused set, the number
 * above which the message is refused.
 */
void logline_forged(const struct logline *, size_t removed, int refused);

#endif
