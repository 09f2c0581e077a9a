/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_STATE_H
#define UNPRIV_SPF_STATE_H

#include "proto/dname.h"
#include "unpriv/spf/parse.h"

/* The state of one run of the engine: error, trace, limits, lookups. */

#define SPF_REASON_ARG 400 /* octets of one argument of a reason */

/* The outcome of one step of the evaluation. */
enum spf_step {
	SPF_NO = 0, /* does not match */
	SPF_YES,
	SPF_UNKNOWN, /* an answer is missing, or hints ended */
	SPF_ERROR    /* result and reason are in the state */
};

/* One record under evaluation; redirect replaces it by its target's. */
struct spf_level {
	char domain[DNAME_MAX + 1];
	size_t dlen;
	int depth;
	const char *rec; /* in the answers table */
	size_t reclen;
	struct spf_term redirect, exp;
	struct spf_term matched; /* kind 0: none */
};

struct spf_state {
	const struct spf_request *req;
	struct answers *answers;
	struct arena *arena;
	struct addr client;
	uint16_t atype; /* A or AAAA, by the client */
	const char *local;
	int local_ascii;
	const char *sender;	    /* local@domain */
	const char *helo;	    /* in A-labels where possible */
	char domain[DNAME_MAX + 1]; /* of the sender, A-labels */
	size_t dlen;
	/*
	 * An answer is missing: the run decides nothing more, and continues
	 * only to note the questions that can be asked now.
	 */
	int waiting;
	int stop;      /* further hints are useless */
	int uncounted; /* do not count void lookups now */
	unsigned int lookups, voids;
	size_t work; /* octets expanded */
	enum spf_result error;
	const char *reason;
	struct spf_event *trace, *last;
	unsigned int nevents;
};

/*
 * Starts a run. 0, or -1 when the arena is exhausted or the domain has no
 * form that DNS can be asked for (RFC 8616 4).
 */
int spf_state_init(struct spf_state *, const struct spf_request *,
    struct answers *, struct arena *);
/* Copies text of the wire as a C string: NUL becomes '?'. NULL: no memory. */
const char *spf_strndup(struct spf_state *, const char *, size_t);
/*
 * Appends to the trace. lv gives the depth and, when domain is NULL, the
 * domain; lv and text may be NULL. Returns NULL when the caller wants no
 * trace, while the run only notes hints, and when the trace is full.
 */
struct spf_event *spf_trace(struct spf_state *, enum spf_event_kind,
    const struct spf_level *, const char *domain, size_t, const char *text,
    size_t);
/*
 * Sets result and reason: what, then arg, then ": " and arg2, where they are
 * not NULL. SPF_ERROR, or SPF_UNKNOWN while the run only notes hints.
 */
enum spf_step spf_error(struct spf_state *, enum spf_result, const char *what,
    const char *arg, size_t, const char *arg2, size_t);
/* The same for permerror, with one argument. */
enum spf_step spf_permerror(struct spf_state *, const char *what,
    const char *arg, size_t);
/* Counts a term that needs a lookup (RFC 7208 4.6.4). */
enum spf_step spf_count_term(struct spf_state *);
/*
 * SPF_YES with an answer of any status; SPF_UNKNOWN; SPF_ERROR when this is
 * one void lookup too many or, with must, when the lookup failed. With void_any
 * and must, an empty answer for A or AAAA is a void lookup only if the name has
 * no address of the other family either; asks for that one, too.
 */
enum spf_step spf_lookup(struct spf_state *, const struct spf_level *,
    uint16_t type, const char *name, size_t, int must,
    const struct dns_answer **);
/*
 * Looks up the addresses of a name, of the client's family. SPF_YES when one
 * has the client's first len4 or len6 bits; SPF_NO; otherwise as spf_lookup().
 */
enum spf_step spf_has_client(struct spf_state *, const struct spf_level *,
    const char *name, size_t, int must, uint8_t len4, uint8_t len6);

/* The validated names of the client (RFC 7208 5.5), in the answers table. */
struct spf_names {
	size_t n;
	struct {
		const char *s;
		size_t len;
	} name[SPF_MAX_PTR];
};
/* SPF_YES, SPF_UNKNOWN, or SPF_ERROR (void lookups). */
enum spf_step spf_client_names(struct spf_state *, const struct spf_level *,
    struct spf_names *);

#endif
