/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_SPF_SPF_H
#define UNPRIV_SPF_SPF_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "proto/addr.h"
#include "proto/arena.h"
#include "unpriv/spf/answers.h"

/* RFC 7208 2.6 */
enum spf_result {
	SPF_RESULT_NONE = 0,
	SPF_RESULT_NEUTRAL,
	SPF_RESULT_PASS,
	SPF_RESULT_FAIL,
	SPF_RESULT_SOFTFAIL,
	SPF_RESULT_TEMPERROR,
	SPF_RESULT_PERMERROR,
	SPF_RESULT_MAX
};

/* RFC 7208 4.6.4. The request has the limit of void lookups. */
#define SPF_MAX_TERMS 10 /* terms that need a lookup */
#define SPF_MAX_MX    10
#define SPF_MAX_PTR   10

#define SPF_MAX_EVENTS 400 /* in a trace */

/*
 * check_host() arguments (RFC 7208 4.1). local and domain are <sender>
 * already split; domain has no trailing dot. An empty or missing (NULL) local
 * part is "postmaster" (4.3). All strings are NUL-terminated bytes as received;
 * the engine converts U-labels for queries (RFC 8616).
 */
struct spf_request {
	struct addr client; /* IPv4-mapped addresses count as IPv4 */
	const char *helo;   /* %{h} */
	const char *local;
	const char *domain;
	const char *receiver;	 /* %{r}; "unknown" when NULL */
	time_t now;		 /* %{t} */
	unsigned int void_limit; /* RFC 7208 4.6.4: 2 */
	int void_any;		 /* Void_Family = any; see spf_lookup() */
	int want_trace;
};

/* One step of an evaluation, for spfctl check; made only with want_trace. */
enum spf_event_kind {
	SPF_EV_RECORD = 1, /* text: the record; domain: its owner */
	SPF_EV_TERM,	   /* text: the term; matched: whether it did */
	SPF_EV_LOOKUP,	   /* type, domain; look the answer up in the table */
	SPF_EV_RESULT,	   /* result of one check_host() level */
	SPF_EV_ERROR	   /* text: what is wrong */
};

struct spf_event {
	struct spf_event *next;
	enum spf_event_kind kind;
	int depth;		/* 0: the record of the sender's domain */
	int matched;		/* TERM: 1 yes, 0 no */
	enum spf_result result; /* RESULT; TERM's qualifier */
	uint16_t type;		/* LOOKUP */
	int other_family;	/* LOOKUP: only to tell whether one is void */
	unsigned int lookups;	/* counts after this step */
	unsigned int voids;
	size_t pos, len; /* TERM: place in the record */
	const char *domain;
	const char *text;
};

struct spf_verdict {
	enum spf_result result;
	/*
	 * Why, in spf-engine's words: "sender SPF authorized",
	 * "SPF Permanent Error: Unknown mechanism found: foo:bar", ... Empty
	 * for none. explanation is the expanded text of exp=, printable ASCII
	 * (RFC 7208 6.2), or NULL.
	 */
	const char *reason;
	const char *explanation; /* for fail and softfail; see spf_check() */
	const char *matched;	 /* the term that decided, or NULL */
	unsigned int lookups;	 /* terms that needed a lookup */
	unsigned int voids;
	struct spf_event *trace;
};

enum spf_status {
	SPF_DONE = 0, /* the verdict is final */
	SPF_WAIT      /* answers are missing: get them and run again */
};

extern const char *const spf_result_name[SPF_RESULT_MAX];  /* "pass" */
extern const char *const spf_result_title[SPF_RESULT_MAX]; /* "Pass" */

/*
 * check_host() (RFC 7208 4). Reads the table of answers, notes there the
 * questions that are missing and those that later terms will need, allocates
 * from the arena only and makes no system call. The same arguments and answers
 * give the same verdict. Pointers in the verdict are into the arena or to
 * constants. The explanation is that of the sender's domain or of the last
 * redirect (6.2), for fail and, as in spf-engine, for softfail. When the arena
 * is exhausted the result is permerror.
 */
enum spf_status spf_check(const struct spf_request *, struct answers *,
    struct arena *, struct spf_verdict *);

#endif
