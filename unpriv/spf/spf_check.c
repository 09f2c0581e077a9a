/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "unpriv/spf/spf_private.h"

/*
 * A trace shows this much and no more, so that wanting one cannot exhaust
 * the arena and by that change the verdict.
 */
#define TRACE_EVENTS 400
#define TRACE_TEXT   512

/* An explanation is for a person; replies cut it far sooner. */
#define EXPLANATION_MAX 4096

static int state_init(struct spf_state *, const struct spf_request *,
    struct answers *, struct arena *);
static const char *explanation(struct spf_state *, struct spf_level *);
static const char *explanation_text(struct spf_state *,
    const struct spf_level *, const struct dns_rr *);
static const char *reason(struct spf_state *, enum spf_result);
static const char *copy(struct spf_state *, const char *, size_t);

const char *const spf_result_name[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "none",
	[SPF_RESULT_NEUTRAL] = "neutral",
	[SPF_RESULT_PASS] = "pass",
	[SPF_RESULT_FAIL] = "fail",
	[SPF_RESULT_SOFTFAIL] = "softfail",
	[SPF_RESULT_TEMPERROR] = "temperror",
	[SPF_RESULT_PERMERROR] = "permerror",
};

const char *const spf_result_title[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "None",
	[SPF_RESULT_NEUTRAL] = "Neutral",
	[SPF_RESULT_PASS] = "Pass",
	[SPF_RESULT_FAIL] = "Fail",
	[SPF_RESULT_SOFTFAIL] = "Softfail",
	[SPF_RESULT_TEMPERROR] = "Temperror",
	[SPF_RESULT_PERMERROR] = "Permerror",
};

/* The original's words; errors bring their own. */
static const char *const reasons[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "",
	[SPF_RESULT_NEUTRAL] = "access neither permitted nor denied",
	[SPF_RESULT_PASS] = "sender SPF authorized",
	[SPF_RESULT_FAIL] = "SPF fail - not authorized",
	[SPF_RESULT_SOFTFAIL] = "domain owner discourages use of this host",
	[SPF_RESULT_TEMPERROR] = "SPF Temporary Error: DNS",
	[SPF_RESULT_PERMERROR] = "SPF Permanent Error: out of memory",
};

struct spf_event *
spf_trace(struct spf_state *st, enum spf_event_kind kind,
    const struct spf_level *lv, const char *domain, size_t dlen,
    const char *text, size_t len)
{
	struct spf_event *ev;
	char *copy = NULL;
	size_t i;

	if (!st->req->want_trace || st->waiting ||
	    st->nevents == TRACE_EVENTS ||
	    (ev = arena_alloc(st->arena, sizeof(*ev))) == NULL)
		return NULL;
	st->nevents++;
	ev->kind = kind;
	ev->lookups = st->lookups;
	ev->voids = st->voids;
	if (lv != NULL) {
		ev->depth = lv->depth;
		if (domain == NULL) {
			domain = lv->domain;
			dlen = lv->dlen;
		}
	}
	if (domain != NULL)
		ev->domain = arena_strndup(st->arena, domain, dlen);
	if (text != NULL) {
		if (len > TRACE_TEXT)
			len = TRACE_TEXT;
		if ((copy = arena_strndup(st->arena, text, len)) != NULL)
			for (i = 0; i < len; i++)
				if (copy[i] == '\0')
					copy[i] = '?';
		ev->text = copy;
	}
	if (st->last == NULL)
		st->trace = ev;
	else
		st->last->next = ev;
	st->last = ev;
	return ev;
}

/* -1 when the domain has no form that can be asked for (RFC 8616 4). */
static int
state_init(struct spf_state *st, const struct spf_request *req,
    struct answers *answers, struct arena *arena)
{
	char helo[DNAME_MAX + 1];
	const char *h;
	int n;

	memset(st, 0, sizeof(*st));
	st->req = req;
	st->answers = answers;
	st->arena = arena;
	addr_unmap(&st->client, &req->client);
	st->atype = st->client.family == 6 ? DNS_T_AAAA : DNS_T_A;
	/* RFC 7208 4.3 */
	st->local = req->local == NULL || req->local[0] == '\0' ? "postmaster" :
								  req->local;
	for (st->local_ascii = 1, h = st->local; *h != '\0'; h++)
		if ((unsigned char)*h >= 0x80)
			st->local_ascii = 0;
	if ((n = dname_to_ascii(req->domain, strlen(req->domain), st->domain,
		 sizeof(st->domain))) == -1)
		return -1;
	st->dlen = (size_t)n;
	st->sender = arena_printf(arena, "%s@%s", st->local, st->domain);
	st->helo = req->helo;
	if (req->helo == NULL || req->helo[0] == '\0')
		st->helo = st->domain;
	else if (dname_to_ascii(req->helo, strlen(req->helo), helo,
		     sizeof(helo)) != -1 &&
	    strcmp(helo, req->helo) != 0)
		st->helo = arena_strdup(arena, helo);
	return st->sender == NULL || st->helo == NULL ? -1 : 0;
}

/* RFC 7208 6.2: printable ASCII, correct macros, or as if it were not. */
static const char *
explanation_text(struct spf_state *st, const struct spf_level *lv,
    const struct dns_rr *rr)
{
	char buf[EXPLANATION_MAX];
	struct spf_sink k = { .buf = buf, .size = sizeof(buf) };
	const char *text = (const char *)rr->data;
	struct spf_syntax e;
	size_t i, end;

	if (spf_macro_check(text, rr->len, SPF_MACRO_EXP, &end, &e) == -1 ||
	    spf_expand(st, lv, text, rr->len, &k) != SPF_YES)
		return NULL;
	for (i = 0; i < k.len; i++)
		if (buf[i] < 0x20 || buf[i] >= 0x7f)
			return NULL;
	return k.len == 0 ? NULL : arena_strndup(st->arena, buf, k.len);
}

/*
 * RFC 7208 6.2: any trouble means no explanation. Its lookups come after
 * the result, so no limit counts them. When st->waiting is set on return,
 * an answer is missing.
 */
static const char *
explanation(struct spf_state *st, struct spf_level *lv)
{
	char name[DNAME_MAX + 1];
	const struct dns_answer *a;
	size_t len;

	if (lv->exp.kind == 0)
		return NULL;
	st->uncounted = 1;
	if (spf_target(st, lv, &lv->exp, name, &len) != SPF_YES ||
	    spf_lookup(st, lv, DNS_T_TXT, name, len, 0, &a) != SPF_YES ||
	    a->status != DNS_OK || a->nrr != 1)
		return NULL;
	return explanation_text(st, lv, &a->rr[0]);
}

static const char *
reason(struct spf_state *st, enum spf_result result)
{
	if ((result == SPF_RESULT_TEMPERROR ||
		result == SPF_RESULT_PERMERROR) &&
	    st->reason != NULL)
		return st->reason;
	return reasons[result];
}

/* A copy of wire text as a C string; see spf_error(). */
static const char *
copy(struct spf_state *st, const char *s, size_t len)
{
	char *p, *q;

	if (s == NULL || (p = arena_strndup(st->arena, s, len)) == NULL)
		return NULL;
	for (q = p; (q = memchr(q, '\0', len - (size_t)(q - p))) != NULL;)
		*q = '?';
	return p;
}

enum spf_status
spf_check(const struct spf_request *req, struct answers *answers,
    struct arena *arena, struct spf_verdict *v)
{
	struct spf_state st;
	struct spf_level lv;
	enum spf_result result;

	memset(v, 0, sizeof(*v));
	v->reason = "";
	if (state_init(&st, req, answers, arena) == -1) {
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
	v->reason = reason(&st, result);
	v->lookups = st.lookups;
	v->voids = st.voids;
	v->trace = st.trace;
	if (lv.matched.kind != 0)
		v->matched = copy(&st, lv.matched.text, lv.matched.len);
	if (arena_failed(arena))
		goto exhausted;
	return SPF_DONE;

exhausted:
	memset(v, 0, sizeof(*v));
	v->result = SPF_RESULT_PERMERROR;
	v->reason = reasons[SPF_RESULT_PERMERROR];
	return SPF_DONE;
}
