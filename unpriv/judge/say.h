/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_SAY_H
#define UNPRIV_JUDGE_SAY_H

#include "unpriv/judge/bypass.h"
#include "unpriv/judge/judge.h"

/* Fills in the texts of an outcome: header field, reply, log. For judge.c. */

/* One identity of the message. */
struct judge_identity {
	enum judge_id id;
	const char *domain;
	struct judge_checked *checked;
	int listed;		/* by Reject_Not_Pass_Domains */
	enum decision decision; /* when checked->done */
};

/* State of one judge_run(). */
struct judge_state {
	const struct judge_request *req;
	const struct conf *conf;
	struct answers *answers;
	struct arena *arena;
	struct judge_outcome *out;
	struct judge_log **tail; /* of out->log */

	struct addr ip; /* the address that is checked */
	const char *ip_text;
	const char *helo;   /* without trailing dot; "": none */
	const char *sender; /* without trailing dot; "": null */
	const char *local;  /* NULL: the sender has no '@' */
	const char *domain;
	int null_sender;
	struct judge_identity by_helo, by_mailfrom;
};

/* Adds a record, unless debugLevel is below level or text is NULL. */
void say_log(struct judge_state *, int level, enum judge_log_kind,
    const char *name, const char *text);
/*
 * At debugLevel 2: logs the result of an identity's check and, with fields set,
 * the values of its header field.
 */
void say_result(struct judge_state *, const struct judge_identity *,
    int fields);
/* The header field of a client that is exempt from the check. */
void say_bypass(struct judge_state *, const struct bypass_list *);
/* The header field with this identity's result. */
void say_header(struct judge_state *, const struct judge_identity *);
/* The reject or defer that the identity's decision asks for. */
void say_refusal(struct judge_state *, const struct judge_identity *);
/* A pass restriction: the Postfix action in the configuration. */
void say_restriction(struct judge_state *, const struct judge_identity *,
    const char *action);

#endif
