/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_PARENT_OPS_H
#define PRIVSEP_PARENT_PARENT_OPS_H

#include "privsep/parent/generation.h"
#include "privsep/start/config.h"

enum parent_state {
	PARENT_STARTING = 0, /* no generation serves yet */
	PARENT_SERVING,
	PARENT_RELOADING, /* one serves, another is starting */
	PARENT_STOPPING
};

/* What spfctl status shows. */
struct parent_view {
	const char *path; /* of the configuration */
	time_t since;	  /* the start; monotonic */
	time_t started;	  /* the same by the clock */
	int control_fd;	  /* -1: not open */
	const struct generations *all;
	const struct generation *cur; /* serves, or NULL */
	unsigned long reloads, reloads_refused, reloads_failed;
};

/* What control, notify and watch call in the parent, with arg first. */
struct parent_ops {
	void *arg;
	enum parent_state (*state)(void *);
	/* The generation that serves; NULL while starting. */
	struct generation *(*serving)(void *);
	void (*view)(void *, struct parent_view *);
	/* The sum of all counters, with those of children that ended. */
	void (*stats)(void *, struct stats *);
	/*
	 * Reads the configuration again and starts a generation with it. 0,
	 * or -1 when it is refused; the callback gets the reasons.
	 */
	int (*reload)(void *, config_say_fn, void *);
	/* Turns debug lines on or off, in all processes. */
	void (*verbose)(void *, int);
};

#endif
