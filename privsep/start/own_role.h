/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; starts processes before their sandbox. */

#ifndef PRIVSEP_START_OWN_ROLE_H
#define PRIVSEP_START_OWN_ROLE_H

#include "conf/conf.h"
#include "privsep/base/chan.h"

struct event_base;

/*
 * Start a role for a program without a parent: "-x ROLE" of the program's own
 * image. The program logs the lines of the role. gone (or NULL) is called when
 * the process ends; it is not restarted. Exit if it cannot be started.
 */

/* Starts dns. Returns our end of the channel to it, for asker_connect(). */
int own_role_start_dns(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg);
/*
 * Starts the shadow. Its questions for dns arrive at *questions. It receives
 * SHADOW_COPY from *copies, and sends SHADOW_RESULT there.
 */
void own_role_start_shadow(struct event_base *, const char *ident,
    const struct conf *, void (*gone)(void *), void *arg, int *questions,
    int *copies);

#endif
