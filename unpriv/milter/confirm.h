/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; on a libevent base. */

#ifndef UNPRIV_MILTER_CONFIRM_H
#define UNPRIV_MILTER_CONFIRM_H

#include "conf/conf.h"
#include "proto/addr.h"
#include "unpriv/check/asker.h"
#include "unpriv/milter/hosts.h"

/*
 * The names of InternalHosts (COMPAT "hosts"): the client's PTR names that
 * an entry matches are confirmed by their addresses, as RFC 7208 5.5 does.
 * A client that cannot be confirmed is not internal.
 */
#define CONFIRM_NAMES 10 /* RFC 7208 4.6.4 */
#define CONFIRM_SECS  5

struct confirm;

/*
 * done is never called inside. Never NULL. hosts must live until done or
 * cancel; the address is copied.
 */
struct confirm *confirm_start(struct asker *, const struct conf_hosts *,
    const struct addr *, void (*done)(enum hosts_match, void *), void *);
void confirm_cancel(struct confirm *);

#endif
