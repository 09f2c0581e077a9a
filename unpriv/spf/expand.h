/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_EXPAND_H
#define UNPRIV_SPF_EXPAND_H

#include "unpriv/spf/state.h"

/* The expansion of macro-strings (RFC 7208 7.3). */

/* The buffer of an expansion. */
struct spf_sink {
	char *buf;
	size_t size;
	size_t len;
	int tail; /* when full, drop octets from the front */
};

/*
 * Expands a checked macro-string. SPF_YES; SPF_NO when it needs a local part
 * that is not ASCII (RFC 8616 4); SPF_UNKNOWN; SPF_ERROR.
 */
enum spf_step spf_expand(struct spf_state *, const struct spf_level *,
    const char *, size_t, struct spf_sink *);
/*
 * Expands the target name of a term (RFC 7208 4.8). SPF_YES; SPF_NO when the
 * name is not valid in DNS, and then set for messages only; SPF_UNKNOWN;
 * SPF_ERROR.
 */
enum spf_step spf_target(struct spf_state *, const struct spf_level *,
    const struct spf_term *, char name[DNAME_MAX + 1], size_t *);

#endif
