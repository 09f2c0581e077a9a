/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_HEADER_H
#define UNPRIV_JUDGE_HEADER_H

#include <stddef.h>

#include "proto/arena.h"

/*
 * The header fields that tell a result: Received-SPF (RFC 7208 9.1),
 * Authentication-Results (RFC 8601) and spf-engine's X-Comment. Text from
 * the wire passes two gates: header_show*() makes it printable and bounds
 * it, the writers quote it for its place. All results are one line.
 */

/*
 * Bounds, in octets after escaping. With them no field is longer than
 * HEADER_MAX and no token longer than 600, so that folding at white space
 * alone keeps every line under 998 (RFC 5322 2.1.1) and OpenDMARC's buffer
 * of 4096 holds the whole.
 */
#define HEADER_MAX	  2048
#define HEADER_ID_MAX	  200
#define HEADER_REASON_MAX 320
#define HEADER_HOST_MAX	  256 /* HELO, receiver, a domain by itself */
#define HEADER_LOCAL_MAX  256

/* Text under construction; what does not fit is left out. */
struct hbuf {
	char *p; /* NULL: the arena is exhausted */
	size_t len, size;
};

void hbuf_init(struct hbuf *, struct arena *, size_t);
void hbuf_char(struct hbuf *, char);
void hbuf_str(struct hbuf *, const char *);
/* The text, NUL-terminated, or NULL. */
const char *hbuf_done(struct hbuf *);

/*
 * A copy of wire text with every control as '?'; so is every octet above
 * 126 unless utf8 is set and it is part of legal UTF-8. Longer than max
 * (counted as escaping will make it) it ends in "...". NULL when the arena
 * is exhausted.
 */
const char *header_show(struct arena *, const char *, int utf8, size_t max);
/*
 * The same for a domain: without utf8, U-labels become A-labels, as RFC
 * 8616 5 asks for a message that is not internationalized; octets that
 * have no such form become '?'.
 */
const char *header_show_domain(struct arena *, const char *, int utf8);
/* local@domain; domain alone when local is NULL; "<>" when both are. */
const char *header_show_sender(struct arena *, const char *local,
    const char *domain, int utf8);

/* What every form is made of, after header_show*(). */
struct header_parts {
	const char *id; /* authserv-id */
	const char *ip;
	const char *helo;
	const char *sender;
	const char *receiver;
	int utf8;
};

/* "client-ip=...; helo=...; envelope-from=...; receiver=..." unquoted. */
const char *header_plain(struct arena *, const struct header_parts *);
/* title: "Pass"; identity: "mailfrom"; with the blank at its end. */
const char *header_received_spf(struct arena *, const char *title,
    const char *comment, const char *identity, const struct header_parts *);
/* result: "pass"; prop: "smtp.mailfrom"; domain its value. */
const char *header_ar(struct arena *, const char *result, const char *reason,
    const char *prop, const char *domain, const struct header_parts *);
/* text: "SPF skipped for whitelisted relay - ". */
const char *header_x_comment(struct arena *, const char *text,
    const struct header_parts *);
const char *header_ar_none(struct arena *, const char *text,
    const struct header_parts *);

#endif
