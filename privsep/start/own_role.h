/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; starts processes before their sandbox. */

#ifndef PRIVSEP_START_OWN_ROLE_H
#define PRIVSEP_START_OWN_ROLE_H

#include "conf/conf.h"
#include "privsep/base/chan.h"

struct event_base;

/*
 * Start a role for a program that has no parent: "-x ROLE" of the program's
 * own image, whose log lines become the program's. gone (or NULL) is called
 * when the process ends; it is not restarted. Both functions exit when the
 * process cannot be started.
 */

/* dns. Returns our end of the channel to it, for asker_connect(). */
int own_role_start_dns(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg);
/*
 * The shadow. It sends its questions to *questions, as to dns, and takes
 * SHADOW_COPY from *copies, where it sends SHADOW_RESULT.
 */
void own_role_start_shadow(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg, int *questions,
    int *copies);

#endif
