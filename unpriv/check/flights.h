/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every role that asks dns, policyd-spf, spfctl; on libevent. */

#ifndef UNPRIV_CHECK_FLIGHTS_H
#define UNPRIV_CHECK_FLIGHTS_H

#include <sys/queue.h>

#include <stddef.h>

#include "unpriv/spf/answers.h"

/*
 * The questions of one table of answers that are under way to dns. An answer
 * is stored in the table, DNS_TEMPERROR for a malformed one; then the table's
 * owner is called.
 */
struct asker;
struct flight;

/* The question has its answer. The owner may free itself and the flights. */
typedef void (*flights_fn)(const struct answers_question *, void *);

struct flights {
	LIST_HEAD(, flight) list;
	size_t n; /* under way */
	struct asker *asker;
	struct answers *answers;
	flights_fn answered;
	void *arg;
};

/* The function may be NULL. The caller keeps the table and the asker. */
void flights_init(struct flights *, struct asker *, struct answers *,
    flights_fn, void *);
/* Cancels all: no call follows, and the table gets no answer. */
void flights_cancel(struct flights *);
/*
 * Asks a question in state ANSWERS_ASKED; the owner is never called inside.
 * 1 when it is under way; 0 when asker_ask() fails: the answer is then
 * DNS_TEMPERROR.
 */
int flights_ask(struct flights *, struct answers_question *);
/* The same, asking dns for another name (an alias) than the question's. */
int flights_ask_name(struct flights *, struct answers_question *, const char *,
    size_t);
/* Asks for all that answers_next() gives. Returns how many are under way. */
size_t flights_ask_all(struct flights *);
/* The question asked last of those under way, or NULL. */
const struct answers_question *flights_last(const struct flights *);

#endif
