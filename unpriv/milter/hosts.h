/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, spfctl; pure. */

#ifndef UNPRIV_INTERNAL_H
#define UNPRIV_INTERNAL_H

#include <stddef.h>

#include "../conf/conf.h"
#include "../proto/addr.h"

/*
 * What both milter front ends decide alike: whose mail is checked, how the
 * sender is read (spfctl check reads it so, too), which header fields are
 * forgeries of ours.
 */
enum internal {
	INTERNAL_UNKNOWN = -1,	/* no entry of that kind matches */
	INTERNAL_NO = 0,
	INTERNAL_YES
};

/*
 * InternalHosts, its addresses and networks: an address beats
 * networks, among equals the last match gives the sign. An IPv4-mapped
 * client is matched by IPv6 entries only, as in spf-engine.
 */
enum internal	internal_addr(const struct conf_hosts *, const struct addr *);
/* The same for one confirmed name (COMPAT "hosts"): a name beats domains. */
enum internal	internal_name(const struct conf_hosts *, const char *, size_t);
int		internal_has_names(const struct conf_hosts *);

/*
 * MacroList. get() gives a macro's value by its name without
 * braces, or NULL. *external is what the connect line says.
 * Returns 1 when mail of this connection is checked.
 */
int		internal_macros(const struct conf_macros *,
		    const char *(*get)(const char *, void *), void *,
		    int *external);

/*
 * MAIL's first argument as judge_run() wants it: no <>, no source route,
 * domain in lower case, local part without its quotes. In place.
 */
char		*internal_sender(char *);

/*
 * 1 when the value of an Authentication-Results field bears this
 * authserv-id (RFC 8601 2.2), however it is written: comments, folds,
 * quotes, case, a version. A field without an id is nobody's.
 */
int		internal_own_ar(const char *value, const char *authserv_id);
/* 1 when a header field's name is that one, blanks behind it or not. */
int		internal_is_field(const char *name, const char *field);

#endif
