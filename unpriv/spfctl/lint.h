/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_LINT_H
#define UNPRIV_SPFCTL_LINT_H

#include <sys/queue.h>

#include "proto/arena.h"
#include "proto/dname.h"
#include "unpriv/spf/parse.h"
#include "unpriv/spfctl/ctl.h"

enum lint_level {
	LINT_NOTE = 0, /* could be better */
	LINT_WARNING,
	LINT_ERROR, /* receivers will not do what is meant */
	LINT_LEVELS
};

/* One finding; the place is inside the record. */
struct lint_find {
	STAILQ_ENTRY(lint_find) entry;
	enum lint_level level;
	const char *code; /* a constant: "too-many-lookups" */
	const char *text; /* may hold octets from the wire */
	size_t pos, len;  /* len 0: no place */
};

/* One record of the tree. */
struct lint_record {
	STAILQ_ENTRY(lint_record) entry;
	struct lint_record *parent; /* that includes it, or NULL */
	char domain[DNAME_MAX + 1];
	size_t dlen;
	int depth;
	int redirected;	 /* reached by redirect= */
	const char *via; /* the parent's term, or NULL */
	const char *rec; /* in the answers; NULL: none */
	size_t reclen;
	unsigned int lookups; /* that it needs, all below included */
	int passing;	      /* here is passing at the top */
	int all_pass;	      /* +all */
	STAILQ_HEAD(, lint_find) finds;
};

struct lint_net {
	struct cidr net;
	int all; /* of both families */
};

#define LINT_NETS_MAX	 20000
#define LINT_RECORDS_MAX 100
#define LINT_TERMS_MAX	 200 /* lookups counted; ten are allowed */

/* One run. */
struct lint {
	struct ctl *ctl;
	struct answers *answers;
	struct arena *arena;
	STAILQ_HEAD(, lint_record) records;
	unsigned int nrecords;
	unsigned int lookups;
	unsigned int voids[2]; /* of IPv4 and of IPv6 clients */
	int waiting;
	int uncounted; /* exists, ptr, macros: more may pass */
	struct lint_net *nets;
	size_t nnets;
	unsigned int count[LINT_LEVELS];
	unsigned __int128 sum4, sum6;
	int whole6; /* all of IPv6: no sum6 */
};

void lint_find(struct lint *, struct lint_record *, enum lint_level,
    const char *code, const struct spf_term *, const char *, ...)
    __attribute__((__format__(printf, 6, 7)));

/*
 * The name that a term asks for, when it is the same for each message:
 * 1; 0 when macros decide; -1 when it is no name.
 */
int lint_target(struct lint *, const struct lint_record *,
    const struct spf_term *, char[DNAME_MAX + 1], size_t *);

/* ---- ctl_lint_tree.c: findings on all records together ---- */
void lint_tree(struct lint *);

/* ---- ctl_lint_net.c: what passes ---- */
void lint_net_add(struct lint *, const struct cidr *);
/* Sorts, merges and counts them. */
void lint_net_sum(struct lint *);
/* Decimal digits of a number that printf cannot print. */
const char *lint_number(unsigned __int128, char buf[64]);
/* Findings on the ip4 and ip6 terms of one record, against each other. */
void lint_net_record(struct lint *, struct lint_record *);

/* ---- ctl_lint_show.c ---- */
void lint_show(struct lint *);
void lint_json(struct lint *);

/*
 * spfctl lint DOMAIN. Exit status: 0 clean (or notes only), 1 warnings, 2
 * errors, 75 when DNS did not answer, 64 for a wrong argument.
 */
int ctl_lint(struct ctl *);

#endif
