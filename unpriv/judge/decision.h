/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_DECISION_H
#define UNPRIV_JUDGE_DECISION_H

#include "conf/conf.h"
#include "unpriv/judge/judge.h"
#include "unpriv/spf/spf.h"

/* What the result of one identity asks for. */
enum decision {
	DECISION_PREPEND = 0, /* goes on, with a header in the end */
	DECISION_REJECT,
	DECISION_DEFER,
	DECISION_NOTE /* HELO_reject = Null: as prepend, no weight */
};

/*
 * One identity's case. listed: Reject_Not_Pass_Domains names its domain.
 * Only for keys other than No_Check.
 */
enum decision decision_of(const struct conf *, enum judge_identity,
    int null_sender, int listed, enum spf_result);
/* 1 when the identity's domain is listed and the list has a say here. */
int decision_listed(const struct conf *, enum judge_identity, int null_sender,
    const char *domain);
/*
 * 1 when some result of the HELO check could reject, defer or, for the
 * policy voice, give a restriction. 0: it can only ever give a header, and
 * only where the MAIL FROM result is None (COMPAT "none-skip").
 */
int decision_helo_weighs(const struct conf *, enum judge_voice, int null_sender,
    const char *helo);

#endif
