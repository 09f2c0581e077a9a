/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "proto/dnsmsg.h"

/*
 * libunbound on a libevent base, forwarding only. Make it after exec, as
 * processes that share a context by fork send the same query ids, and before
 * sandbox_enter(), as libunbound opens its files at its start.
 */
struct resolver;
struct event_base;

/*
 * Gets the answer to a question: status, secure, cached, type, ttl and records,
 * valid during the call. It must not call resolver_ask().
 */
typedef void (*resolver_fn)(uint32_t id, const struct dns_answer *, void *);

/* Exits when libunbound refuses an option. Never NULL. */
struct resolver *resolver_new(struct event_base *, const struct conf *,
    resolver_fn, void *arg);
/*
 * Asks for a name that is dname_valid(). Calls fn once with id: before this
 * returns (an answer from the cache, or a failure) or later. A question cannot
 * be cancelled, so fn may be called for one that has expired.
 */
void resolver_ask(struct resolver *, uint32_t id, uint16_t type, const char *,
    size_t);
/* The number of questions in libunbound, and its limit. */
size_t resolver_inflight(const struct resolver *);
size_t resolver_limit(const struct resolver *);
/* Turns libunbound's debug lines on or off. */
void resolver_verbose(int);

#endif
