/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdio.h>
#include <string.h>

#include "unpriv/spf/spf_private.h"

/*
 * How one run both decides and guesses. Until the first missing answer each
 * step is final. From then on (st->waiting) nothing is decided: steps that
 * hang on the missing answer are SPF_UNKNOWN, and the run goes on to the
 * terms behind them only so that their questions are asked now as well. It
 * stops where the evaluation would certainly end: at a term that matches
 * whatever the answers are, at an error, at the limit of terms. The limits
 * count at least what evaluation will count by then, so guesses are bounded
 * as the evaluation is.
 */

static void reason_add(char *, size_t *, size_t, const char *, size_t);
static int domain_ok(const char *, size_t);
static enum spf_step record_find(struct spf_state *, struct spf_level *);
static enum spf_step record_repr(struct spf_state *, const struct spf_level *);
static enum spf_step record_eval(struct spf_state *, struct spf_level *,
    enum spf_result *, int *);
static enum spf_step redirect_follow(struct spf_state *, struct spf_level *);

static const char *const error_prefix[SPF_RESULT_MAX] = {
	[SPF_RESULT_TEMPERROR] = "SPF Temporary Error: ",
	[SPF_RESULT_PERMERROR] = "SPF Permanent Error: ",
};

/* A C string holds no NUL; whoever shows it escapes the rest. */
static void
reason_add(char *buf, size_t *n, size_t size, const char *s, size_t len)
{
	size_t i;

	if (len > SPF_REASON_ARG)
		len = SPF_REASON_ARG;
	for (i = 0; i < len && *n < size - 1; i++)
		buf[(*n)++] = s[i] == '\0' ? '?' : s[i];
	buf[*n] = '\0';
}

/* RFC 7208 2.6.6, 2.6.7: errors end the evaluation at every level. */
enum spf_step
spf_error(struct spf_state *st, enum spf_result result, const char *what,
    const char *arg, size_t len, const char *arg2, size_t len2)
{
	char buf[3 * SPF_REASON_ARG];
	const char *prefix = error_prefix[result];
	struct spf_event *ev;
	size_t n = 0;

	if (st->waiting) {
		st->stop = 1;
		return SPF_UNKNOWN;
	}
	reason_add(buf, &n, sizeof(buf), prefix, strlen(prefix));
	reason_add(buf, &n, sizeof(buf), what, strlen(what));
	if (arg != NULL)
		reason_add(buf, &n, sizeof(buf), arg, len);
	if (arg2 != NULL) {
		reason_add(buf, &n, sizeof(buf), ": ", 2);
		reason_add(buf, &n, sizeof(buf), arg2, len2);
	}
	st->error = result;
	st->reason = arena_strndup(st->arena, buf, n);
	if ((ev = spf_trace(st, SPF_EV_ERROR, NULL, NULL, 0, buf, n)) != NULL)
		ev->result = result;
	return SPF_ERROR;
}

static enum spf_step
syntax_error(struct spf_state *st, const struct spf_syntax *e)
{
	return spf_error(st, SPF_RESULT_PERMERROR, e->what, e->arg, e->len,
	    NULL, 0);
}

/* RFC 7208 4.6.4; the original's words. */
enum spf_step
spf_count_term(struct spf_state *st)
{
	if (st->lookups == SPF_MAX_TERMS)
		return spf_error(st, SPF_RESULT_PERMERROR,
		    "Too many DNS lookups", NULL, 0, NULL, 0);
	st->lookups++;
	return SPF_YES;
}

/*
 * What is counted as a void lookup (RFC 7208 4.6.4): each time a term is
 * evaluated, each NXDOMAIN or empty answer to a question that it asks,
 * address lookups for the names of mx, ptr and %{p} included. Not counted:
 * the record of the domain asked for, and all that exp= asks.
 */
enum spf_step
spf_lookup(struct spf_state *st, const struct spf_level *lv, uint16_t type,
    const char *name, size_t len, int must, const struct dns_answer **out)
{
	const struct dns_answer *a = NULL;
	struct question *q;
	struct spf_event *ev;
	char text[64];

	*out = NULL;
	if (st->waiting) {
		q = answers_find(st->answers, type, name, len);
		if (q != NULL && q->state == ANSWER_DONE)
			a = &q->answer;
		else
			answers_hint(st->answers, type, name, len);
	} else if ((a = answers_get(st->answers, type, name, len)) == NULL)
		st->waiting = 1;
	if (a == NULL)
		return SPF_UNKNOWN;

	if ((a->status == DNS_NXDOMAIN || a->status == DNS_NODATA) &&
	    !st->uncounted)
		st->voids++;
	if ((ev = spf_trace(st, SPF_EV_LOOKUP, lv, name, len, NULL, 0)) != NULL)
		ev->type = type;
	if (st->voids > st->req->void_limit) {
		snprintf(text, sizeof(text), "Void lookup limit of %u exceeded",
		    st->req->void_limit);
		return spf_error(st, SPF_RESULT_PERMERROR, text, NULL, 0, NULL,
		    0);
	}
	if (must && (a->status == DNS_TIMEOUT || a->status == DNS_TEMPERROR))
		return spf_error(st, SPF_RESULT_TEMPERROR,
		    a->status == DNS_TIMEOUT ? "DNS Timeout" :
					       "DNS Error: server failure",
		    NULL, 0, NULL, 0);
	*out = a;
	return SPF_YES;
}

int
spf_has_client(const struct spf_state *st, const struct dns_answer *a,
    uint8_t len4, uint8_t len6)
{
	size_t i, n = st->client.family == 6 ? 16 : 4;
	struct cidr c;

	if (a->status != DNS_OK)
		return 0;
	for (i = 0; i < a->nrr; i++) {
		if (a->rr[i].len != n)
			continue;
		memset(&c, 0, sizeof(c));
		c.a.family = st->client.family;
		c.len = c.a.family == 6 ? len6 : len4;
		memcpy(c.a.b, a->rr[i].data, n);
		if (cidr_match(&c, &st->client))
			return 1;
	}
	return 0;
}

/*
 * RFC 7208 5.5: the first ten names are looked up, names whose lookup
 * fails are skipped, and a failed PTR lookup is as good as none.
 */
enum spf_step
spf_client_names(struct spf_state *st, const struct spf_level *lv,
    struct spf_names *names)
{
	const struct dns_answer *ptr, *a;
	const char *s;
	char arpa[74];
	enum spf_step rv, all = SPF_YES;
	size_t i, len;

	names->n = 0;
	addr_ptrname(&st->client, arpa, sizeof(arpa));
	if ((rv = spf_lookup(st, lv, DNS_T_PTR, arpa, strlen(arpa), 0, &ptr)) !=
		SPF_YES ||
	    ptr->status != DNS_OK)
		return rv;
	for (i = 0; i < ptr->nrr && i < SPF_MAX_PTR; i++) {
		s = (const char *)ptr->rr[i].data;
		len = ptr->rr[i].len;
		if (!dname_valid(s, len) || s[0] == '\0')
			continue;
		rv = spf_lookup(st, lv, st->atype, s, len, 0, &a);
		if (rv == SPF_ERROR)
			return rv;
		if (rv == SPF_UNKNOWN)
			all = rv;
		else if (spf_has_client(st, a, 32, 128)) {
			names->name[names->n].s = s;
			names->name[names->n++].len = len;
		}
	}
	return all;
}

/*
 * RFC 7208 4.3: no record can be where no mail domain can be. Addresses in
 * brackets are literals; what is not printable ASCII was made by a macro or
 * is no A-label.
 */
static int
domain_ok(const char *s, size_t len)
{
	size_t i;

	if (!dname_valid(s, len) || memchr(s, '.', len) == NULL || s[0] == '[')
		return 0;
	for (i = 0; i < len; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return 0;
	return 1;
}

/*
 * RFC 7208 4.4, 4.5. SPF_YES: lv->rec is the record, SPF_NO: there is none.
 * The lookup of the domain asked for is not one of a term.
 */
static enum spf_step
record_find(struct spf_state *st, struct spf_level *lv)
{
	const struct dns_answer *a;
	enum spf_step rv;
	size_t i, n = 0;

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
		if (n++ == 0) {
			lv->rec = (const char *)a->rr[i].data;
			lv->reclen = a->rr[i].len;
		}
	}
	if (n > 1) {
		lv->rec = NULL;
		return spf_error(st, SPF_RESULT_PERMERROR,
		    "Two or more type TXT spf records found.", NULL, 0, NULL,
		    0);
	}
	return n == 1 ? SPF_YES : SPF_NO;
}

/* RFC 7208 3.1: ASCII only. The record is shown as the original shows it. */
static enum spf_step
record_repr(struct spf_state *st, const struct spf_level *lv)
{
	static const struct {
		char c, as;
	} named[] = { { '\\', '\\' }, { '\'', '\'' }, { '\n', 'n' },
		{ '\r', 'r' }, { '\t', 't' } };
	char buf[SPF_REASON_ARG];
	size_t i, j, n;
	int c;

	n = (size_t)snprintf(buf, sizeof(buf), "b'");
	for (i = 0; i < lv->reclen && n < sizeof(buf) - 6; i++) {
		c = (unsigned char)lv->rec[i];
		for (j = 0; j < sizeof(named) / sizeof(named[0]); j++)
			if (c == named[j].c)
				break;
		if (j < sizeof(named) / sizeof(named[0])) {
			buf[n++] = '\\';
			buf[n++] = named[j].as;
		} else if (c < 0x20 || c >= 0x7f)
			n += (size_t)snprintf(buf + n, 5, "\\x%02x",
			    (unsigned int)c);
		else
			buf[n++] = (char)c;
	}
	buf[n++] = '\'';
	return spf_error(st, SPF_RESULT_PERMERROR,
	    "Non-ascii characters found: ", buf, n, NULL, 0);
}

/*
 * RFC 7208 4.6.2, 4.7: terms in order. SPF_YES: *result is the record's;
 * SPF_NO: lv is now what redirect names. *unknown says that a term before
 * could not be judged.
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

/*
 * RFC 7208 6.1: counts, then makes lv the target's level. SPF_NO when that
 * is to be evaluated in place of this one.
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
		return spf_error(st, SPF_RESULT_PERMERROR,
		    "redirect domain has no SPF record: ", name, len, NULL, 0);
	memcpy(lv->domain, name, len + 1);
	lv->dlen = len;
	lv->depth++;
	return SPF_NO;
}

enum spf_result
spf_check_host(struct spf_state *st, struct spf_level *lv)
{
	enum spf_result result = SPF_RESULT_NONE;
	struct spf_syntax e;
	struct spf_event *ev;
	enum spf_step rv;
	size_t i;
	int redirected = 0, unknown = 0;

	for (;;) {
		rv = record_find(st, lv);
		if (rv == SPF_NO && redirected)
			/* RFC 7208 6.1 */
			rv = spf_error(st, SPF_RESULT_PERMERROR,
			    "redirect domain has no SPF record: ", lv->domain,
			    lv->dlen, NULL, 0);
		if (rv != SPF_YES)
			break;
		(void)spf_trace(st, SPF_EV_RECORD, lv, NULL, 0, lv->rec,
		    lv->reclen);
		for (i = 0; i < lv->reclen; i++)
			if ((unsigned char)lv->rec[i] >= 0x80)
				break;
		if (i < lv->reclen)
			rv = record_repr(st, lv);
		else if (spf_record_check(lv->rec, lv->reclen, &lv->redirect,
			     &lv->exp, &e) == -1)
			rv = syntax_error(st, &e);
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
