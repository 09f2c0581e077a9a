/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; on a libevent base. */

#ifndef UNPRIV_MILTER_CONFIRM_H
#define UNPRIV_MILTER_CONFIRM_H

#include "conf/conf.h"
#include "proto/addr.h"
#include "unpriv/check/asker.h"
#include "unpriv/milter/hosts.h"

/*
 * Names in InternalHosts (COMPAT "hosts"): a client is internal when an entry
 * matches one of its PTR names and that name has the client's address (RFC 7208
 * 5.5). When the names cannot be looked up, the client is not internal.
 */
#define CONFIRM_NAMES 10 /* RFC 7208 4.6.4 */
#define CONFIRM_SECS  5

struct confirm;

/*
 * done is called once, later, from the event loop; HOSTS_UNKNOWN: no confirmed
 * name matches an entry. The hosts must live until done or confirm_cancel();
 * the address is copied. Exits when there is no memory.
 */
struct confirm *confirm_start(struct asker *, const struct conf_hosts *,
    const struct addr *, void (*done)(enum hosts_match, void *), void *);
/* Frees it without a call of done. Takes NULL, too. */
void confirm_cancel(struct confirm *);

#endif
