/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every role that asks, policyd-spf, spfctl; on a libevent base. */

#ifndef UNPRIV_CHECK_ASKER_H
#define UNPRIV_CHECK_ASKER_H

#include <stdint.h>

#include "proto/dnsmsg.h"
#include "proto/msg.h"

/*
 * The way to the dns process: questions by number, each answered once. While
 * dns is away the questions wait; they are asked again when it is back.
 */
struct asker;
struct event_base;

/* answer is valid during the call; NULL when dns could not be asked. */
typedef void (*asker_fn)(const struct dns_answer *, void *);

struct asker *asker_new(struct event_base *, enum msg_role self);
void asker_free(struct asker *);
/* Takes over a channel end to dns, instead of an earlier one. */
void asker_connect(struct asker *, int fd);
/* Called when dns is gone (policyd-spf has nobody to bring it back). */
void asker_on_gone(struct asker *, void (*)(void *), void *);
struct event_base *asker_base(const struct asker *);
/*
 * Asks; the name is copied. fn is never called inside. Returns the number to
 * cancel by, or 0 when there is no memory or the queue to dns is full.
 */
uint32_t asker_ask(struct asker *, uint16_t, const char *, size_t, asker_fn,
    void *);
void asker_cancel(struct asker *, uint32_t);
/* Questions on their way, cancelled ones among them. */
size_t asker_pending(const struct asker *);

#endif
