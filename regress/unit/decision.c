/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Every cell of HELO_reject and Mail_From_reject, and what changes them. */

#include "unpriv/judge/decision.h"
#include "regress/unit/check.h"

/* The columns of the tables as they are printed there. */
/* clang-format off */
static const enum spf_result column[] = {
	SPF_RESULT_PASS, SPF_RESULT_FAIL, SPF_RESULT_SOFTFAIL,
	SPF_RESULT_NEUTRAL, SPF_RESULT_NONE, SPF_RESULT_PERMERROR,
	SPF_RESULT_TEMPERROR
};

/* p prepend, r reject, P reject if PermError_reject, T defer if ... */
static const struct {
	const char	*name;
	enum judge_id id;
	enum conf_reject key;
	int		 listed;
	const char	*cells;
} rows[] = {
	{ "helo-not-pass", JUDGE_ID_HELO, REJECT_NOT_PASS, 0, "prrrpPT" },
	{ "helo-softfail", JUDGE_ID_HELO, REJECT_SOFTFAIL, 0, "prrppPT" },
	{ "helo-fail", JUDGE_ID_HELO, REJECT_FAIL, 0, "prpppPT" },
	{ "helo-null-bounce", JUDGE_ID_HELO, REJECT_NULL, 0, "prpppPT" },
	{ "helo-false", JUDGE_ID_HELO, REJECT_FALSE, 0, "ppppppp" },
	{ "helo-other", JUDGE_ID_HELO, REJECT_OTHER, 0, "pppppPT" },
	{ "mfrom-not-pass", JUDGE_ID_MAILFROM, REJECT_NOT_PASS, 0,
	    "prrrpPT" },
	{ "mfrom-softfail", JUDGE_ID_MAILFROM, REJECT_SOFTFAIL, 0,
	    "prrppPT" },
	{ "mfrom-fail", JUDGE_ID_MAILFROM, REJECT_FAIL, 0, "prpppPT" },
	{ "mfrom-false", JUDGE_ID_MAILFROM, REJECT_FALSE, 0, "ppppppp" },
	{ "mfrom-other", JUDGE_ID_MAILFROM, REJECT_OTHER, 0, "pppppPT" },
	{ "mfrom-null", JUDGE_ID_MAILFROM, REJECT_NULL, 0, "pppppPT" },
	{ "mfrom-listed", JUDGE_ID_MAILFROM, REJECT_FALSE, 1, "prrrpPT" },
	{ "helo-listed", JUDGE_ID_HELO, REJECT_OTHER, 1, "prrrpPT" },
	{ "helo-null-bounce-listed", JUDGE_ID_HELO, REJECT_NULL, 1,
	    "prrrpPT" }
};
/* clang-format on */

static enum decision
expected(char cell, int perm, int temp)
{
	switch (cell) {
	case 'r':
		return DECISION_REJECT;
	case 'P':
		return perm ? DECISION_REJECT : DECISION_PREPEND;
	case 'T':
		return temp ? DECISION_DEFER : DECISION_PREPEND;
	default:
		return DECISION_PREPEND;
	}
}

static void
test_tables(void)
{
	char name[80];
	struct conf conf;
	enum decision got, want;
	size_t i, c;
	int keys;

	memset(&conf, 0, sizeof(conf));
	for (i = 0; i < NITEMS(rows); i++) {
		conf.helo_reject = conf.mail_from_reject = rows[i].key;
		for (c = 0; c < 7; c++) {
			for (keys = 0; keys < 4; keys++) {
				conf.permerror_reject = keys & 1;
				conf.temperror_defer = keys >> 1;
				got = decision_of(&conf, rows[i].id,
				    rows[i].listed, column[c]);
				want = expected(rows[i].cells[c], keys & 1,
				    keys >> 1);
				snprintf(name, sizeof(name),
				    "decision/%s/%zu/%d", rows[i].name, c,
				    keys);
				check_int(name, got, want);
			}
		}
	}
}

/* COMPAT "subdomains" */
static void
test_listed(void)
{
	static char soft[] = "Soft.Test", dot[] = "dot.test.", empty[] = "";
	char *v[] = { empty, soft, dot };
	struct conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.reject_not_pass_domains.v = v;
	conf.reject_not_pass_domains.n = 3;
#define LISTED(d) decision_listed(&conf, d)
	check("listed/same", LISTED("soft.test"));
	check("listed/below", LISTED("a.soft.TEST"));
	check("listed/label-boundary", !LISTED("xsoft.test"));
	check("listed/parent", !LISTED("test"));
	check("listed/entry-with-dot", LISTED("x.dot.test"));
	check("listed/empty-entry", !LISTED("other.test"));
}

/* COMPAT "none-skip": only what is provable. */
static void
test_weighs(void)
{
	static char unset[] = "", set[] = "permit", soft[] = "soft.test";
	char *v[] = { soft };
	struct conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.helo_pass_restriction = unset;
	conf.helo_reject = REJECT_FAIL;
#define WEIGHS(voice, null, h) decision_helo_weighs(&conf, voice, null, h)
	check("weighs/fail", WEIGHS(CONF_POLICY, 0, "x.test"));
	conf.helo_reject = REJECT_FALSE;
	conf.permerror_reject = conf.temperror_defer = 1;
	check("weighs/false", !WEIGHS(CONF_POLICY, 0, "x.test"));
	conf.reject_not_pass_domains.v = v;
	conf.reject_not_pass_domains.n = 1;
	check("weighs/listed", WEIGHS(CONF_POLICY, 0, "soft.test"));
	check("weighs/not-listed", !WEIGHS(CONF_POLICY, 0, "x.test"));
	conf.helo_reject = REJECT_OTHER;
	check("weighs/other-permerror", WEIGHS(CONF_MILTER, 0, "x.test"));
	conf.permerror_reject = 0;
	check("weighs/other-temperror", WEIGHS(CONF_MILTER, 0, "x.test"));
	conf.temperror_defer = 0;
	check("weighs/other", !WEIGHS(CONF_MILTER, 0, "x.test"));
	conf.helo_reject = REJECT_NULL;
	check("weighs/null-other", !WEIGHS(CONF_MILTER, 0, "soft.test"));
	check("weighs/null-bounce", WEIGHS(CONF_MILTER, 1, "x.test"));
	conf.helo_pass_restriction = set;
	check("weighs/null-restriction", !WEIGHS(CONF_POLICY, 0, "x.test"));
	conf.helo_reject = REJECT_FALSE;
	check("weighs/restriction", WEIGHS(CONF_POLICY, 0, "x.test"));
	check("weighs/restriction-milter", !WEIGHS(CONF_MILTER, 0, "x.test"));
	conf.helo_reject = REJECT_NO_CHECK;
	check("weighs/no-check", !WEIGHS(CONF_POLICY, 0, "x.test"));
}

/* COMPAT "helo-null": as spf-engine 3.1.0. */
static void
test_checked(void)
{
	struct conf conf;
	int key;

	memset(&conf, 0, sizeof(conf));
	for (key = REJECT_OTHER; key <= REJECT_NO_CHECK; key++) {
		conf.helo_reject = (enum conf_reject)key;
		check_int(check_name("checked/%d-bounce", key),
		    decision_helo_checked(&conf, 1), key != REJECT_NO_CHECK);
		check_int(check_name("checked/%d-other", key),
		    decision_helo_checked(&conf, 0),
		    key != REJECT_NO_CHECK && key != REJECT_NULL);
	}
}

int
main(void)
{
	test_tables();
	test_listed();
	test_weighs();
	test_checked();
	return check_exit();
}
