/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_JUDGE_H
#define UNPRIV_JUDGE_JUDGE_H

#include <time.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/arena.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spf/spf.h"

/* Which of the originals speaks: their texts differ. */
enum judge_voice {
	JUDGE_POLICY = 0,
	JUDGE_MILTER
};

/*
 * One message (milter) or recipient (policy). Strings are NUL-terminated
 * bytes as received, a NUL inside having been replaced by '?'.
 */
struct judge_request {
	enum judge_voice voice;
	const struct conf *conf; /* effective, per-user already applied */
	int peruser;		 /* conf->per_user is set (receiver=) */
	int smtputf8;		 /* UTF-8 is legal in headers */
	struct addr client;	 /* family 0: no usable address */
	const char *client_text; /* as received, policy: lower case */
	const char *helo;	 /* NULL: missing, "": empty */
	const char *sender;	 /* without <>; "": null; NULL: missing */
	const char *recipient;	 /* NULL: missing */
	time_t now;
	int want_trace;
	/*
	 * Whitelist_Lookup_Time has passed: a list that still lacks an
	 * answer does not match.
	 */
	int lists_late;
};

enum judge_action {
	JUDGE_NOTHING = 0, /* dunno, continue */
	JUDGE_PREPEND,	   /* header is set, or suppressed */
	JUDGE_REJECT,
	JUDGE_DEFER,
	JUDGE_RESTRICTION /* policy: text is the Postfix action */
};

enum judge_identity {
	JUDGE_ID_NONE = 0,
	JUDGE_ID_HELO,
	JUDGE_ID_MAILFROM
};

struct judge_log {
	struct judge_log *next;
	int level;	  /* debugLevel at which it is logged */
	int err;	  /* 1: LOG_ERR instead of LOG_INFO */
	const char *text; /* escaped by the logger */
};

/* One identity that was checked. */
struct judge_checked {
	int done;
	struct spf_verdict verdict;
};

struct judge_outcome {
	enum judge_action action;
	enum judge_identity identity; /* that decided */
	enum spf_result result;	      /* of that identity */
	const char *skipped; /* name of the list that matched, or NULL */
	/*
	 * PREPEND: one header field, unfolded, escaped; NULL when
	 * Header_Type is None. header_name and header_value are the same in
	 * two parts. own_ar: Authentication-Results with our own id.
	 */
	const char *header;
	const char *header_name;
	const char *header_value;
	/*
	 * REJECT, DEFER: SMTP codes ("550", "5.7.23" or NULL when
	 * SPF_Enhanced_Status_Codes is No) and text, at most 450 octets,
	 * without controls. RESTRICTION: text only.
	 */
	const char *code;
	const char *xcode;
	const char *text;
	/*
	 * Policy, PREPEND: what later recipients of the message are answered
	 * (a Postfix action); NULL: nothing.
	 */
	const char *later;
	const char *not_done;  /* TestOnly = 0: what would have been */
	struct judge_log *log; /* records in order */
	struct judge_checked helo, mailfrom;
};

enum judge_status {
	JUDGE_DONE = 0,
	JUDGE_WAIT
};

/*
 * The whole decision of spf-engine with the decided differences: bypass
 * lists, HELO, MAIL FROM, result to action, header, reply and log text. Pure
 * and re-runnable like spf_check(); notes all questions that any of its parts
 * misses. Instances and InternalHosts are the session's matter. All pointers
 * of the outcome live in the arena, in the request or are constants.
 */
enum judge_status judge_run(const struct judge_request *, struct answers *,
    struct arena *, struct judge_outcome *);
/* Notes the question that a HELO name will need (prefetch at HELO). */
void judge_hint_helo(const struct conf *, const char *, struct answers *);
/*
 * Folds a header value for the milter: only at white space between fields,
 * never inside a token (COMPAT "fold"); newline is LF and three blanks as
 * in spf-engine. name is needed for the length of the first line.
 */
const char *judge_fold(const char *name, const char *value, struct arena *);

#endif
