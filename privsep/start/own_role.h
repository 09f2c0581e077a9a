/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; starts processes before their sandbox. */

#ifndef PRIVSEP_START_OWN_ROLE_H
#define PRIVSEP_START_OWN_ROLE_H

#include "conf/conf.h"
#include "privsep/base/chan.h"

struct event_base;

/*
 * A program without a parent starts a role: its own image with "-x ROLE",
 * whose log lines it logs. gone (or NULL) is called when the process ends; it
 * is not restarted. Both functions exit when the process cannot be started.
 */

/* Starts dns. Returns the caller's end of a channel, for asker_connect(). */
int own_role_start_dns(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg);
/*
 * Starts the shadow. The caller gets its QUERY on *questions and answers as
 * dns, sends SHADOW_COPY on *copies and gets SHADOW_RESULT there.
 */
void own_role_start_shadow(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg, int *questions,
    int *copies);

#endif
