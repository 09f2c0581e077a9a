/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; started before their sandbox. */

#ifndef PRIVSEP_OWNDNS_H
#define PRIVSEP_OWNDNS_H

#include "../conf/conf.h"
#include "chan.h"

struct event_base;

/*
 * Starts a dns process of our own, for programs without a parent: "-x dns"
 * of the same image. Its log lines become ours. gone is called when it
 * ended; nobody brings it back. Returns our end of the way to it, for
 * asker_connect(). Dies when it cannot be started.
 */
int	owndns_start(struct event_base *, const char *ident,
	    const struct conf *, void (*gone)(void *), void *arg);

#endif
