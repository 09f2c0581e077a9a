/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_MACRO_H
#define UNPRIV_SPF_MACRO_H

#include <stddef.h>

/* The text of macro-strings (RFC 7208 7). */

/* A syntax error of a record: a constant text, then the wrong part. */
struct spf_syntax {
	const char *what;
	const char *arg; /* in the record, or NULL */
	size_t len;
};

/* Sets the error. Returns -1. */
int spf_syntax_error(struct spf_syntax *, const char *what, const char *arg,
    size_t);

/* One piece of a macro-string. */
struct spf_macro {
	char letter; /* lower case; '\0': a literal */
	int url;     /* upper-case letter: URL escape */
	int reverse;
	unsigned int digits; /* 0: all parts */
	unsigned int delims; /* bits, as in SPF_DELIMITERS; 0: "." */
	const char *text;    /* of a literal */
	size_t textlen;
};

#define SPF_DELIMITERS ".-+,/_="

/*
 * Reads the next piece of a macro-string; a run of literal characters is one
 * piece. Returns its length, or 0 at the end and on a syntax error.
 */
size_t spf_macro_next(const char *, size_t, struct spf_macro *);

#define SPF_MACRO_EXP 1 /* explain-string: SP, c, r and t are allowed */

/*
 * Checks a macro-string. *end becomes the offset after its last
 * macro-expand, or 0 without one. 0, or -1.
 */
int spf_macro_check(const char *, size_t, int flags, size_t *end,
    struct spf_syntax *);

/* 1 when a checked macro-string holds %{s} or %{l}. */
int spf_macro_local(const char *, size_t);

#endif
