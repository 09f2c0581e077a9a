/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: shadow. */

#ifndef UNPRIV_SHADOW_SHADOW_SPF2_H
#define UNPRIV_SHADOW_SHADOW_SPF2_H

#include "proto/shadowmsg.h"
#include "unpriv/spf/answers.h"

/*
 * libspf2 over a table of answers, run again until nothing is missing, as
 * our engine is. It is a library that hostile records crash: only the shadow
 * may call it.
 */
struct spf2;

/*
 * Its own limits hold for one include each, so that a few records make it
 * ask millions of questions: one check may ask so many names and have so
 * many answers, over all of its runs. Past that it hears of a DNS error.
 */
#define SPF2_QUESTIONS 200
#define SPF2_LOOKUPS   20000

/* One check; zero it, but for answers, before the first run. */
struct spf2_check {
	struct answers *answers;
	unsigned int questions;
	unsigned int lookups;
	int missing; /* the last run lacked an answer */
	int cut;     /* a bound was met */
};

/* Before sandbox_enter(): it asks for the host's name. Dies on failure. */
struct spf2 *spf2_new(void);
/*
 * Judges the identity of the copy. 1 when the opinion is there. 0 when
 * answers lack what it asked for; with last set it is told of DNS errors
 * instead and there is always an opinion. May end the process.
 */
int spf2_judge(struct spf2 *, const struct shadow_copy *, struct spf2_check *,
    int last, struct shadow_opinion *);

#endif
