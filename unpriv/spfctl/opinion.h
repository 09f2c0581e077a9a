/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_OPINION_H
#define UNPRIV_SPFCTL_OPINION_H

#include "proto/shadowmsg.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spfctl/ctl.h"

/*
 * A shadow of spfctl's own (own_role_start_shadow()), whose questions we answer
 * ourselves: from what our check has learnt, the zone file, then dns.
 */
struct second_check;

/* Takes over both ends that own_role_start_shadow() gave. */
struct second_check *second_check_new(struct event_base *, int questions,
    int copies);
void second_check_free(struct second_check *);
/*
 * What libspf2 says of a copy (second_fill(); want is set here). What it
 * asks beside comes into answers. 0; -1 when there is none: it died, or dns
 * is gone. After -1 there is nobody left to ask.
 */
int second_check_ask(struct second_check *, struct ctl *, struct answers *,
    struct shadow_copy *, struct shadow_opinion *);

#endif
