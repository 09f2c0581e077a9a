/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/eval.h"
#include "unpriv/spf/expand.h"

/*
 * A run first decides, then notes hints. Until an answer is missing each step
 * is final. After that (st->waiting) a step that depends on the missing answer
 * is SPF_UNKNOWN, and the run visits the following terms only to note their
 * questions, so that all are asked at the same time. It stops where evaluation
 * would end with any answers: at a term that certainly matches, at an error, at
 * the limit of terms. The limits count no less than in evaluation, and so bound
 * the hints as well.
 */

#define NO_TARGET "redirect domain has no SPF record: "

/*
 * RFC 7208 4.3: a name that cannot be a mail domain has no record: a single
 * label, an address literal, a name that is not printable ASCII.
 */
static int
domain_ok(const char *s, size_t len)
{
	size_t i;

	if (!dname_valid(s, len) || memchr(s, '.', len) == NULL || s[0] == '[')
		return 0;
	for (i = 0; i < len; i++)
		if (s[i] == ' ' || !ascii_is_print(s[i]))
			return 0;
	return 1;
}

/*
 * RFC 7208 4.4, 4.5. SPF_YES: lv->rec is the record; SPF_NO: there is none.
 * At depth 0 no term causes the lookup: it is no void lookup.
 */
static enum spf_step
record_find(struct spf_state *st, struct spf_level *lv)
{
	const struct dns_answer *a;
	enum spf_step rv;
	size_t i;

	lv->rec = NULL;
	memset(&lv->matched, 0, sizeof(lv->matched));
	if (!domain_ok(lv->domain, lv->dlen))
		return SPF_NO;
	st->uncounted = lv->depth == 0;
	rv = spf_lookup(st, lv, DNS_T_TXT, lv->domain, lv->dlen, 1, &a);
	st->uncounted = 0;
	if (rv != SPF_YES)
		return rv;
	if (a->status != DNS_OK)
		return SPF_NO;
	for (i = 0; i < a->nrr; i++) {
		if (!spf_is_record((const char *)a->rr[i].data, a->rr[i].len))
			continue;
		if (lv->rec != NULL) {
			lv->rec = NULL;
			return spf_permerror(st,
			    "Two or more type TXT spf records found.", NULL, 0);
		}
		lv->rec = (const char *)a->rr[i].data;
		lv->reclen = a->rr[i].len;
	}
	return lv->rec != NULL ? SPF_YES : SPF_NO;
}

/* RFC 7208 3.1: ASCII only. The reason has the record as Python's repr(). */
static enum spf_step
record_not_ascii(struct spf_state *st, const struct spf_level *lv)
{
	static const char special[] = "\\'\n\r\t", letters[] = "\\'nrt";
	char buf[SPF_REASON_ARG];
	const char *p;
	size_t i, n;
	int c;

	n = (size_t)snprintf(buf, sizeof(buf), "b'");
	for (i = 0; i < lv->reclen && n < sizeof(buf) - 6; i++) {
		c = (unsigned char)lv->rec[i];
		if (c != '\0' && (p = strchr(special, c)) != NULL) {
			buf[n++] = '\\';
			buf[n++] = letters[p - special];
		} else if (!ascii_is_print(c))
			n += (size_t)snprintf(buf + n, 5, "\\x%02x",
			    (unsigned int)c);
		else
			buf[n++] = (char)c;
	}
	buf[n++] = '\'';
	return spf_permerror(st, "Non-ascii characters found: ", buf, n);
}

/*
 * RFC 7208 6.1: counts redirect as a term. SPF_NO: lv is now its target, to be
 * evaluated in place of the record.
 */
static enum spf_step
redirect_follow(struct spf_state *st, struct spf_level *lv)
{
	char name[DNAME_MAX + 1];
	struct spf_event *ev;
	enum spf_step rv;
	size_t len;

	ev = spf_trace(st, SPF_EV_TERM, lv, NULL, 0, lv->redirect.text,
	    lv->redirect.len);
	if ((rv = spf_count_term(st)) != SPF_YES)
		return rv;
	if (ev != NULL) {
		ev->pos = (size_t)(lv->redirect.text - lv->rec);
		ev->len = lv->redirect.len;
		ev->matched = 1;
		ev->lookups = st->lookups;
	}
	rv = spf_target(st, lv, &lv->redirect, name, &len);
	if (rv == SPF_UNKNOWN || rv == SPF_ERROR)
		return rv;
	if (rv == SPF_NO)
		return spf_permerror(st, NO_TARGET, name, len);
	memcpy(lv->domain, name, len + 1);
	lv->dlen = len;
	lv->depth++;
	return SPF_NO;
}

/*
 * RFC 7208 4.6.2, 4.7: evaluates the terms in order. SPF_YES: *result is the
 * record's; SPF_NO: lv is now the target of redirect. Sets *unknown when a term
 * cannot be evaluated.
 */
static enum spf_step
record_eval(struct spf_state *st, struct spf_level *lv, enum spf_result *result,
    int *unknown)
{
	struct spf_syntax e;
	struct spf_event *ev;
	struct spf_scan sc;
	struct spf_term t;
	enum spf_step rv;

	spf_scan_start(&sc, lv->rec, lv->reclen);
	while (spf_scan_next(&sc, &t, &e) == 1) {
		if (t.kind > SPF_T_MECHANISMS)
			continue;
		ev = spf_trace(st, SPF_EV_TERM, lv, NULL, 0, t.text, t.len);
		rv = spf_mechanism(st, lv, &t);
		if (ev != NULL) {
			ev->pos = (size_t)(t.text - lv->rec);
			ev->len = t.len;
			ev->matched = rv == SPF_YES;
			ev->result = t.qualifier;
			ev->lookups = st->lookups;
			ev->voids = st->voids;
		}
		if (rv == SPF_ERROR || st->stop)
			return rv == SPF_ERROR ? rv : SPF_UNKNOWN;
		if (rv == SPF_UNKNOWN)
			*unknown = 1;
		if (rv == SPF_YES) {
			lv->matched = t;
			*result = t.qualifier;
			return *unknown ? SPF_UNKNOWN : SPF_YES;
		}
	}
	if (lv->redirect.kind != 0)
		return redirect_follow(st, lv);
	/* RFC 7208 4.7 */
	*result = SPF_RESULT_NEUTRAL;
	return *unknown ? SPF_UNKNOWN : SPF_YES;
}

enum spf_result
spf_check_host(struct spf_state *st, struct spf_level *lv)
{
	enum spf_result result = SPF_RESULT_NONE;
	struct spf_syntax e;
	struct spf_event *ev;
	enum spf_step rv;
	int redirected = 0, unknown = 0;

	for (;;) {
		rv = record_find(st, lv);
		if (rv == SPF_NO && redirected)
			/* RFC 7208 6.1 */
			rv = spf_permerror(st, NO_TARGET, lv->domain, lv->dlen);
		if (rv != SPF_YES)
			break;
		(void)spf_trace(st, SPF_EV_RECORD, lv, NULL, 0, lv->rec,
		    lv->reclen);
		if (!ascii_only(lv->rec, lv->reclen))
			rv = record_not_ascii(st, lv);
		else if (spf_record_check(lv->rec, lv->reclen, &lv->redirect,
			     &lv->exp, &e) == -1)
			rv = spf_permerror(st, e.what, e.arg, e.len);
		else
			rv = record_eval(st, lv, &result, &unknown);
		if (rv != SPF_NO)
			break;
		redirected = 1;
	}
	if (rv == SPF_ERROR)
		result = st->error;
	else if (rv == SPF_UNKNOWN)
		result = SPF_RESULT_MAX;
	if (result != SPF_RESULT_MAX &&
	    (ev = spf_trace(st, SPF_EV_RESULT, lv, NULL, 0, NULL, 0)) != NULL)
		ev->result = result;
	return result;
}
