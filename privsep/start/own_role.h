/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; started before their sandbox. */

#ifndef PRIVSEP_START_OWN_ROLE_H
#define PRIVSEP_START_OWN_ROLE_H

#include "conf/conf.h"
#include "privsep/base/chan.h"

struct event_base;

/*
 * Roles for programs without a parent: "-x ROLE" of the same image, whose
 * log lines become ours. gone (or NULL) is called when the process ended;
 * nobody brings it back. Both die when it cannot be started.
 */

/* dns. Returns our end of the way to it, for asker_connect(). */
int owndns_start(struct event_base *, const char *ident, const struct conf *,
    void (*gone)(void *), void *arg);
/*
 * The shadow. *questions is where it asks: we are its dns. *copies is where
 * it takes SHADOW_COPY from ROLE_CONTROL and says SHADOW_RESULT.
 */
void ownshadow_start(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg, int *questions,
    int *copies);

#endif
