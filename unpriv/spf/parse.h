/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_PARSE_H
#define UNPRIV_SPF_PARSE_H

#include "unpriv/spf/macro.h"
#include "unpriv/spf/spf.h"

/* Records and their terms (RFC 7208 4.5, 4.6.1, 5, 6, 12). */

enum spf_kind {
	SPF_T_ALL = 1,
	SPF_T_INCLUDE,
	SPF_T_A,
	SPF_T_MX,
	SPF_T_PTR,
	SPF_T_IP4,
	SPF_T_IP6,
	SPF_T_EXISTS,
	SPF_T_MECHANISMS, /* modifiers follow */
	SPF_T_REDIRECT,
	SPF_T_EXP,
	SPF_T_OTHER /* unknown modifier */
};

/* A term; pointers are into the record. */
struct spf_term {
	enum spf_kind kind;
	enum spf_result qualifier;
	const char *text; /* as written, qualifier included */
	size_t len;
	const char *spec; /* domain-spec, or NULL */
	size_t speclen;
	uint8_t len4, len6; /* a, mx */
	struct cidr net;    /* ip4, ip6 */
};

/* A position in a record. */
struct spf_scan {
	const char *rec;
	size_t len;
	size_t pos;
};

/* 1 when a TXT record is "v=spf1", then SP or the end (RFC 7208 4.5). */
int spf_is_record(const char *, size_t);
/* Begins at the first term of a record, which must be spf_is_record(). */
void spf_scan_start(struct spf_scan *, const char *, size_t);
/*
 * Reads the next term. 1; 0 at the end; -1 on a syntax error: the term's text
 * and len are set, and the next call reads the term after it.
 */
int spf_scan_next(struct spf_scan *, struct spf_term *, struct spf_syntax *);
/*
 * Checks a whole record, as RFC 7208 4.6 asks before it is evaluated.
 * redirect and exp get kind 0 when the record has none. 0, or -1.
 */
int spf_record_check(const char *, size_t, struct spf_term *redirect,
    struct spf_term *exp, struct spf_syntax *);

#endif
