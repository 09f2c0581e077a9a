/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure; libidn2 allocates for U-labels. */

#ifndef PROTO_DNAME_H
#define PROTO_DNAME_H

#include <stddef.h>

/*
 * A domain name is a string of octets with its length: labels separated by
 * '.', without a trailing dot; the root is the empty string. A label may hold
 * any octet but '.'. Names are compared without regard to ASCII case.
 */
#define DNAME_MAX 253 /* octets in this form (RFC 1035 2.3.4) */

/* 1 when labels have 1..63 octets and the name at most DNAME_MAX, not 0. */
int dname_valid(const char *, size_t);
int dname_equal(const char *, size_t, const char *, size_t);
/* 1 when the first name is the second or below it. */
int dname_is_below(const char *, size_t, const char *, size_t);
/* The length without one trailing dot. */
size_t dname_undot(const char *, size_t);
/* Changes ASCII letters to lower case in place. */
void dname_lower(char *, size_t);
/*
 * Converts U-labels to A-labels (RFC 5891, RFC 8616) by libidn2; ASCII labels
 * are copied. Returns the length in out, which is NUL-terminated, or -1 when
 * a label has no A-label or the name does not fit.
 */
int dname_to_ascii(const char *, size_t, char *, size_t);

#endif
