/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "proto/dnsmsg.h"

/*
 * libunbound behind one function: forwarding only, on a libevent base. Made
 * after exec, since two processes that share a context by fork send the same
 * query ids, and before sandbox_enter(), since it reads nothing afterwards.
 */
struct resolver;
struct event_base;

/*
 * The outcome of a question: status, secure, cached, type, ttl and records,
 * valid during the call. resolver_ask() must not be called from it.
 */
typedef void (*resolver_fn)(uint32_t id, const struct dns_answer *, void *);

/* Dies when libunbound refuses an option: then nothing here can be trusted. */
struct resolver *resolver_new(struct event_base *, const struct conf *,
    resolver_fn, void *arg);
/*
 * Asks for a name that is dname_valid(). fn is called once with id, maybe
 * before this returns (from the cache, or when it cannot be asked), maybe
 * long after the caller has lost interest: libunbound cannot be stopped.
 */
void resolver_ask(struct resolver *, uint32_t id, uint16_t type, const char *,
    size_t);
/* Questions inside libunbound, and how many there may be. */
size_t resolver_held(const struct resolver *);
size_t resolver_limit(const struct resolver *);
void resolver_verbose(int);

#endif
