/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread), policyd-spf. */

#ifndef UNPRIV_CHECK_LOGLINE_H
#define UNPRIV_CHECK_LOGLINE_H

#include <stdint.h>

#include "conf/conf.h"
#include "unpriv/judge/judge.h"

/*
 * The log of one message (milter) or request (policy): spf-engine's lines, or
 * with Log_Format = json, from debugLevel 1 on, one object in their place. The
 * lines of debugLevel 2 and more are the same in both formats.
 */
#define LOGLINE_MAX	   4000 /* octets of an object; long texts are cut */
#define LOGLINE_RECORD_MAX 4096 /* octets of a record, with the NUL */

/* The message or request; NULL: not known, or not of this protocol. */
struct logline {
	const struct conf *conf;   /* debugLevel and format */
	enum conf_program program; /* its protocol */
	const char *prefix;	   /* "Q" makes the line "Q: record" */
	const char *queue_id;
	const char *client;
	const char *client_name;
	const char *helo;
	const char *sender; /* "": null */
	const char *recipient;
	const char *instance;
	int per_user;	/* the recipient has settings of its own */
	uint64_t since; /* clock_usec() at its arrival */
};

/* A record as one line, cut to size. */
void logline_record(const struct judge_log *, char *out, size_t size);
/*
 * Logs a verdict. done is the outcome's action, or JUDGE_NOTHING when the
 * message has its header field already.
 */
void logline_judged(const struct logline *, const struct judge_outcome *,
    enum judge_action done);
/* Logs the action and answer of an earlier recipient, given again. */
void logline_again(const struct logline *, enum judge_action,
    const char *answer);
/* Logs that nothing is checked; reason is one word. */
void logline_skipped(const struct logline *, const char *reason);
/*
 * Logs the number of forged header fields that are removed or, with refused
 * set, the number above which the message is refused.
 */
void logline_forged(const struct logline *, size_t removed, int refused);

#endif
