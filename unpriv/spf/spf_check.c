/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/eval.h"
#include "unpriv/spf/expand.h"

/* Octets of an explanation; replies cut it to much less. */
#define EXPLANATION_MAX 4096

/* Both in the order of enum spf_result. */
const char *const spf_result_name[SPF_RESULT_MAX] = { "none", "neutral", "pass",
	"fail", "softfail", "temperror", "permerror" };
const char *const spf_result_title[SPF_RESULT_MAX] = { "None", "Neutral",
	"Pass", "Fail", "Softfail", "Temperror", "Permerror" };

/* spf-engine's words; an error's own reason, if any, is in the state. */
static const char *const reasons[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "",
	[SPF_RESULT_NEUTRAL] = "access neither permitted nor denied",
	[SPF_RESULT_PASS] = "sender SPF authorized",
	[SPF_RESULT_FAIL] = "SPF fail - not authorized",
	[SPF_RESULT_SOFTFAIL] = "domain owner discourages use of this host",
	[SPF_RESULT_TEMPERROR] = "SPF Temporary Error: DNS",
	[SPF_RESULT_PERMERROR] = "SPF Permanent Error: out of memory",
};

/*
 * RFC 7208 6.2: any error means no explanation, and so does a text that is not
 * printable ASCII. The lookups follow the result, so no limit counts them. Sets
 * st->waiting when an answer is missing.
 */
static const char *
explanation(struct spf_state *st, struct spf_level *lv)
{
	char buf[EXPLANATION_MAX], name[DNAME_MAX + 1];
	struct spf_sink k = { .buf = buf, .size = sizeof(buf) };
	const struct dns_answer *a;
	struct spf_syntax e;
	const char *text;
	size_t i, len, end;

	if (lv->exp.kind == 0)
		return NULL;
	st->uncounted = 1;
	if (spf_target(st, lv, &lv->exp, name, &len) != SPF_YES ||
	    spf_lookup(st, lv, DNS_T_TXT, name, len, 0, &a) != SPF_YES ||
	    a->status != DNS_OK || a->nrr != 1)
		return NULL;
	text = (const char *)a->rr[0].data;
	len = a->rr[0].len;
	if (spf_macro_check(text, len, SPF_MACRO_EXP, &end, &e) == -1 ||
	    spf_expand(st, lv, text, len, &k) != SPF_YES)
		return NULL;
	for (i = 0; i < k.len; i++)
		if (!ascii_is_print(buf[i]))
			return NULL;
	return k.len == 0 ? NULL : arena_strndup(st->arena, buf, k.len);
}

enum spf_status
spf_check(const struct spf_request *req, struct answers *answers,
    struct arena *arena, struct spf_verdict *v)
{
	struct spf_state st;
	struct spf_level lv;
	enum spf_result result;

	*v = (struct spf_verdict){ .reason = "" };
	if (spf_state_init(&st, req, answers, arena) == -1) {
		if (arena_failed(arena))
			goto exhausted;
		return SPF_DONE;
	}
	memset(&lv, 0, sizeof(lv));
	memcpy(lv.domain, st.domain, st.dlen + 1);
	lv.dlen = st.dlen;
	result = spf_check_host(&st, &lv);
	if (result == SPF_RESULT_FAIL || result == SPF_RESULT_SOFTFAIL)
		v->explanation = explanation(&st, &lv);
	if (arena_failed(arena))
		goto exhausted;
	if (st.waiting)
		return SPF_WAIT;

	v->result = result;
	/* The explanation of a fail may have an error of its own. */
	v->reason = st.reason != NULL && result == st.error ? st.reason :
							      reasons[result];
	v->lookups = st.lookups;
	v->voids = st.voids;
	v->trace = st.trace;
	if (lv.matched.kind != 0)
		v->matched = spf_strndup(&st, lv.matched.text, lv.matched.len);
	if (arena_failed(arena))
		goto exhausted;
	return SPF_DONE;

exhausted:
	*v = (struct spf_verdict){ .result = SPF_RESULT_PERMERROR,
		.reason = reasons[SPF_RESULT_PERMERROR] };
	return SPF_DONE;
}
