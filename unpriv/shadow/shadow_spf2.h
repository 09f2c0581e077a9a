/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: shadow. */

#ifndef UNPRIV_SHADOW_SHADOW_SPF2_H
#define UNPRIV_SHADOW_SHADOW_SPF2_H

#include "proto/shadowmsg.h"
#include "unpriv/spf/answers.h"

/*
 * Runs libspf2 over a table of answers, again and again until none is missing,
 * like our engine. Hostile records crash libspf2: only the shadow may call it.
 */
struct spf2;

/*
 * libspf2 applies its limits to each include alone, so that a few records make
 * it ask millions of questions. These limits hold for all runs of one check:
 * beyond them libspf2 gets DNS errors.
 */
#define SPF2_QUESTIONS 200   /* different names and types */
#define SPF2_LOOKUPS   20000 /* questions, with repeated ones */

/* One check. Set answers and zero the rest before the first run. */
struct spf2_check {
	struct answers *answers;
	unsigned int questions;
	unsigned int lookups;
	int missing; /* the last run needs an answer */
	int cut;     /* a limit was reached */
};

/* Before sandbox_enter(): it reads the host's name. Exits on failure. */
struct spf2 *spf2_new(void);
/*
 * Judges the identity of the copy. 1: there is an opinion; 0: answers are
 * missing. With last set, missing answers count as DNS errors and the result
 * is 1. libspf2 may end the process.
 */
int spf2_judge(struct spf2 *, const struct shadow_copy *, struct spf2_check *,
    int last, struct shadow_opinion *);

#endif
