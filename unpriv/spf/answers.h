/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, shadow, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_ANSWERS_H
#define UNPRIV_SPF_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/dnsmsg.h"

/*
 * The DNS answers known to one check, and the questions that its last run
 * could not answer. The engine looks answers up; the owner of the check takes
 * the questions out and puts the answers in:
 *
 *	do {
 *		answers_begin(a);
 *		r = judge_run(..., a, ...);
 *		while ((q = answers_next(a)) != NULL)
 *			ask q; later answers_put()
 *	} while (r == JUDGE_WAIT);
 */
enum answers_state {
	ANSWERS_NOTED = 1, /* by a run or hint, not handed out yet */
	ANSWERS_ASKED,	   /* handed out by answers_next() */
	ANSWERS_DONE
};

struct answers_question {
	uint16_t type;
	uint8_t state;
	uint8_t wanted;	  /* looked up since answers_begin(); not a hint */
	const char *name; /* lower case, see proto/dname.h */
	size_t namelen;
	struct dns_answer answer; /* when state is ANSWERS_DONE */
};

#define ANSWERS_MAX 662 /* questions of one check */

struct answers;

/* NULL when there is no memory. The caller frees it. */
struct answers *answers_new(void);
void answers_free(struct answers *);
/* Removes all questions. */
void answers_reset(struct answers *);
/* Begins a run: clears wanted in all questions. */
void answers_begin(struct answers *);
/*
 * Returns an answer, or NULL when it is not known yet: then notes the question
 * as wanted. The name must be dname_valid(); case does not matter. At
 * ANSWERS_MAX a constant answer with DNS_TEMPERROR is returned.
 */
const struct dns_answer *answers_get(struct answers *, uint16_t, const char *,
    size_t);
/* Notes a hint: a question that a later run may need. */
void answers_hint(struct answers *, uint16_t, const char *, size_t);
/*
 * The next question in state ANSWERS_NOTED, which becomes ANSWERS_ASKED; or
 * NULL. The pointer is valid until answers_reset().
 */
struct answers_question *answers_next(struct answers *);
/* The same without hints: only questions that the last run wanted. */
struct answers_question *answers_needed(struct answers *);
/*
 * Stores a deep copy. 0; -1 when the question is not in state ANSWERS_ASKED,
 * or on no memory (then its answer is DNS_TEMPERROR).
 */
int answers_put(struct answers *, struct answers_question *,
    const struct dns_answer *);
/* Finds a question by name, or NULL. */
struct answers_question *answers_find(struct answers *, uint16_t, const char *,
    size_t);
/* Gives each question without an answer one with this status. */
void answers_expire(struct answers *, enum dns_status);
/* Number of questions that the last run wanted and that have no answer. */
size_t answers_missing(const struct answers *);
/* Question i in the order in which they were noted, or NULL at the end. */
const struct answers_question *answers_at(const struct answers *, size_t);

/* 1 when an A or AAAA answer has an address with the client's first bits. */
int answers_has_addr(const struct dns_answer *, const struct addr *client,
    uint8_t bits);
/*
 * Looks up the addresses of a name, of the client's family: 1 when the
 * client's is among them, 0 when not, -1 when the answer is not known yet.
 */
int answers_confirm(struct answers *, const char *, size_t,
    const struct addr *client);

#endif
