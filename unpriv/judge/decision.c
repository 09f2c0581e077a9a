/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/dname.h"
#include "unpriv/judge/decision.h"

/* A cell of the table: the decision, or the key that makes it. */
enum cell {
	PRE = 0, /* prepend */
	REJ,	 /* reject */
	PRM,	 /* reject if PermError_reject, else prepend */
	TMP	 /* defer if TempError_Defer, else prepend */
};

/* A row of the table: a value of the keys. */
enum row {
	ROW_OTHER = 0,
	ROW_NOT_PASS,
	ROW_SOFTFAIL,
	ROW_FAIL,
	ROW_FALSE,
	ROW_MAX
};

/* Serves HELO_reject and Mail_From_reject. The columns are enum spf_result. */
/* clang-format off */
static const unsigned char table[ROW_MAX][SPF_RESULT_MAX] = {
			   /* None Neut Pass Fail Soft Temp Perm */
	[ROW_OTHER]	= { PRE, PRE, PRE, PRE, PRE, TMP, PRM },
	[ROW_NOT_PASS]	= { PRE, REJ, PRE, REJ, REJ, TMP, PRM },
	[ROW_SOFTFAIL]	= { PRE, PRE, PRE, REJ, REJ, TMP, PRM },
	[ROW_FAIL]	= { PRE, PRE, PRE, REJ, PRE, TMP, PRM },
	[ROW_FALSE]	= { PRE, PRE, PRE, PRE, PRE, PRE, PRE }
};

/* For HELO_reject = Null see row_of(). */
static const unsigned char rows[] = {
	[REJECT_OTHER] = ROW_OTHER, [REJECT_NOT_PASS] = ROW_NOT_PASS,
	[REJECT_SOFTFAIL] = ROW_SOFTFAIL, [REJECT_FAIL] = ROW_FAIL,
	[REJECT_NULL] = ROW_OTHER, [REJECT_FALSE] = ROW_FALSE,
	[REJECT_NO_CHECK] = ROW_FALSE
};
/* clang-format on */

static enum row
row_of(const struct conf *conf, enum judge_id id)
{
	if (id != JUDGE_ID_HELO)
		return rows[conf->mail_from_reject];
	if (conf->helo_reject == REJECT_NULL)
		return ROW_FAIL;
	return rows[conf->helo_reject];
}

int
decision_helo_checked(const struct conf *conf, int null_sender)
{
	return conf->helo_reject == REJECT_NULL ?
	    null_sender :
	    conf->helo_reject != REJECT_NO_CHECK;
}

enum decision
decision_of(const struct conf *conf, enum judge_id id, int listed,
    enum spf_result result)
{
	switch (table[listed ? ROW_NOT_PASS : row_of(conf, id)][result]) {
	case REJ:
		return DECISION_REJECT;
	case PRM:
		return conf->permerror_reject ? DECISION_REJECT :
						DECISION_PREPEND;
	case TMP:
		return conf->temperror_defer ? DECISION_DEFER :
					       DECISION_PREPEND;
	default:
		return DECISION_PREPEND;
	}
}

int
decision_listed(const struct conf *conf, const char *domain)
{
	const struct conf_strs *list = &conf->reject_not_pass_domains;
	size_t i, len;

	for (i = 0; i < list->n; i++) {
		len = dname_undot(list->v[i], strlen(list->v[i]));
		if (len > 0 &&
		    dname_is_below(domain, strlen(domain), list->v[i], len))
			return 1;
	}
	return 0;
}

int
decision_helo_weighs(const struct conf *conf, enum conf_program program,
    int null_sender, const char *helo)
{
	int listed, r;
	enum decision d;

	if (!decision_helo_checked(conf, null_sender))
		return 0;
	if (program == CONF_POLICY && conf->helo_pass_restriction[0] != '\0')
		return 1;
	listed = decision_listed(conf, helo);
	for (r = 0; r < SPF_RESULT_MAX; r++) {
		d = decision_of(conf, JUDGE_ID_HELO, listed, r);
		if (d == DECISION_REJECT || d == DECISION_DEFER)
			return 1;
	}
	return 0;
}
