/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_JUDGE_H
#define UNPRIV_JUDGE_JUDGE_H

#include <time.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/arena.h"
#include "unpriv/judge/decision.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spf/spf.h"

struct bypass_list;

/*
 * One message (milter) or recipient (policy). Strings are octets as received,
 * with a NUL inside replaced by '?'.
 */
struct judge_request {
	enum conf_program program; /* whose words are used */
	const struct conf *conf;   /* with the recipient's own settings */
	int peruser;		   /* per-user settings are in use */
	int smtputf8;		   /* UTF-8 is legal in headers */
	struct addr client;	   /* family 0: no usable address */
	const char *client_text;   /* as received, policy: lower case */
	const char *helo;	   /* NULL: missing, "": empty */
	const char *sender;	   /* without <>; "": null; NULL: missing */
	const char *recipient;	   /* NULL: missing */
	time_t now;
	int want_trace;
	int lists_late; /* a list that lacks an answer does not match */
};

enum judge_action {
	JUDGE_NOTHING = 0, /* dunno, continue */
	JUDGE_PREPEND,	   /* accept, with the header field if it is set */
	JUDGE_REJECT,
	JUDGE_DEFER,
	JUDGE_RESTRICTION /* policy: text is the Postfix action */
};

/* What a record says; spf-engine's words for it are logline_record()'s. */
enum judge_log_kind {
	JUDGE_LOG_TEXT = 0,    /* the text as it is */
	JUDGE_LOG_ERROR,       /* likewise: why nothing was checked */
	JUDGE_LOG_HEADER,      /* the header field is added */
	JUDGE_LOG_NO_HEADER,   /* it is not added */
	JUDGE_LOG_REFUSAL,     /* text is the outcome's answer */
	JUDGE_LOG_RESTRICTION, /* likewise */
	JUDGE_LOG_NOT_DONE     /* TestOnly = 0: what would have been done */
};

struct judge_log {
	struct judge_log *next;
	enum judge_log_kind kind;
	int level;	  /* debugLevel from which on it is logged */
	const char *name; /* of the header field that text is the value of */
	const char *text; /* not escaped; the logger does that */
};

/* One identity that was checked. */
struct judge_checked {
	int done;
	struct spf_verdict verdict;
};

struct judge_outcome {
	enum judge_action action;
	enum judge_id identity;		   /* that decided */
	enum spf_result result;		   /* of that identity */
	const struct bypass_list *skipped; /* the list that matched, or NULL */
	/*
	 * PREPEND: a header field, escaped and unfolded; NULL when
	 * Header_Type is None.
	 */
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
	 * REJECT, DEFER, RESTRICTION: policy's answer, a Postfix action. The
	 * milter's log shows it as well.
	 */
	const char *answer;
	/* Policy, PREPEND: the answer for later recipients, or NULL. */
	const char *later;
	const char *not_done;  /* TestOnly = 0: what would have been done */
	struct judge_log *log; /* in order */
	struct judge_checked helo, mailfrom;
};

enum judge_status {
	JUDGE_DONE = 0,
	JUDGE_WAIT
};

/*
 * The whole decision of spf-engine, with the differences of COMPAT: bypass
 * lists, HELO, MAIL FROM, the action for the result, header field, reply and
 * log records. Pure and run again like spf_check(); JUDGE_WAIT leaves the
 * questions of all its parts in the table. Instances and InternalHosts are
 * the session's concern. Pointers of the outcome point into the arena or the
 * request, or to constants.
 */
enum judge_status judge_run(const struct judge_request *, struct answers *,
    struct arena *, struct judge_outcome *);
/* Adds the question that a HELO name will need (prefetch at HELO). */
void judge_hint_helo(const struct conf *, const char *, struct answers *);

#endif
