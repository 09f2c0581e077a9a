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
 * spfctl lint: looks for mistakes in the tree of records below a domain. lint.c
 * visits the records, lint_net.c counts the addresses that pass, lint_tree.c
 * judges all records together, lint_show.c prints.
 */

enum lint_level {
	LINT_NOTE = 0, /* could be better */
	LINT_WARNING,
	LINT_ERROR, /* receivers will not do what the owner wants */
	LINT_LEVELS
};

/* A finding; pos is an offset in the record. */
struct lint_finding {
	STAILQ_ENTRY(lint_finding) entry;
	enum lint_level level;
	const char *code; /* a constant: "too-many-lookups" */
	const char *text; /* may hold octets from DNS */
	size_t pos, len;  /* len 0: no position */
};

/* A record of the tree. */
struct lint_record {
	STAILQ_ENTRY(lint_record) entry;
	struct lint_record *parent; /* refers to it, or NULL */
	char domain[DNAME_MAX + 1];
	size_t dlen;
	int depth;
	int redirected;	 /* reached by redirect= */
	const char *via; /* the parent's term, or NULL */
	const char *rec; /* in the answers; NULL: none */
	size_t reclen;
	unsigned int lookups; /* with those of all records below */
	int passing;	      /* pass here is pass at the top */
	int all_pass;	      /* +all */
	STAILQ_HEAD(, lint_finding) findings;
};

struct lint_net {
	struct cidr net;
	int all; /* of both families */
};

#define LINT_NETS_MAX	 20000
#define LINT_RECORDS_MAX 100
#define LINT_TERMS_MAX	 200 /* lookups counted */

/* One run. */
struct lint {
	struct spfctl *ctl;
	struct answers *answers;
	struct arena *arena;
	STAILQ_HEAD(, lint_record) records;
	unsigned int nrecords;
	unsigned int lookups;
	unsigned int voids[2]; /* for IPv4 and for IPv6 clients */
	int waiting;
	int uncounted; /* sums are inexact: exists, ptr, macros */
	struct lint_net *nets;
	size_t nnets;
	unsigned int count[LINT_LEVELS];
	unsigned __int128 sum4, sum6;
	int whole6; /* all of IPv6 passes, which sum6 cannot hold */
};

/*
 * Adds a finding at the text of a term, which may be NULL or lie in another
 * record.
 */
void lint_add(struct lint *, struct lint_record *, enum lint_level,
    const char *code, const struct spf_term *, const char *, ...)
    __attribute__((__format__(printf, 6, 7)));

/*
 * The target name of a term: 1; 0 when it depends on the message, by macros;
 * -1 when it is no name.
 */
int lint_target(struct lint *, const struct lint_record *,
    const struct spf_term *, char[DNAME_MAX + 1], size_t *);

/* Adds the findings on all records together. */
void lint_tree(struct lint *);

/* Keeps a network that passes. */
void lint_net_add(struct lint *, const struct cidr *);
/* Sorts and merges the networks, and counts their addresses. */
void lint_net_sum(struct lint *);
/* The decimal digits of a number too large for printf(3), in buf. */
const char *lint_number(unsigned __int128, char buf[64]);
/* Adds the findings on the ip4 and ip6 terms of one record. */
void lint_net_record(struct lint *, struct lint_record *);

/* Print the findings as text and as JSON. */
void lint_show(struct lint *);
void lint_json(struct lint *);

#endif
