/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; opinion_new() before sandbox_enter(), the rest after. */

#ifndef UNPRIV_SPFCTL_OPINION_H
#define UNPRIV_SPFCTL_OPINION_H

#include "proto/shadowmsg.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spfctl/ctl.h"

/*
 * The opinion of libspf2, from the shadow of own_role_start_shadow(). spfctl
 * answers its questions from the answers of the check, from the zone file, or
 * from dns.
 */
struct opinion;

/* Takes over the channel ends. Exits if there is no memory. */
struct opinion *opinion_new(struct event_base *, int questions, int copies);
/* Accepts NULL. */
void opinion_free(struct opinion *);
/*
 * Asks for the opinion on a copy of shadow_copy_fill(), and sets its want. Adds
 * answers that libspf2 needs to the table. Returns 0; or -1 if there is none:
 * the shadow ended, sent a bad message or took too long, or dns ended.
 */
int opinion_ask(struct opinion *, struct spfctl *, struct answers *,
    struct shadow_copy *, struct shadow_opinion *);

#endif
