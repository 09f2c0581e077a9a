/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_OPINION_H
#define UNPRIV_SPFCTL_OPINION_H

#include "proto/shadowmsg.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spfctl/ctl.h"

/*
 * The opinion of libspf2, from a shadow process of spfctl's own
 * (own_role_start_shadow()). spfctl answers its questions: from the answers
 * of its own check, from the zone file, then from dns.
 */
struct opinion;

/*
 * Takes over both channel ends that own_role_start_shadow() gave. Dies on no
 * memory. opinion_free() takes NULL, too.
 */
struct opinion *opinion_new(struct event_base *, int questions, int copies);
void opinion_free(struct opinion *);
/*
 * Asks for the opinion on a copy that shadow_copy_fill() made; sets its want.
 * Answers that libspf2 needs beside those known are added to the table. 0; -1
 * when there is no opinion: the shadow ended, broke the message rules or took
 * too long, or dns is gone.
 */
int opinion_ask(struct opinion *, struct spfctl *, struct answers *,
    struct shadow_copy *, struct shadow_opinion *);

#endif
