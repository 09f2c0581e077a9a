/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_DECISION_H
#define UNPRIV_JUDGE_DECISION_H

#include "conf/conf.h"
#include "unpriv/spf/spf.h"

/* The identities of RFC 7208 2.3 and 2.4. */
enum judge_id {
	JUDGE_ID_NONE = 0,
	JUDGE_ID_HELO,
	JUDGE_ID_MAILFROM
};

/* What the result of one identity asks for. */
enum decision {
	DECISION_PREPEND = 0, /* accept, with a header field */
	DECISION_REJECT,
	DECISION_DEFER
};

/* 1 when HELO_reject lets the HELO name be checked (COMPAT "helo-null"). */
int decision_helo_checked(const struct conf *, int null_sender);
/*
 * The decision of HELO_reject or Mail_From_reject for the result of an identity
 * that is checked. listed: decision_listed() of its domain.
 */
enum decision decision_of(const struct conf *, enum judge_id, int listed,
    enum spf_result);
/* 1 when Reject_Not_Pass_Domains covers the domain. */
int decision_listed(const struct conf *, const char *domain);
/*
 * 1 when the HELO check can change the answer: reject, defer or, for policy,
 * answer HELO_pass_restriction. 0: it can at most give a header field, and
 * that only where the MAIL FROM result is None (COMPAT "none-skip").
 */
int decision_helo_weighs(const struct conf *, enum conf_program,
    int null_sender, const char *helo);

#endif
