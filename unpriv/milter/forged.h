/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; pure. */

#ifndef UNPRIV_MILTER_FORGED_H
#define UNPRIV_MILTER_FORGED_H

/* Header fields of an incoming message that pretend to be ours. */

/*
 * 1 when the value of an Authentication-Results field bears this
 * authserv-id (RFC 8601 2.2), however it is written: comments, folds,
 * quotes, case, a version. A field without an id is nobody's.
 */
int forged_own_ar(const char *value, const char *authserv_id);
/* 1 when a header field's name is that one, blanks behind it or not. */
int forged_is_field(const char *name, const char *field);

#endif
