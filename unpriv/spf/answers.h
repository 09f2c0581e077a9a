/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, shadow, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_ANSWERS_H
#define UNPRIV_SPF_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/dnsmsg.h"

/*
 * The DNS answers known to one check, and the questions that its last run
 * missed. The engine only calls answers_get(); whoever owns the check puts
 * answers in and takes the questions out.
 *
 *	do {
 *		answers_begin(a);
 *		r = judge_run(..., a, ...);
 *		while ((q = answers_next(a)) != NULL)
 *			ask q; later answers_put()
 *	} while (r == JUDGE_WAIT);
 */
enum answer_state {
	ANSWER_WANTED = 1, /* missed by a run, not handed out yet */
	ANSWER_ASKED,	   /* handed out by answers_next() */
	ANSWER_DONE
};

struct question {
	uint16_t type;
	uint8_t state;
	uint8_t wanted;	  /* missed by the run since begin */
	const char *name; /* lower case, see proto/dname.h */
	size_t namelen;
	struct dns_answer answer; /* when state is ANSWER_DONE */
};

#define ANSWERS_MAX 512 /* questions of one check, whatever happens */

struct answers;

/* NULL on no memory. Owned by the caller. */
struct answers *answers_new(void);
void answers_free(struct answers *);
void answers_reset(struct answers *);
void answers_begin(struct answers *);
/*
 * The answer, or NULL when it is not known yet; the question is then noted
 * as wanted. The name must be dname_valid(). Case does not matter. At
 * ANSWERS_MAX a constant answer with DNS_TEMPERROR is returned.
 */
const struct dns_answer *answers_get(struct answers *, uint16_t, const char *,
    size_t);
/* Notes a question for prefetch, without needing it in this run. */
void answers_hint(struct answers *, uint16_t, const char *, size_t);
/*
 * The next question in state ANSWER_WANTED, which becomes ANSWER_ASKED; or
 * NULL. The pointer is valid until reset; questions never move.
 */
struct question *answers_next(struct answers *);
/* The same, of those that the last run missed, guesses left aside. */
struct question *answers_needed(struct answers *);
/*
 * Stores a deep copy. 0; -1 when no such question was asked, when it is
 * done already, or on no memory (then the question is done as TEMPERROR).
 */
int answers_put(struct answers *, struct question *, const struct dns_answer *);
/* Finds a question by name, or NULL. */
struct question *answers_find(struct answers *, uint16_t, const char *, size_t);
/* Every question not done becomes done with this status. */
void answers_expire(struct answers *, enum dns_status);
/* Number of questions that the last run missed and that are not done. */
size_t answers_missing(const struct answers *);
/* Walks all questions in order of first need: index 0.., NULL at the end. */
const struct question *answers_at(const struct answers *, size_t);

#endif
