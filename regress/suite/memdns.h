/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests of the engine. */

#ifndef REGRESS_SUITE_MEMDNS_H
#define REGRESS_SUITE_MEMDNS_H

#include "unpriv/spf/spf.h"

/* A DNS in memory: a table of records, and a driver of spf_check(). */
struct memdns;

struct memdns *memdns_new(void);
void memdns_free(struct memdns *);
void memdns_clear(struct memdns *);
/* Makes a name exist, maybe without records. */
void memdns_name(struct memdns *, const char *, size_t);
/*
 * Adds a record. data is what struct dns_rr holds; DNS_T_CNAME (5) is
 * followed. Names may have a trailing dot.
 */
#define DNS_T_CNAME 5
void memdns_add(struct memdns *, const char *, size_t, uint16_t, const void *,
    size_t, uint16_t);
/* Adds an A or AAAA record from the text of an address. */
void memdns_addr(struct memdns *, const char *, const char *);
void memdns_txt(struct memdns *, const char *, const char *);
/*
 * Questions for this name and type (0: each type without records) get this
 * status.
 */
void memdns_fail(struct memdns *, const char *, size_t, uint16_t,
    enum dns_status);

/* Answers one question as a resolver would: follows CNAMEs. */
void memdns_answer(struct memdns *, struct answers *,
    struct answers_question *);

enum memdns_order {
	MEMDNS_ALL = 0, /* each round answers all questions */
	MEMDNS_NEEDED,	/* only what the run missed, no hints */
	MEMDNS_RANDOM	/* this and above: seeds of a random order */
};

struct memdns_run {
	unsigned int rounds;	/* of questions and answers */
	unsigned int questions; /* in all rounds */
	int stuck;		/* SPF_WAIT without a question */
};

/* Runs spf_check() to its end. The verdict is in the arena. */
void memdns_check(struct memdns *, const struct spf_request *,
    unsigned int order, struct answers *, struct arena *, struct spf_verdict *,
    struct memdns_run *);
/* 1 when result, texts and counts are the same. */
int memdns_same(const struct spf_verdict *, const struct spf_verdict *);

#endif
