/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; pure. */

#ifndef UNPRIV_MILTER_FORGED_H
#define UNPRIV_MILTER_FORGED_H

/* Header fields of an incoming message that pretend to be this host's. */

/*
 * 1 when the value of an Authentication-Results field has this authserv-id
 * (RFC 8601 2.2), written with any comments, folds, quotes, case and version. A
 * field without an id belongs to no host.
 */
int forged_own_ar(const char *value, const char *authserv_id);
/* 1 when name is that of the field; white space may follow it. */
int forged_is_field(const char *name, const char *field);

#endif
