/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "privsep/base/log.h"
#include "proto/text.h"
#include "unpriv/judge/judge.h"
#include "unpriv/spf/expand.h"
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/lint.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/zonefile.h"

#define LINT_ARENA   (32UL << 20)
#define RESOLVE_MAX  40 /* terms whose addresses are looked up */
#define FIND_TEXT    600
#define FINDINGS_MAX 200 /* shown of one level */
#define RECORD_LONG  450 /* RFC 7208 3.4 */
#define ANSWER_LONG  512

/* The terms of one record so far. */
struct lint_seen {
	int all;
	struct spf_term redirect, exp; /* kind 0: none */
	int bad;		       /* there are syntax errors */
	int warned_after_all;
};

static void record_check(struct lint *, struct lint_record *);

void
lint_add(struct lint *l, struct lint_record *r, enum lint_level level,
    const char *code, const struct spf_term *t, const char *fmt, ...)
{
	char text[FIND_TEXT];
	struct lint_finding *f, *o, *before = NULL;
	va_list ap;

	if ((level == LINT_NOTE && !r->own) ||
	    (f = arena_alloc(l->arena, sizeof(*f))) == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->level = level;
	f->code = code;
	f->text = arena_strdup(l->arena, text);
	if (t != NULL && r->rec != NULL && t->text >= r->rec &&
	    t->text < r->rec + r->reclen) {
		f->pos = (size_t)(t->text - r->rec);
		f->len = t->len > 0 ? t->len : 1;
	}
	if (l->count[level]++ > FINDINGS_MAX || f->text == NULL)
		return;
	/* By position; findings without one are last. */
	STAILQ_FOREACH(o, &r->findings, entry)
		if (f->len == 0 || (o->len > 0 && o->pos <= f->pos))
			before = o;
	if (before == NULL)
		STAILQ_INSERT_HEAD(&r->findings, f, entry);
	else
		STAILQ_INSERT_AFTER(&r->findings, before, f, entry);
}

/* Returns NULL when the answer is missing; the run is repeated with it. */
static const struct dns_answer *
ask(struct lint *l, uint16_t type, const char *name, size_t len)
{
	const struct dns_answer *a;

	a = answers_get(l->answers, type, name, len);
	if (a == NULL)
		l->waiting = 1;
	return a;
}

static int
is_void(const struct dns_answer *a)
{
	return a->status == DNS_NXDOMAIN || a->status == DNS_NODATA;
}

/* Whether a lookup of an address is void, by Void_Family. */
static int
address_void(const struct lint *l, const struct dns_answer *a,
    const struct dns_answer *other)
{
	if (a->status == DNS_NODATA &&
	    l->ctl->conf->void_family == CONF_VOID_ANY)
		return other != NULL && is_void(other);
	return is_void(a);
}

/* Returns 1 for a void lookup, and counts it for clients of both families. */
static int
count_void(struct lint *l, const struct dns_answer *a)
{
	if (!is_void(a))
		return 0;
	l->voids[0]++;
	l->voids[1]++;
	return 1;
}

/* Returns 1, and adds a warning, when the lookup failed. */
static int
lookup_failed(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const struct dns_answer *a, const char *name)
{
	if (a->status != DNS_TEMPERROR && a->status != DNS_TIMEOUT)
		return 0;
	lint_add(l, r, LINT_WARNING, "dns", t, "%s %s: DNS %s",
	    dns_type_name(a->type), name,
	    a->status == DNS_TIMEOUT ? "does not answer" : "fails");
	return 1;
}

int
lint_target(struct lint *l, const struct lint_record *r,
    const struct spf_term *t, char name[DNAME_MAX + 1], size_t *len)
{
	const struct lint_record *top = STAILQ_FIRST(&l->records);
	struct spf_request req;
	struct spf_state st;
	struct spf_level lv;
	struct spf_macro m;
	size_t i, n;

	for (i = 0; t->spec != NULL && i < t->speclen; i += n) {
		n = spf_macro_next(t->spec + i, t->speclen - i, &m);
		if (n == 0)
			return -1;
		if (m.letter != '\0' && m.letter != 'd' && m.letter != 'o')
			return 0;
	}
	memset(&req, 0, sizeof(req));
	memset(&st, 0, sizeof(st));
	memset(&lv, 0, sizeof(lv));
	st.req = &req;
	st.answers = l->answers;
	st.arena = l->arena;
	st.local_ascii = 1;
	memcpy(st.domain, top->domain, top->dlen + 1);
	st.dlen = top->dlen;
	memcpy(lv.domain, r->domain, r->dlen + 1);
	lv.dlen = r->dlen;
	return spf_target(&st, &lv, t, name, len) == SPF_YES ? 1 : -1;
}

/* ---- mechanisms ---- */

/* Looks up the addresses of a name, counts voids, adds what passes. */
static void
addresses(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const char *name, size_t len)
{
	static const uint16_t types[] = { DNS_T_A, DNS_T_AAAA };
	const struct dns_answer *a, *both[2];
	struct cidr c;
	size_t i, j;

	both[0] = ask(l, types[0], name, len);
	both[1] = ask(l, types[1], name, len);
	for (i = 0; i < 2; i++) {
		if ((a = both[i]) == NULL || lookup_failed(l, r, t, a, name))
			continue;
		l->voids[i] += address_void(l, a, both[!i]);
		for (j = 0; j < a->nrr; j++) {
			memset(&c, 0, sizeof(c));
			c.a.family = types[i] == DNS_T_A ? 4 : 6;
			c.len = types[i] == DNS_T_A ? t->len4 : t->len6;
			memcpy(c.a.b, a->rr[j].data, c.a.family == 4 ? 4 : 16);
			if (lint_passes(r, t))
				lint_net_add(l, &c);
		}
	}
	if (both[0] != NULL && both[1] != NULL && is_void(both[0]) &&
	    is_void(both[1]))
		lint_add(l, r, LINT_WARNING, "void-lookup", t,
		    "%s has no address: this is a void lookup", name);
}

static void
mx_hosts(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const char *name, size_t len)
{
	const struct dns_answer *a;
	char host[DNAME_MAX + 1];
	size_t i;

	if ((a = ask(l, DNS_T_MX, name, len)) == NULL ||
	    lookup_failed(l, r, t, a, name))
		return;
	if (count_void(l, a))
		lint_add(l, r, LINT_WARNING, "void-lookup", t,
		    "%s has no MX record: this is a void lookup", name);
	if (a->nrr > SPF_MAX_MX)
		lint_add(l, r, LINT_ERROR, "too-many-mx", t,
		    "%s has %d MX records; more than %d are a permerror", name,
		    a->nrr, SPF_MAX_MX);
	for (i = 0; i < a->nrr && i < SPF_MAX_MX; i++) {
		if (!dname_valid((const char *)a->rr[i].data, a->rr[i].len))
			continue;
		memcpy(host, a->rr[i].data, a->rr[i].len);
		host[a->rr[i].len] = '\0';
		addresses(l, r, t, host, a->rr[i].len);
	}
}

static void
exists_name(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const char *name, size_t len)
{
	const struct dns_answer *a, *other = NULL;

	if ((a = ask(l, DNS_T_A, name, len)) == NULL ||
	    lookup_failed(l, r, t, a, name))
		return;
	if (a->status == DNS_NODATA &&
	    l->ctl->conf->void_family == CONF_VOID_ANY &&
	    (other = ask(l, DNS_T_AAAA, name, len)) == NULL)
		return;
	if (is_void(a) && !address_void(l, a, other))
		lint_add(l, r, LINT_WARNING, "never-matches", t,
		    "%s has no IPv4 address: the term never matches", name);
	else if (count_void(l, a))
		lint_add(l, r, LINT_WARNING, "void-lookup", t,
		    "%s does not exist: the term never matches, and costs a "
		    "void lookup",
		    name);
	else if (lint_passes(r, t)) {
		lint_add(l, r, LINT_ERROR, "passes-all", t,
		    "%s exists: every client passes", name);
		r->all_pass = 1;
	}
}

static struct lint_record *
record_new(struct lint *l, struct lint_record *parent, const struct spf_term *t,
    const char *domain, size_t len)
{
	struct lint_record *r;

	if (l->nrecords == LINT_RECORDS_MAX ||
	    (r = arena_alloc(l->arena, sizeof(*r))) == NULL)
		return NULL;
	STAILQ_INIT(&r->findings);
	memcpy(r->domain, domain, len);
	r->dlen = len;
	r->own = r->passing = 1;
	if (parent != NULL) {
		r->parent = parent;
		r->via = arena_strndup(l->arena, t->text,
		    t->len > 200 ? 200 : t->len);
		r->own = parent->own && t->kind == SPF_T_REDIRECT;
		r->passing = parent->passing &&
		    (t->kind == SPF_T_REDIRECT ||
			t->qualifier == SPF_RESULT_PASS);
	}
	STAILQ_INSERT_TAIL(&l->records, r, entry);
	l->nrecords++;
	return r;
}

/* Checks the record that include or redirect names. */
static void
record_follow(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const char *name, size_t len)
{
	const struct lint_record *o;
	const struct dns_answer *a;
	struct lint_record *in;

	for (o = r; o != NULL; o = o->parent)
		if (dname_equal(o->domain, o->dlen, name, len)) {
			lint_add(l, r, LINT_ERROR, "loop", t,
			    "%s leads back to itself", name);
			return;
		}
	STAILQ_FOREACH(o, &l->records, entry)
		if (dname_equal(o->domain, o->dlen, name, len)) {
			lint_add(l, r, LINT_WARNING, "twice", t,
			    "%s is used twice: its lookups count each time",
			    name);
			break;
		}
	if (l->lookups > LINT_TERMS_MAX ||
	    (in = record_new(l, r, t, name, len)) == NULL)
		return;
	record_check(l, in);
	in->lookups++; /* the term itself */
	if (in->rec != NULL || (a = ask(l, DNS_T_TXT, name, len)) == NULL ||
	    lookup_failed(l, r, t, a, name))
		return;
	(void)count_void(l, a);
	/* Several records are a finding of the target. */
	if (STAILQ_EMPTY(&in->findings))
		lint_add(l, r, LINT_ERROR, "dead-include", t,
		    "%s %s: a check that reaches this term ends in permerror",
		    name,
		    a->status == DNS_NXDOMAIN ? "does not exist" :
						"has no SPF record");
}

/* Checks a term with a lookup. Names that depend on the message are skipped. */
static void
lookup_term(struct lint *l, struct lint_record *r, const struct spf_term *t)
{
	char name[DNAME_MAX + 1];
	size_t len;
	int rv, follow;

	l->lookups++;
	if (t->kind == SPF_T_PTR) {
		l->uncounted = 1;
		lint_add(l, r, LINT_WARNING, "ptr", t,
		    "ptr is slow and unreliable, and should not be used (RFC "
		    "7208 5.5); name the hosts by ip4:, ip6: or a:");
		return;
	}
	if ((rv = lint_target(l, r, t, name, &len)) == 0) {
		l->uncounted = 1;
		return;
	}
	follow = t->kind == SPF_T_INCLUDE || t->kind == SPF_T_REDIRECT;
	if (rv == -1) {
		lint_add(l, r, follow ? LINT_ERROR : LINT_WARNING, "bad-name",
		    t, "this is not a valid domain name");
		return;
	}
	if (follow)
		record_follow(l, r, t, name, len);
	else if (l->lookups > RESOLVE_MAX)
		l->uncounted = 1;
	else if (t->kind == SPF_T_A)
		addresses(l, r, t, name, len);
	else if (t->kind == SPF_T_MX)
		mx_hosts(l, r, t, name, len);
	else
		exists_name(l, r, t, name, len);
}

static void
all_term(struct lint *l, struct lint_record *r, const struct spf_term *t)
{
	if (t->qualifier == SPF_RESULT_PASS) {
		lint_add(l, r, LINT_ERROR, "passes-all", t,
		    "every host on the Internet passes");
		if (r->passing)
			r->all_pass = 1;
	} else if (t->qualifier == SPF_RESULT_NEUTRAL && r->own)
		lint_add(l, r, LINT_WARNING, "neutral-all", t,
		    "?all gives all other hosts neutral; use ~all or -all");
}

/* ---- one record ---- */

static void
syntax_error(struct lint *l, struct lint_record *r, const struct spf_term *t,
    const struct spf_syntax *e)
{
	struct spf_term at = *t;
	size_t n = strlen(e->what);

	if (e->arg >= r->rec && e->arg < r->rec + r->reclen && e->len > 0) {
		at.text = e->arg;
		at.len = e->len;
	}
	while (n > 0 && (e->what[n - 1] == ':' || e->what[n - 1] == ' '))
		n--;
	lint_add(l, r, LINT_ERROR, "syntax", &at, "%.*s", (int)n, e->what);
}

static void
modifier(struct lint *l, struct lint_record *r, struct lint_seen *s,
    const struct spf_term *t)
{
	struct spf_term *keep = t->kind == SPF_T_EXP ? &s->exp : &s->redirect;

	if (t->kind == SPF_T_OTHER) {
		lint_add(l, r, LINT_NOTE, "unknown-modifier", t,
		    "receivers ignore this modifier");
		return;
	}
	if (keep->kind != 0)
		lint_add(l, r, LINT_ERROR, "syntax", t,
		    "this modifier must not appear twice");
	else
		*keep = *t;
}

static void
mechanism(struct lint *l, struct lint_record *r, struct lint_seen *s,
    const struct spf_term *t)
{
	if (s->all) {
		if (!s->warned_after_all)
			lint_add(l, r, LINT_WARNING, "after-all", t,
			    "terms after all are never evaluated");
		s->warned_after_all = 1;
		return;
	}
	switch (t->kind) {
	case SPF_T_ALL:
		s->all = 1;
		all_term(l, r, t);
		break;
	case SPF_T_IP4:
	case SPF_T_IP6:
		if (lint_passes(r, t))
			lint_net_add(l, &t->net);
		break;
	default:
		lookup_term(l, r, t);
	}
}

/* RFC 7208 6.2: receivers ignore an explanation with any error. */
static void
explanation(struct lint *l, struct lint_record *r, const struct spf_term *t)
{
	char name[DNAME_MAX + 1];
	const struct dns_answer *a;
	struct spf_syntax e;
	size_t len, end;

	if (!r->own || lint_target(l, r, t, name, &len) != 1 ||
	    (a = ask(l, DNS_T_TXT, name, len)) == NULL ||
	    lookup_failed(l, r, t, a, name))
		return;
	if (a->status != DNS_OK || a->nrr != 1)
		lint_add(l, r, LINT_WARNING, "exp", t,
		    "%s has %d TXT records; an explanation needs exactly one",
		    name, a->status == DNS_OK ? a->nrr : 0);
	else if (spf_macro_check((const char *)a->rr[0].data, a->rr[0].len,
		     SPF_MACRO_EXP, &end, &e) == -1)
		lint_add(l, r, LINT_WARNING, "exp", t,
		    "receivers ignore the text at %s: %s%.*s", name, e.what,
		    e.len > 100 ? 100 : (int)e.len, e.arg == NULL ? "" : e.arg);
}

static void
record_end(struct lint *l, struct lint_record *r, struct lint_seen *s)
{
	if (s->exp.kind != 0)
		explanation(l, r, &s->exp);
	if (s->redirect.kind != 0 && s->all)
		lint_add(l, r, LINT_WARNING, "redirect-ignored", &s->redirect,
		    "redirect= has no effect beside all");
	else if (s->redirect.kind != 0)
		lookup_term(l, r, &s->redirect);
	else if (!s->all && !s->bad && r->own)
		lint_add(l, r, LINT_WARNING, "no-all", NULL,
		    "no all at the end: hosts that match no term get neutral");
}

/* Adds a finding for the first octet that RFC 7208 3.1 does not allow. */
static void
record_octets(struct lint *l, struct lint_record *r)
{
	struct spf_term at;
	size_t i;

	memset(&at, 0, sizeof(at));
	for (i = 0; i < r->reclen; i++)
		if (!ascii_is_print(r->rec[i])) {
			at.text = r->rec + i;
			at.len = 1;
			lint_add(l, r, LINT_ERROR, "octets", &at,
			    "octet 0x%02x: a record must be printable ASCII",
			    (unsigned int)(unsigned char)r->rec[i]);
			return;
		}
}

static void
record_terms(struct lint *l, struct lint_record *r)
{
	struct spf_scan sc;
	struct spf_syntax e;
	struct spf_term t;
	struct lint_seen s;
	int rv;

	memset(&s, 0, sizeof(s));
	spf_scan_start(&sc, r->rec, r->reclen);
	/* Continue after a syntax error. */
	while ((rv = spf_scan_next(&sc, &t, &e)) != 0) {
		if (l->lookups > LINT_TERMS_MAX ||
		    l->count[LINT_ERROR] > FINDINGS_MAX)
			return;
		if (rv == -1) {
			s.bad = 1;
			syntax_error(l, r, &t, &e);
		} else if (t.kind > SPF_T_MECHANISMS)
			modifier(l, r, &s, &t);
		else
			mechanism(l, r, &s, &t);
	}
	record_end(l, r, &s);
}

/* Checks the other TXT records and the size of the answer (RFC 7208 3.4). */
static void
answer_check(struct lint *l, struct lint_record *r, const struct dns_answer *a,
    size_t found)
{
	size_t i, size = 12 + r->dlen + 2 + 4 + 11;
	const char *s;

	for (i = 0; i < a->nrr; i++) {
		s = (const char *)a->rr[i].data;
		size += 12 + a->rr[i].len + a->rr[i].len / 255 + 1;
		if (spf_is_record(s, a->rr[i].len))
			continue;
		if (a->rr[i].len >= 7 && strncasecmp(s, "spf2.0/", 7) == 0)
			lint_add(l, r, LINT_NOTE, "sender-id", NULL,
			    "the spf2.0 record is for Sender ID, which is "
			    "obsolete");
		else if (memmem(s, a->rr[i].len > 10 ? 10 : a->rr[i].len,
			     "v=spf", 5) != NULL)
			lint_add(l, r, LINT_WARNING, "not-a-record", NULL,
			    "a TXT record begins with \"%.*s\"; an SPF record "
			    "begins with \"v=spf1 \"",
			    a->rr[i].len > 12 ? 12 : a->rr[i].len, s);
	}
	if (found > 1)
		lint_add(l, r, LINT_ERROR, "several-records", NULL,
		    "%zu SPF records; more than one is a permerror", found);
	if (r->reclen > RECORD_LONG)
		lint_add(l, r, LINT_WARNING, "long-record", NULL,
		    "the record has %zu octets; above %d, the answer may be "
		    "too large for UDP",
		    r->reclen, RECORD_LONG);
	else if (size > ANSWER_LONG)
		lint_add(l, r, LINT_NOTE, "long-answer", NULL,
		    "all TXT records together make an answer of about %zu "
		    "octets; above %d, it may need TCP",
		    size, ANSWER_LONG);
}

static void
zone_notes(struct lint *l, struct lint_record *r)
{
	const struct zonefile_note *n;
	size_t i;

	if (l->ctl->zone == NULL)
		return;
	for (i = 0; (n = zonefile_note_at(l->ctl->zone, i)) != NULL; i++)
		if (dname_equal(n->owner, strlen(n->owner), r->domain, r->dlen))
			lint_add(l, r, n->serious ? LINT_ERROR : LINT_WARNING,
			    n->code, NULL, "zone file, line %u: %s", n->line,
			    n->text);
}

static void
record_check(struct lint *l, struct lint_record *r)
{
	const struct dns_answer *a;
	unsigned int before = l->lookups;
	size_t i, found = 0;

	if ((a = ask(l, DNS_T_TXT, r->domain, r->dlen)) == NULL)
		return;
	for (i = 0; i < a->nrr; i++)
		if (spf_is_record((const char *)a->rr[i].data, a->rr[i].len) &&
		    found++ == 0) {
			r->rec = (const char *)a->rr[i].data;
			r->reclen = a->rr[i].len;
		}
	zone_notes(l, r);
	if (r->parent == NULL && !lookup_failed(l, r, NULL, a, r->domain) &&
	    found == 0)
		lint_add(l, r, LINT_ERROR, "no-record", NULL, "%s",
		    a->status == DNS_NXDOMAIN ? "the name does not exist" :
						"there is no SPF record");
	answer_check(l, r, a, found);
	if (r->rec != NULL) {
		record_octets(l, r);
		record_terms(l, r);
		lint_net_record(l, r);
	}
	r->lookups = l->lookups - before;
}

static int
run(struct answers *answers, int elapsed, void *arg)
{
	struct lint *l = arg;
	struct lint_record *top;

	arena_reset(l->arena);
	STAILQ_INIT(&l->records);
	l->answers = answers;
	l->nrecords = l->lookups = 0;
	l->waiting = l->uncounted = 0;
	l->nnets = 0;
	memset(l->voids, 0, sizeof(l->voids));
	memset(l->count, 0, sizeof(l->count));
	top = record_new(l, NULL, NULL, l->domain, l->dlen);
	if (top == NULL)
		fatalx("no memory");
	record_check(l, top);
	if (!l->waiting)
		lint_tree(l);
	return l->waiting;
}

int
ctl_lint(struct spfctl *ctl)
{
	static struct lint l;
	const struct answers_question *q;
	const char *arg = ctl->argv[0];
	int len;

	l.ctl = ctl;
	len = dname_to_ascii(arg, dname_undot(arg, strlen(arg)), l.domain,
	    sizeof(l.domain));
	if (len == -1 || !dname_valid(l.domain, (size_t)len)) {
		ctl_complain("%s is not a domain name", arg);
		return EX_USAGE;
	}
	l.dlen = (size_t)len;
	if ((l.answers = answers_new()) == NULL ||
	    (l.arena = arena_new(LINT_ARENA)) == NULL ||
	    (l.nets = calloc(LINT_NETS_MAX, sizeof(*l.nets))) == NULL)
		fatal("lint");
	if (ctl_ask_run(ctl, l.answers, judge_time(ctl->conf), run, &l) == -1)
		return EX_TEMPFAIL;
	if (ctl->form == CTL_JSON)
		lint_json(&l);
	else
		lint_show(&l);
	q = answers_at(l.answers, 0);
	if (q != NULL &&
	    (q->answer.status == DNS_TEMPERROR ||
		q->answer.status == DNS_TIMEOUT))
		return EX_TEMPFAIL;
	return l.count[LINT_ERROR] > 0 ? CTL_ERRORS :
	    l.count[LINT_WARNING] > 0  ? CTL_WARNINGS :
					 CTL_OK;
}
