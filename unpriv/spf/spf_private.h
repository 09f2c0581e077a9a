/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_SPF_PRIVATE_H
#define UNPRIV_SPF_SPF_PRIVATE_H

#include "proto/dname.h"
#include "unpriv/spf/spf.h"

/*
 * What is shared by the engine's own files. Beside them only spfctl lint
 * includes this, for the parser and the macros.
 */

/* ---- spf_parse.c: RFC 7208 4.5, 4.6.1, 5, 6, 12 ---- */

enum spf_kind {
	SPF_T_ALL = 1,
	SPF_T_INCLUDE,
	SPF_T_A,
	SPF_T_MX,
	SPF_T_PTR,
	SPF_T_IP4,
	SPF_T_IP6,
	SPF_T_EXISTS,
	SPF_T_MECHANISMS, /* modifiers follow */
	SPF_T_REDIRECT,
	SPF_T_EXP,
	SPF_T_OTHER /* unknown modifier */
};

/* A term; pointers are into the record. */
struct spf_term {
	enum spf_kind kind;
	enum spf_result qualifier;
	const char *text; /* as written, qualifier included */
	size_t len;
	const char *spec; /* domain-spec, or NULL */
	size_t speclen;
	uint8_t len4, len6; /* a, mx */
	struct cidr net;    /* ip4, ip6 */
};

/* What is wrong with a record: "what" is a constant, arg is appended. */
struct spf_syntax {
	const char *what;
	const char *arg;
	size_t len;
};

struct spf_scan {
	const char *rec;
	size_t len;
	size_t pos;
};

/* RFC 7208 4.5: "v=spf1" and then SP or the end. */
int spf_is_record(const char *, size_t);
/* Begins behind the version of a record that spf_is_record(). */
void spf_scan_start(struct spf_scan *, const char *, size_t);
/* 1: a term, 0: the end, -1: syntax error. */
int spf_scan_next(struct spf_scan *, struct spf_term *, struct spf_syntax *);
/*
 * The whole record, once, before it is evaluated (4.6). redirect and exp
 * have kind 0 when the record has none. 0, or -1.
 */
int spf_record_check(const char *, size_t, struct spf_term *, struct spf_term *,
    struct spf_syntax *);

/* ---- spf_macro.c: RFC 7208 7 ---- */

struct spf_macro {
	char letter; /* lower case; 0: literal, see text */
	int url;     /* upper-case letter: URL escape */
	int reverse;
	unsigned int digits; /* 0: all */
	unsigned int delims; /* bits of SPF_DELIMITERS, 0: "." */
	const char *text;    /* of a literal */
	size_t textlen;
};

#define SPF_DELIMITERS ".-+,/_="

/*
 * The next piece of a macro-string: its length, or 0 when it is no legal
 * one. A run of literals is one piece.
 */
size_t spf_macro_next(const char *, size_t, struct spf_macro *);

#define SPF_MACRO_EXP 1 /* explain-string: SP, c, r and t allowed */

/*
 * Checks a macro-string. *end becomes the place behind its last
 * macro-expand (0: none). 0, or -1.
 */
int spf_macro_check(const char *, size_t, int, size_t *, struct spf_syntax *);

/* 1 when a checked macro-string holds %{s} or %{l}. */
int spf_macro_local(const char *, size_t);

/* ---- spf_eval.c ---- */

#define SPF_REASON_ARG 400 /* octets of a term in a reason text */

/* What a step of the evaluation knows. */
enum spf_step {
	SPF_NO = 0, /* done; does not match */
	SPF_YES,
	SPF_UNKNOWN, /* an answer is missing, or guessing ended */
	SPF_ERROR    /* result and reason are in the state */
};

/* One record on its way; redirect replaces it by its target's. */
struct spf_level {
	char domain[DNAME_MAX + 1];
	size_t dlen;
	int depth;
	const char *rec; /* in the answers table */
	size_t reclen;
	struct spf_term redirect, exp;
	struct spf_term matched; /* kind 0: none */
};

/* One run. */
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
	 * An answer was missing. From here on nothing is decided: the run
	 * goes on only to note what may be asked for at once.
	 */
	int waiting;
	int stop;      /* guessing further is of no use */
	int uncounted; /* lookups of exp= are not void ones */
	unsigned int lookups, voids;
	size_t work; /* octets expanded */
	enum spf_result error;
	const char *reason;
	struct spf_event *trace, *last;
	unsigned int nevents;
};

/* Room for any expansion; names keep the last octets, texts the first. */
struct spf_sink {
	char *buf;
	size_t size;
	size_t len;
	int tail; /* drop from the front when full */
	int cut;  /* something was dropped */
};

/* Sets result and reason "what arg: arg2"; the args may be NULL. */
enum spf_step spf_error(struct spf_state *, enum spf_result, const char *,
    const char *, size_t, const char *, size_t);
/* Counts a term that needs a lookup (4.6.4). */
enum spf_step spf_count_term(struct spf_state *);
/*
 * SPF_YES and an answer of any status; SPF_UNKNOWN; SPF_ERROR when it is
 * one void lookup too many or, with must, when the lookup failed.
 */
enum spf_step spf_lookup(struct spf_state *, const struct spf_level *, uint16_t,
    const char *, size_t, int must, const struct dns_answer **);
/* 1 when an answer holds the client's address, within the prefix length. */
int spf_has_client(const struct spf_state *, const struct dns_answer *,
    uint8_t len4, uint8_t len6);

/* The names of the client that hold (5.5); pointers into the answers. */
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

/*
 * Expands a macro-string that has been checked. SPF_YES; SPF_NO when it
 * needs a local part that has no place in it (RFC 8616 4); SPF_UNKNOWN;
 * SPF_ERROR.
 */
enum spf_step spf_expand(struct spf_state *, const struct spf_level *,
    const char *, size_t, struct spf_sink *);
/*
 * Target name of a term (4.8): SPF_YES; SPF_NO when no question can be made
 * of it, the name is set for messages nevertheless; SPF_UNKNOWN; SPF_ERROR.
 */
enum spf_step spf_target(struct spf_state *, const struct spf_level *,
    const struct spf_term *, char[DNAME_MAX + 1], size_t *);

/*
 * check_host(): finds, checks and evaluates the record of lv->domain. A
 * result, or SPF_RESULT_MAX when it is not known yet.
 */
enum spf_result spf_check_host(struct spf_state *, struct spf_level *);

/* ---- spf_mech.c ---- */

/* Evaluates one mechanism. */
enum spf_step spf_mechanism(struct spf_state *, struct spf_level *,
    const struct spf_term *);

/* ---- spf_check.c ---- */

/* NULL when no trace is wanted, while guessing, or when it is full. */
struct spf_event *spf_trace(struct spf_state *, enum spf_event_kind,
    const struct spf_level *, const char *, size_t, const char *, size_t);

#endif
