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
	enum conf_program program; /* chooses the wording */
	const struct conf *conf;   /* with the recipient's own settings */
	int peruser;		   /* Per_User is set */
	int smtputf8;		   /* UTF-8 is legal in headers */
	struct addr client;	   /* family 0: no usable address */
	const char *client_text;   /* as received, policy: lower case */
	const char *helo;	   /* NULL: missing, "": empty */
	const char *sender;	   /* without <>; "": null; NULL: missing */
	const char *recipient;	   /* NULL: missing */
	time_t now;
	int want_trace;
	int lists_late; /* do not wait for the answers of bypass lists */
};

enum judge_action {
	JUDGE_NOTHING = 0, /* dunno, continue */
	JUDGE_PREPEND,	   /* accept, with the header field if it is set */
	JUDGE_REJECT,
	JUDGE_DEFER,
	JUDGE_RESTRICTION /* policy: text is the Postfix action */
};

/* The kinds of log records. logline_record() adds spf-engine's words. */
enum judge_log_kind {
	JUDGE_LOG_TEXT = 0,    /* any other text */
	JUDGE_LOG_ERROR,       /* why nothing was checked */
	JUDGE_LOG_HEADER,      /* the header field is added */
	JUDGE_LOG_NO_HEADER,   /* it is not added */
	JUDGE_LOG_REFUSAL,     /* text is the outcome's answer */
	JUDGE_LOG_RESTRICTION, /* text is the outcome's answer */
	JUDGE_LOG_NOT_DONE     /* TestOnly = 0: the action that is not taken */
};

struct judge_log {
	struct judge_log *next;
	enum judge_log_kind kind;
	int level;	  /* the lowest debugLevel that logs it */
	const char *name; /* of the header field whose value text is, or NULL */
	const char *text; /* not escaped; the parent does that */
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
	/* PREPEND: a field, escaped, unfolded; NULL: Header_Type = None */
	const char *header_name;
	const char *header_value;
	/*
	 * REJECT, DEFER: the SMTP code; the enhanced code, NULL when
	 * SPF_Enhanced_Status_Codes is No; the text, at most 450 octets
	 * without controls. RESTRICTION: the text only.
	 */
	const char *code;
	const char *xcode;
	const char *text;
	/* REJECT, DEFER, RESTRICTION: the Postfix action, also for the log */
	const char *answer;
	const char *later;     /* policy, PREPEND: for later recipients */
	const char *not_done;  /* TestOnly = 0: the action not taken, or NULL */
	struct judge_log *log; /* in order */
	struct judge_checked helo, mailfrom;
};

enum judge_status {
	JUDGE_DONE = 0,
	JUDGE_WAIT
};

/*
 * Decides as spf-engine does, with the differences of COMPAT: bypass lists,
 * HELO, MAIL FROM, the action for the result, header field, reply and log
 * records. Pure; after JUDGE_WAIT the table holds the questions of all parts:
 * run it again when they are answered. Instances and InternalHosts are up to
 * the session. The outcome points into the arena or the request, or to
 * constants.
 */
enum judge_status judge_run(const struct judge_request *, struct answers *,
    struct arena *, struct judge_outcome *);
/*
 * The seconds that the DNS lookups of a message may take, and those after which
 * bypass lists without answers do not match. 0: the time is over at once;
 * JUDGE_NO_LIMIT: the lookups, or the lists, have no limit of their own.
 */
#define JUDGE_NO_LIMIT (-1)
int judge_time(const struct conf *);
int judge_lists_time(const struct conf *);
/* Notes the question that the check of a HELO name will need, as a hint. */
void judge_hint_helo(const struct conf *, const char *, struct answers *);

#endif
