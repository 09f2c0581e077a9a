/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_HEADER_H
#define UNPRIV_JUDGE_HEADER_H

#include <stddef.h>

#include "proto/arena.h"

/*
 * The header fields that carry a result: Received-SPF (RFC 7208 9.1),
 * Authentication-Results (RFC 8601) and spf-engine's X-Comment. header_show*()
 * makes text from the wire printable and bounds it; the writers of fields quote
 * it as its place asks. Values are one line, unfolded.
 */
struct header_field {
	const char *name;
	const char *value; /* NULL: the arena is exhausted */
};

/*
 * Bounds, in octets after escaping. They keep every token under 600, so that
 * folding at white space alone keeps lines under 998 (RFC 5322 2.1.1), and
 * every field within HEADER_MAX, which OpenDMARC's buffer of 4096 holds.
 */
#define HEADER_MAX	  2048
#define HEADER_ID_MAX	  200
#define HEADER_REASON_MAX 320
#define HEADER_HOST_MAX	  256 /* HELO, receiver, a domain by itself */
#define HEADER_LOCAL_MAX  256

/*
 * A copy of wire text. '?' replaces each control and each octet above 126,
 * unless utf8 is set and it is part of legal UTF-8. Text that is longer than
 * max after escaping ends in "...". NULL when the arena is exhausted.
 */
const char *header_show(struct arena *, const char *, int utf8, size_t max);
/*
 * The same for a domain: without utf8, U-labels become A-labels, as RFC 8616 5
 * asks for a message that is not internationalized.
 */
const char *header_show_domain(struct arena *, const char *, int utf8);
/* local@domain; domain alone when local is NULL; "<>" when both are. */
const char *header_show_sender(struct arena *, const char *local,
    const char *domain, int utf8);

/* The parts of all fields, after header_show*(). */
struct header_parts {
	const char *id; /* authserv-id */
	const char *ip;
	const char *helo;
	const char *sender;
	const char *receiver;
	int utf8;
};

/*
 * "client-ip=...; helo=...; envelope-from=...; receiver=..." unquoted, or NULL
 * when the arena is exhausted.
 */
const char *header_plain(struct arena *, const struct header_parts *);
/*
 * title: "Pass"; identity: "mailfrom". As in spf-engine the value ends with a
 * blank, here and in header_x_comment().
 */
struct header_field header_received_spf(struct arena *, const char *title,
    const char *comment, const char *identity, const struct header_parts *);
/* result: "pass"; prop: "smtp.mailfrom"; domain: the property's value. */
struct header_field header_ar(struct arena *, const char *result,
    const char *reason, const char *prop, const char *domain,
    const struct header_parts *);
/* text: "SPF skipped for whitelisted relay - ". */
struct header_field header_x_comment(struct arena *, const char *text,
    const struct header_parts *);
struct header_field header_ar_none(struct arena *, const char *text,
    const struct header_parts *);
/*
 * Folds a value for the milter: only at white space between tokens (COMPAT
 * "fold"). As in spf-engine, a line break is LF and three blanks. The name
 * counts for the length of the first line. NULL when the arena is exhausted.
 */
const char *header_fold(const char *name, const char *value, struct arena *);

#endif
