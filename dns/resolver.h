/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "proto/dnsmsg.h"

/*
 * libunbound on a libevent base, forwarding only. Make a resolver after exec,
 * as processes that share a context by fork use the same query ids, and before
 * sandbox_enter(), as libunbound opens files.
 */
struct resolver;
struct event_base;

/*
 * Receives the answer to question id: status, secure, cached, type, ttl and
 * records, valid during the call. It must not call resolver_ask().
 */
typedef void (*resolver_fn)(uint32_t id, const struct dns_answer *, void *);

/* Exits on error. */
struct resolver *resolver_new(struct event_base *, const struct conf *,
    resolver_fn, void *arg);
/*
 * Asks a question. Calls fn once with id: before this returns (with an answer
 * from the cache, or a failure) or later. A question cannot be cancelled. A
 * name must be dname_valid(); any other fails.
 */
void resolver_ask(struct resolver *, uint32_t id, uint16_t type, const char *,
    size_t);
/* How many questions libunbound has, and how many it may have. */
size_t resolver_held(const struct resolver *);
size_t resolver_limit(const struct resolver *);
/* Turns libunbound's debug lines on or off. */
void resolver_verbose(int);

#endif
