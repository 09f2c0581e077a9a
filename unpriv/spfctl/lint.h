/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_LINT_H
#define UNPRIV_SPFCTL_LINT_H

#include <sys/queue.h>

#include "proto/arena.h"
#include "proto/dname.h"
#include "unpriv/spf/parse.h"
#include "unpriv/spfctl/ctl.h"

/*
 * spfctl lint: finds mistakes in a domain's record and in all that it refers
 * to. lint.c checks each record, lint_net.c networks and the addresses that
 * pass, lint_tree.c the records together; lint_show.c prints.
 */

enum lint_level {
	LINT_NOTE = 0, /* only on the domain's own records */
	LINT_WARNING,
	LINT_ERROR, /* receivers will not do what the owner wants */
	LINT_LEVELS
};

struct lint_finding {
	STAILQ_ENTRY(lint_finding) entry;
	enum lint_level level;
	const char *code; /* a constant: "too-many-lookups" */
	const char *text; /* may have octets from DNS */
	size_t pos, len;  /* in the record; len 0: no position */
};

struct lint_record {
	STAILQ_ENTRY(lint_record) entry;
	struct lint_record *parent; /* the record that refers to it, or NULL */
	char domain[DNAME_MAX + 1];
	size_t dlen;
	const char *via; /* the parent's term, or NULL */
	const char *rec; /* in the answers; NULL: none */
	size_t reclen;
	unsigned int lookups; /* with those of all records below */
	int own;	      /* the domain's, or reached by redirect= only */
	int passing;	      /* its pass is a pass of the domain */
	int all_pass;	      /* it passes every client */
	STAILQ_HEAD(, lint_finding) findings;
};

#define LINT_NETS_MAX	 20000
#define LINT_RECORDS_MAX 100
#define LINT_TERMS_MAX	 200 /* lookups counted */

struct lint {
	struct spfctl *ctl;
	char domain[DNAME_MAX + 1];
	size_t dlen;
	/* the results of one run over the answers */
	struct answers *answers;
	struct arena *arena;
	STAILQ_HEAD(, lint_record) records;
	unsigned int nrecords;
	unsigned int lookups;
	unsigned int voids[2]; /* for IPv4 and for IPv6 clients */
	int waiting;	       /* answers are missing */
	int uncounted;	       /* sums are inexact: exists, ptr, macros */
	struct cidr *nets;     /* that pass */
	size_t nnets;
	unsigned int count[LINT_LEVELS];
	unsigned __int128 sum4, sum6;
	int whole6; /* all of IPv6 passes: more than sum6 can hold */
};

/* Adds a finding, at the place of a term if that is not NULL and in r. */
void lint_add(struct lint *, struct lint_record *, enum lint_level,
    const char *code, const struct spf_term *, const char *, ...)
    __attribute__((__format__(printf, 6, 7)));

/*
 * Expands the name that a term refers to. Returns 1; 0 if it depends on the
 * message; -1 if it is not a valid name.
 */
int lint_target(struct lint *, const struct lint_record *,
    const struct spf_term *, char[DNAME_MAX + 1], size_t *);

/* Returns 1 if a client that matches the term passes for the domain. */
static inline int
lint_passes(const struct lint_record *r, const struct spf_term *t)
{
	return r->passing && t->qualifier == SPF_RESULT_PASS;
}

/* Adds the findings on all records together. */
void lint_tree(struct lint *);

/* Adds a network that passes. */
void lint_net_add(struct lint *, const struct cidr *);
/* Sorts and merges the networks, and counts their addresses. */
void lint_net_sum(struct lint *);
/* Returns the decimal digits of a number in buf. */
const char *lint_number(unsigned __int128, char buf[64]);
/* Adds the findings on the ip4 and ip6 terms of one record. */
void lint_net_record(struct lint *, struct lint_record *);

/* Print the findings as text and as JSON. */
void lint_show(struct lint *);
void lint_json(struct lint *);

#endif
