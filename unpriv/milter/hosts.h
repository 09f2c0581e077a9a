/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; pure. */

#ifndef UNPRIV_MILTER_HOSTS_H
#define UNPRIV_MILTER_HOSTS_H

#include <stddef.h>

#include "conf/conf.h"
#include "proto/addr.h"

/*
 * InternalHosts: clients whose mail the milter does not check. MacroList:
 * macros without which it does not check mail either.
 */

enum hosts_match {
	HOSTS_UNKNOWN = -1, /* no entry matches */
	HOSTS_NO = 0,
	HOSTS_YES
};

/*
 * Matches the addresses and networks of InternalHosts: an address beats
 * networks, and among equals the last match decides. As in spf-engine, only
 * IPv6 entries match an IPv4-mapped client.
 */
enum hosts_match hosts_addr(const struct conf_hosts *, const struct addr *);
/* Matches one confirmed name (COMPAT "hosts"): a name beats domains. */
enum hosts_match hosts_name(const struct conf_hosts *, const char *, size_t);
int hosts_has_names(const struct conf_hosts *);

/*
 * MacroList: 1 when mail of this connection is checked. get() returns the value
 * of a macro by its name without braces, or NULL. *external is for the connect
 * line: EXTERNAL or INTERNAL.
 */
int hosts_macros(const struct conf_macros *,
    const char *(*get)(const char *, void *), void *, int *external);

#endif
