/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#ifndef DNS_NOTE_H
#define DNS_NOTE_H

#include <time.h>

/* Lines that a flood of one event must not multiply: one a minute each. */
struct note {
	time_t		 last;		/* 0: never; monotonic */
	unsigned long	 suppressed;
};

/* log_warnx() when due, with how often it was not. 1 when it was written. */
int	note(struct note *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

#endif
