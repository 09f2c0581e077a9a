/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "proto/dnsmsg.h"

/*
 * libunbound on a libevent base, forwarding only. A resolver is made after
 * exec, since processes that share a context by fork send the same query ids,
 * and before sandbox_enter(), since it opens its files then.
 */
struct resolver;
struct event_base;

/*
 * Receives the outcome of a question: status, secure, cached, type, ttl and
 * records, valid during the call. It must not call resolver_ask().
 */
typedef void (*resolver_fn)(uint32_t id, const struct dns_answer *, void *);

/* Exits when libunbound refuses an option. Never NULL. */
struct resolver *resolver_new(struct event_base *, const struct conf *,
    resolver_fn, void *arg);
/*
 * Asks for a name that is dname_valid(). Calls fn once with id: before this
 * returns (an answer from the cache, or a failure to ask) or later. A question
 * cannot be cancelled, so fn may be called when nobody waits any more.
 */
void resolver_ask(struct resolver *, uint32_t id, uint16_t type, const char *,
    size_t);
/* Questions inside libunbound, and how many there may be. */
size_t resolver_held(const struct resolver *);
size_t resolver_limit(const struct resolver *);
/* Turns libunbound's debug lines on or off. */
void resolver_verbose(int);

#endif
