/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every role that asks dns, policyd-spf, spfctl; on libevent. */

#ifndef UNPRIV_CHECK_ASKER_H
#define UNPRIV_CHECK_ASKER_H

#include <stdint.h>

#include "proto/dnsmsg.h"
#include "proto/msg.h"

/*
 * The channel to the dns process. Each question has a number and is answered
 * once. Questions wait while there is no dns process; a new one gets them all.
 */
struct asker;
struct event_base;

/* The answer is valid during the call. NULL: dns sent a malformed one. */
typedef void (*asker_fn)(const struct dns_answer *, void *);

struct asker *asker_new(struct event_base *, enum msg_role self);
void asker_free(struct asker *);
/* Takes over a channel end to dns, which replaces an earlier one. */
void asker_connect(struct asker *, int fd);
/*
 * Sets a function that is called when dns is gone or broke the message rules;
 * policyd-spf then ends. Without it, questions wait for the dns process that
 * the parent starts; but if dns broke the rules it still runs, so the process
 * exits, and the parent starts another one with a new channel.
 */
void asker_on_gone(struct asker *, void (*)(void *), void *);
struct event_base *asker_base(const struct asker *);
/*
 * Asks for a type and a name of that length; the name is copied. The function
 * is never called inside. Returns the question's number for asker_cancel(), or
 * 0 when there is no memory or the queue to dns is full.
 */
uint32_t asker_ask(struct asker *, uint16_t, const char *, size_t, asker_fn,
    void *);
/* The function will not be called. */
void asker_cancel(struct asker *, uint32_t);
/* The number of questions without an answer, with the cancelled ones. */
size_t asker_pending(const struct asker *);

#endif
