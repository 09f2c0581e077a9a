/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/dname.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/judge/decision.h"
#include "unpriv/judge/header.h"
#include "unpriv/judge/judge.h"
#include "unpriv/judge/reply.h"

#define UNKNOWN "<UNKNOWN>"

/* One identity as it is judged. */
struct identity {
	enum judge_identity id;
	const char *name;  /* of "identity=" */
	const char *scope; /* of the URL */
	const char *prop;  /* RFC 8601's property */
	const char *domain;
	struct judge_checked *checked;
	int listed;		/* by Reject_Not_Pass_Domains */
	enum decision decision; /* when checked->done */
};

/* One run. */
struct job {
	const struct judge_request *req;
	const struct conf *conf;
	struct answers *answers;
	struct arena *arena;
	struct judge_outcome *out;
	struct judge_log **tail;

	struct addr ip; /* that is judged */
	const char *ip_text;
	const char *helo;   /* without trailing dot; "" if none */
	const char *sender; /* likewise; "" null */
	const char *local;  /* NULL: the sender has no '@' */
	const char *domain;
	int null_sender;
	struct identity h, m; /* HELO, MAIL FROM */
};

static void note(struct job *, int, const char *);
static const char *quote_python(struct arena *, const char *);
static void note_identity(struct job *, const struct identity *, int);
static const char *undotted(struct job *, const char *);
static void split_sender(struct job *);
static void set_identities(struct job *);
static int start(struct job *);
static enum list_match run_lists(struct job *, const struct list **);
static int is_no_mail(struct job *, const char *);
static int check_identity(struct job *, struct identity *);
static int refuses(const struct identity *);
static int run_checks(struct job *);
static const char *receiver(struct job *);
static void fill_parts(struct job *, struct header_parts *);
static const char *reason_of(struct job *, const struct identity *);
static const char *spf_header(struct job *, const struct identity *, int);
static const char *list_header(struct job *, const struct list *, int);
static int wants_ar(const struct job *);
static void note_action(struct job *, const char *, const char *);
static void prepend(struct job *, const char *);
static const char *reply_of(struct job *, const struct identity *);
static void refuse(struct job *, const struct identity *);
static void restrict_to(struct job *, const struct identity *, const char *);
static void not_done(struct job *, const struct identity *, const char *);
static const char *restriction(const struct job *, const struct identity **);
static const char *later(const struct job *);
static const struct identity *header_identity(struct job *);
static void finish(struct job *);
static void bypass(struct job *, const struct list *);

static void
note(struct job *j, int level, const char *text)
{
	struct judge_log *l;

	if (text == NULL || level > j->conf->debug_level ||
	    (l = arena_alloc(j->arena, sizeof(*l))) == NULL)
		return;
	l->level = level;
	l->text = text;
	*j->tail = l;
	j->tail = &l->next;
}

/* As Python prints a text in a list: the record is an interface. */
static const char *
quote_python(struct arena *a, const char *s)
{
	char q = strchr(s, '\'') != NULL && strchr(s, '"') == NULL ? '"' : '\'';
	struct hbuf h;

	hbuf_init(&h, a, strlen(s) * 2 + 3);
	hbuf_char(&h, q);
	for (; *s != '\0'; s++) {
		if (*s == q || *s == '\\')
			hbuf_char(&h, '\\');
		hbuf_char(&h, *s);
	}
	hbuf_char(&h, q);
	return hbuf_done(&h);
}

/* debugLevel 2: what an identity gave; whole 0: without its fields. */
static void
note_identity(struct job *j, const struct identity *i, int whole)
{
	const struct spf_verdict *v = &i->checked->verdict;
	const char *title, *reason, *plain;
	struct header_parts w;

	if (j->conf->debug_level < 2 || !i->checked->done)
		return;
	title = spf_result_title[v->result];
	reason = v->explanation != NULL ? v->explanation : v->reason;
	if (v->result == SPF_RESULT_NONE || reason == NULL)
		reason = "";
	if ((reason = quote_python(j->arena, reason)) != NULL)
		note(j, 2,
		    arena_printf(j->arena,
			"spfcheck: pyspf result: \"['%s', %s, '%s']\"", title,
			reason, i->name));
	fill_parts(j, &w);
	if (whole && w.ip != NULL &&
	    (plain = header_plain(j->arena, &w)) != NULL)
		note(j, 2,
		    arena_printf(j->arena, "%s; identity=%s; %s ", title,
			i->name, plain));
}

/* COMPAT "trailing-dot" */
static const char *
undotted(struct job *j, const char *s)
{
	size_t len = strlen(s), n = dname_undot(s, len);

	return n == len ? s : arena_strndup(j->arena, s, n);
}

/* COMPAT "last-at"; RFC 7208 4.3 for a sender without local part. */
static void
split_sender(struct job *j)
{
	const char *at;

	if ((j->sender = undotted(j,
		 j->req->sender == NULL ? "" : j->req->sender)) == NULL)
		return;
	j->null_sender = j->sender[0] == '\0';
	if ((at = strrchr(j->sender, '@')) == NULL) {
		j->domain = j->sender;
		return;
	}
	j->domain = at + 1;
	if ((j->local = arena_strndup(j->arena, j->sender,
		 (size_t)(at - j->sender))) == NULL)
		j->sender = NULL;
}

/* After the lists: they see an empty HELO as it is. */
static void
set_identities(struct job *j)
{
	if (j->helo[0] == '\0')
		j->helo = j->local != NULL && j->domain[0] != '\0' ? j->domain :
								     "unknown";
	j->h.id = JUDGE_ID_HELO;
	j->h.name = j->h.scope = "helo";
	j->h.prop = "smtp.helo";
	j->h.domain = j->helo;
	j->h.checked = &j->out->helo;
	j->m.id = JUDGE_ID_MAILFROM;
	j->m.name = "mailfrom";
	j->m.scope = "mfrom";
	j->m.prop = "smtp.mailfrom";
	j->m.domain = j->domain;
	j->m.checked = &j->out->mailfrom;
}

/* Who is judged. 0: there is no address, and nothing to do. */
static int
start(struct job *j)
{
	const struct judge_request *req = j->req;
	char buf[ADDR_STRLEN];

	j->ip = req->client;
	j->ip_text = req->client_text;
	if (j->conf->prospective.family != 0) {
		j->ip = j->conf->prospective;
		j->ip_text = arena_strdup(j->arena,
		    addr_format(&j->ip, buf, sizeof(buf)));
	}
	if (j->ip.family == 0) {
		if (req->client_text == NULL)
			note(j, 2, "spfcheck: No client address, exiting");
		else
			note(j, 0,
			    arena_printf(j->arena,
				"ERROR: no check: \"%.64s\" is no client address",
				req->client_text));
		return 0;
	}
	if (j->ip_text == NULL)
		j->ip_text = arena_strdup(j->arena,
		    addr_format(&j->ip, buf, sizeof(buf)));
	j->helo = undotted(j, req->helo == NULL ? "" : req->helo);
	split_sender(j);
	return 1;
}

/*
 * Bypass lists in their order: the first that matches counts. Those behind
 * one that waits are run all the same, for what they will have to ask.
 */
static enum list_match
run_lists(struct job *j, const struct list **found)
{
	struct list_query q = { j->conf, &j->ip, j->helo, j->req->now };
	enum list_match m, all = LIST_NO;
	size_t i;

	for (i = 0; i < LIST_MAX; i++) {
		m = lists[i].match(&q, j->answers, j->arena);
		if (m == LIST_WAIT && !j->req->lists_late)
			all = LIST_WAIT;
		if (m == LIST_YES && all == LIST_NO) {
			*found = &lists[i];
			return LIST_YES;
		}
	}
	return all;
}

/*
 * No_Mail: the first TXT record of the domain is, in its first
 * string, exactly the record of a domain that sends no mail.
 */
static int
is_no_mail(struct job *j, const char *domain)
{
	static const char no_mail[] = "v=spf1 -all";
	const struct answers_question *q;
	char ascii[DNAME_MAX + 1];
	int len;

	len = dname_to_ascii(domain, strlen(domain), ascii, sizeof(ascii));
	if (len == -1 || !dname_valid(ascii, (size_t)len) ||
	    (q = answers_find(j->answers, DNS_T_TXT, ascii, (size_t)len)) ==
		NULL ||
	    q->state != ANSWERS_DONE || q->answer.status != DNS_OK ||
	    q->answer.nrr == 0)
		return 0;
	return q->answer.rr[0].aux == sizeof(no_mail) - 1 &&
	    memcmp(q->answer.rr[0].data, no_mail, sizeof(no_mail) - 1) == 0;
}

/* One identity's check and decision. 0: an answer is missing. */
static int
check_identity(struct job *j, struct identity *i)
{
	struct spf_request req;

	memset(&req, 0, sizeof(req));
	req.client = j->ip;
	req.helo = j->helo;
	req.local = i->id == JUDGE_ID_MAILFROM && j->local != NULL &&
		j->local[0] != '\0' ?
	    j->local :
	    "postmaster";
	req.domain = i->domain;
	req.now = j->req->now;
	req.void_limit = (unsigned int)j->conf->void_limit;
	req.want_trace = j->req->want_trace;
	if (spf_check(&req, j->answers, j->arena, &i->checked->verdict) ==
	    SPF_WAIT)
		return 0;
	i->checked->done = 1;
	i->listed = decision_listed(j->conf, i->id, j->null_sender, i->domain);
	i->decision = decision_of(j->conf, i->id, j->null_sender, i->listed,
	    i->checked->verdict.result);
	if (i->decision == DECISION_REJECT && j->conf->no_mail &&
	    !is_no_mail(j, i->domain))
		i->decision = DECISION_PREPEND;
	return 1;
}

static int
refuses(const struct identity *i)
{
	return i->checked->done &&
	    (i->decision == DECISION_REJECT || i->decision == DECISION_DEFER);
}

/*
 * HELO, then MAIL FROM unless HELO refuses; while HELO waits, MAIL FROM is
 * run for its questions. A HELO result that cannot weigh is looked for only
 * where its header would be shown (COMPAT "none-skip"). 0: wait.
 */
static int
run_checks(struct job *j)
{
	int helo = j->conf->helo_reject != REJECT_NO_CHECK;
	int mfrom =
	    !j->null_sender && j->conf->mail_from_reject != REJECT_NO_CHECK;
	int late, known = 1;

	late = helo && mfrom && !j->req->want_trace &&
	    !decision_helo_weighs(j->conf, j->req->voice, j->null_sender,
		j->helo);
	if (helo && !late) {
		known = check_identity(j, &j->h);
		if (refuses(&j->h))
			return 1;
	}
	if (mfrom && !check_identity(j, &j->m))
		return 0;
	if (late && j->m.checked->verdict.result == SPF_RESULT_NONE)
		known = check_identity(j, &j->h);
	return known;
}

/* receiver= of a header: the recipient's domain where it may be told. */
static const char *
receiver(struct job *j)
{
	const char *at, *r = j->req->recipient;

	if (j->req->voice == JUDGE_MILTER ||
	    (j->conf->hide_receiver && !j->req->peruser))
		return UNKNOWN;
	if (r == NULL || *r == '\0')
		return "none";
	if ((at = strrchr(r, '@')) != NULL && !j->req->peruser)
		r = undotted(j, at + 1);
	if (r == NULL || (at = strrchr(r, '@')) == NULL)
		return r == NULL ?
		    NULL :
		    header_show_domain(j->arena, r, j->req->smtputf8);
	return header_show_sender(j->arena,
	    arena_strndup(j->arena, r, (size_t)(at - r)), at + 1,
	    j->req->smtputf8);
}

/* ip is NULL when the arena is exhausted. */
static void
fill_parts(struct job *j, struct header_parts *w)
{
	w->utf8 = j->req->smtputf8;
	w->ip = header_show(j->arena, j->ip_text, 0, ADDR_STRLEN);
	w->helo = header_show_domain(j->arena, j->helo, w->utf8);
	w->sender = j->null_sender ?
	    "<>" :
	    header_show_sender(j->arena, j->local, j->domain, w->utf8);
	w->receiver = receiver(j);
	w->id = header_show(j->arena, j->conf->authserv_id, 0, HEADER_ID_MAX);
	if (w->helo == NULL || w->sender == NULL || w->receiver == NULL ||
	    w->id == NULL)
		w->ip = NULL;
}

/* Why, for people. */
static const char *
reason_of(struct job *j, const struct identity *i)
{
	const struct spf_verdict *v = &i->checked->verdict;

	if (v->result == SPF_RESULT_NONE)
		return "no SPF record";
	if (i->listed)
		return arena_printf(j->arena, "Receiver policy for SPF %s",
		    spf_result_title[v->result]);
	if (v->explanation != NULL &&
	    (v->result == SPF_RESULT_FAIL || v->result == SPF_RESULT_SOFTFAIL))
		return v->explanation;
	return v->reason == NULL ? "" : v->reason;
}

/* The field that tells an identity's result, or NULL. */
static const char *
spf_header(struct job *j, const struct identity *i, int ar)
{
	enum spf_result r = i->checked->verdict.result;
	const char *reason, *domain;
	struct header_parts w;

	fill_parts(j, &w);
	if (w.ip == NULL || (reason = reason_of(j, i)) == NULL ||
	    (reason = header_show(j->arena, reason, w.utf8,
		 HEADER_REASON_MAX)) == NULL)
		return NULL;
	if (!ar)
		return header_received_spf(j->arena, spf_result_title[r],
		    i->id == JUDGE_ID_MAILFROM ? i->name : reason, i->name, &w);
	/* A-labels always: OpenDMARC defers mail for a U-label here */
	if ((domain = header_show_domain(j->arena, i->domain, 0)) == NULL)
		return NULL;
	return header_ar(j->arena, spf_result_name[r], reason, i->prop, domain,
	    &w);
}

/* The field of a client that was not checked: values as they came. */
static const char *
list_header(struct job *j, const struct list *l, int ar)
{
	const struct judge_request *req = j->req;
	struct header_parts w;

	fill_parts(j, &w);
	if (w.ip == NULL)
		return NULL;
	w.ip = req->client_text == NULL ?
	    UNKNOWN :
	    header_show(j->arena, req->client_text, 0, ADDR_STRLEN);
	if (req->helo == NULL)
		w.helo = UNKNOWN;
	if (req->sender == NULL)
		w.sender = UNKNOWN;
	else if (j->null_sender)
		w.sender = "";
	if (w.ip == NULL)
		return NULL;
	return (ar ? header_ar_none : header_x_comment)(j->arena, l->text, &w);
}

static int
wants_ar(const struct job *j)
{
	if (j->conf->header_type == HEADER_NONE)
		return 0; /* the log shows the other form */
	return j->req->voice == JUDGE_MILTER ||
	    j->conf->header_type == HEADER_AR;
}

static void
note_action(struct job *j, const char *action, const char *text)
{
	const struct judge_outcome *o = j->out;

	if (j->conf->debug_level >= 3)
		note(j, 3,
		    arena_printf(j->arena,
			"Action: %s: Text: %s Reject action: %s%s", action,
			text, j->req->voice == JUDGE_MILTER ? "" : "550 ",
			o->action == JUDGE_REJECT && o->xcode != NULL ?
			    o->xcode :
			    "5.7.23"));
}

/* header NULL: the arena is exhausted; mail goes on without. */
static void
prepend(struct job *j, const char *header)
{
	struct judge_outcome *o = j->out;
	const char *colon;

	o->action = JUDGE_PREPEND;
	if (header == NULL)
		return;
	note_action(j, "prepend", header);
	/* As in spf-engine the policy voice then says nothing. */
	if (j->conf->prospective.family != 0 && j->req->voice == JUDGE_POLICY) {
		o->action = JUDGE_NOTHING;
		return;
	}
	if (j->conf->header_type == HEADER_NONE) {
		note(j, 1,
		    arena_printf(j->arena, "Header field not prepended: %s",
			header));
		return;
	}
	note(j, 1, arena_printf(j->arena, "prepend %s", header));
	colon = strstr(header, ": ");
	o->header_name =
	    arena_strndup(j->arena, header, (size_t)(colon - header));
	if (o->header_name == NULL)
		return;
	o->header_value = colon + 2;
	o->header = header;
}

static const char *
reply_of(struct job *j, const struct identity *i)
{
	struct reply_parts r;
	const char *text;

	memset(&r, 0, sizeof(r));
	r.rejectdefer = i->decision == DECISION_DEFER ? "deferred" : "rejected";
	r.spf = reason_of(j, i);
	r.scope = i->scope;
	r.id = i->id == JUDGE_ID_HELO ? j->helo : j->sender;
	r.ip = j->ip_text;
	r.rcpt = receiver(j);
	r.utf8 = j->req->smtputf8;
	/* A refusal stands though there is no memory to explain it. */
	if (r.spf == NULL || r.rcpt == NULL || r.ip == NULL ||
	    (text = reply_text(j->arena, j->conf->reason_message,
		 j->conf->why_url, &r)) == NULL)
		return i->decision == DECISION_DEFER ? "Message deferred" :
						       "Message rejected";
	return text;
}

/* Codes and text of a reject or defer (RFC 7372 3.2). */
static void
refuse(struct job *j, const struct identity *i)
{
	int defer = i->decision == DECISION_DEFER;
	int milter = j->req->voice == JUDGE_MILTER;
	struct judge_outcome *o = j->out;
	const char *line;

	o->action = defer ? JUDGE_DEFER : JUDGE_REJECT;
	o->code = defer ? "450" : "550";
	if (j->conf->enhanced_codes)
		o->xcode = defer		      ? "4.7.24" :
		    o->result == SPF_RESULT_PERMERROR ? "5.7.24" :
							"5.7.23";
	else if (milter) /* COMPAT "enhanced-no" */
		o->xcode = defer ? "4.7.1" : "5.7.1";
	o->text = reply_of(j, i);
	note_action(j, defer ? "defer" : "reject", o->text);
	line = arena_printf(j->arena, "%s%s%s%s%s",
	    milter    ? "" :
		defer ? "defer_if_permit" :
			"550",
	    milter || o->xcode == NULL ? "" : " ",
	    o->xcode == NULL ? "" : o->xcode, " ", o->text);
	if (j->conf->test_only == 0)
		not_done(j, i, line);
	else
		note(j, 1, line);
}

static void
restrict_to(struct job *j, const struct identity *i, const char *text)
{
	const char *line = arena_printf(j->arena, "result_only %s", text);

	j->out->action = JUDGE_RESTRICTION;
	j->out->text = text;
	note_action(j, "result_only", text);
	if (j->conf->test_only == 0)
		not_done(j, i, line);
	else
		note(j, 1, line);
}

/*
 * TestOnly = 0: the policy voice says nothing, the milter adds
 * the header of the true result (COMPAT "testonly"); the log tells what
 * would have been done.
 */
static void
not_done(struct job *j, const struct identity *i, const char *line)
{
	struct judge_outcome *o = j->out;

	if (line != NULL)
		note(j, 1,
		    arena_printf(j->arena, "TestOnly = 0, not done: %s", line));
	o->action = JUDGE_NOTHING;
	o->not_done = line;
	o->code = o->xcode = o->text = NULL;
	if (j->req->voice == JUDGE_MILTER)
		prepend(j, spf_header(j, i, wants_ar(j)));
}

/*
 * Pass restrictions, for the policy voice. An unset key asks for nothing,
 * where the original answers the word "None" (COMPAT "crash").
 */
static const char *
restriction(const struct job *j, const struct identity **whose)
{
	const struct judge_outcome *o = j->out;
	const char *s;

	if (j->req->voice != JUDGE_POLICY)
		return NULL;
	if (o->mailfrom.done && o->mailfrom.verdict.result == SPF_RESULT_PASS) {
		*whose = &j->m;
		s = j->conf->mail_from_pass_restriction;
	} else if ((j->null_sender || o->mailfrom.done) && o->helo.done &&
	    o->helo.verdict.result == SPF_RESULT_PASS) {
		*whose = &j->h;
		s = j->conf->helo_pass_restriction;
	} else
		return NULL;
	return s[0] == '\0' ? NULL : s;
}

/*
 * As in spf-engine a HELO pass where MAIL FROM is not checked brings a header
 * for the first recipient, and the restriction for the others.
 */
static const char *
later(const struct job *j)
{
	const struct judge_outcome *o = j->out;
	const char *s = j->conf->helo_pass_restriction;

	if (j->req->voice != JUDGE_POLICY || o->action != JUDGE_PREPEND ||
	    j->conf->test_only == 0 || j->null_sender || o->mailfrom.done ||
	    !o->helo.done || o->helo.verdict.result != SPF_RESULT_PASS)
		return NULL;
	return s[0] == '\0' ? NULL : s;
}

/* Whose result the header tells; NULL: nothing was checked. */
static const struct identity *
header_identity(struct job *j)
{
	const struct judge_outcome *o = j->out;

	if (o->mailfrom.done &&
	    (o->mailfrom.verdict.result != SPF_RESULT_NONE || !o->helo.done ||
		o->helo.verdict.result == SPF_RESULT_NONE))
		return &j->m;
	return o->helo.done ? &j->h : NULL;
}

/* All results are known. */
static void
finish(struct job *j)
{
	const struct identity *i = NULL;
	const char *text = NULL;

	if (refuses(&j->h))
		i = &j->h;
	else if ((text = restriction(j, &i)) == NULL)
		i = refuses(&j->m) ? &j->m : header_identity(j);
	note_identity(j, &j->h, 1);
	note_identity(j, &j->m,
	    i != &j->h || j->m.checked->verdict.result != SPF_RESULT_NONE);
	if (i == NULL)
		return;
	j->out->identity = i->id;
	j->out->result = i->checked->verdict.result;
	if (text != NULL)
		restrict_to(j, i, text);
	else if (refuses(i))
		refuse(j, i);
	else {
		prepend(j, spf_header(j, i, wants_ar(j)));
		j->out->later = later(j);
	}
}

static void
bypass(struct job *j, const struct list *l)
{
	const char *header = list_header(j, l, wants_ar(j));

	j->out->skipped = l->name;
	note(j, 3, header);
	prepend(j, header);
}

enum judge_status
judge_run(const struct judge_request *req, struct answers *answers,
    struct arena *arena, struct judge_outcome *out)
{
	const struct list *found = NULL;
	enum list_match m;
	struct job j;

	memset(out, 0, sizeof(*out));
	memset(&j, 0, sizeof(j));
	j.req = req;
	j.conf = req->conf;
	j.answers = answers;
	j.arena = arena;
	j.out = out;
	j.tail = &out->log;
	if (!start(&j))
		return JUDGE_DONE;
	if (j.helo == NULL || j.sender == NULL || j.ip_text == NULL)
		return JUDGE_DONE; /* no memory even to begin */
	if ((m = run_lists(&j, &found)) == LIST_YES) {
		bypass(&j, found);
		return JUDGE_DONE;
	}
	if (j.null_sender && j.helo[0] == '\0') {
		if (m == LIST_WAIT)
			return JUDGE_WAIT;
		note(&j, 2, "spfcheck: No sender or helo, exiting");
		return JUDGE_DONE;
	}
	set_identities(&j);
	if (!run_checks(&j) || m == LIST_WAIT)
		return JUDGE_WAIT;
	finish(&j);
	return JUDGE_DONE;
}

void
judge_hint_helo(const struct conf *conf, const char *helo,
    struct answers *answers)
{
	enum judge_voice voice =
	    conf->program == CONF_POLICY ? JUDGE_POLICY : JUDGE_MILTER;
	size_t len = strlen(helo), n = dname_undot(helo, len);
	char name[DNAME_MAX + 1], ascii[DNAME_MAX + 1];
	int alen;

	if (n == 0 || n > DNAME_MAX)
		return;
	memcpy(name, helo, n);
	name[n] = '\0';
	/* RFC 7208 4.3: no query will be made for these. */
	if (name[0] == '[' || strchr(name, '.') == NULL)
		return;
	if (conf->helo_reject == REJECT_NO_CHECK ||
	    (conf->mail_from_reject != REJECT_NO_CHECK &&
		!decision_helo_weighs(conf, voice, 0, name)))
		return;
	alen = dname_to_ascii(name, n, ascii, sizeof(ascii));
	if (alen != -1 && dname_valid(ascii, (size_t)alen))
		answers_hint(answers, DNS_T_TXT, ascii, (size_t)alen);
}
