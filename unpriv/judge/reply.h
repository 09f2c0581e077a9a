/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_REPLY_H
#define UNPRIV_JUDGE_REPLY_H

#include "proto/arena.h"

/* Octets of a reply's text, without its codes (COMPAT "quote"). */
#define REPLY_MAX 450

/* The values of the fields below. */
struct reply_parts {
	const char *rejectdefer; /* "rejected", "deferred" */
	const char *spf;	 /* the reason */
	const char *scope;	 /* "helo", "mfrom" */
	const char *id;
	const char *ip;
	const char *rcpt;
	int utf8; /* wire text may hold UTF-8 */
};

/*
 * Reason_Message with {rejectdefer}, {spf} and {url} filled in (see
 * python_format()). {url} is Reason_URL with {scope}, {id}, {ip}, {rcpt}. The
 * result is one line of at most REPLY_MAX octets that ends with a whole
 * character. '?' replaces controls and, without utf8, octets of the wire that
 * are not ASCII. NULL when the arena is exhausted.
 */
const char *reply_text(struct arena *, const char *message,
    const char *reason_url, const struct reply_parts *);

#endif
