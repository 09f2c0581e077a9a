/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_DNAME_H
#define PROTO_DNAME_H

#include <stddef.h>

/*
 * A domain name here is a byte string with its length: labels parted by
 * '.', no trailing dot, the root is the empty string. A label may hold any
 * octet but '.'. Names are compared without regard to ASCII case.
 */
#define DNAME_MAX 253 /* octets in this form (RFC 1035 2.3.4) */

/* 1 when it can be asked for: labels of 1..63 octets, DNAME_MAX in all. */
int dname_valid(const char *, size_t);
int dname_equal(const char *, size_t, const char *, size_t);
/* 1 when the first is the second or stands below it, at a label boundary. */
int dname_is_below(const char *, size_t, const char *, size_t);
/* Length without one trailing dot. */
size_t dname_undot(const char *, size_t);
/* ASCII lower case in place. */
void dname_lower(char *, size_t);
/*
 * U-labels to A-labels (RFC 5891, RFC 8616) by libidn2; a name that is all
 * ASCII is copied. Returns the length in out, or -1 when it has no such
 * form or does not fit. out is NUL-terminated.
 */
int dname_to_ascii(const char *, size_t, char *, size_t);

#endif
