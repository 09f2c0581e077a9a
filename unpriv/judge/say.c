/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/dname.h"
#include "proto/python.h"
#include "unpriv/judge/header.h"
#include "unpriv/judge/reply.h"
#include "unpriv/judge/say.h"

#define UNKNOWN "<UNKNOWN>"

static const struct {
	const char *name;  /* of "identity=" */
	const char *scope; /* of Reason_URL */
	const char *prop;  /* RFC 8601 2.7.2 */
} identities[] = {
	[JUDGE_ID_HELO] = { "helo", "helo", "smtp.helo" },
	[JUDGE_ID_MAILFROM] = { "mailfrom", "mfrom", "smtp.mailfrom" },
};

/* Codes and words of a reject and of a defer (RFC 7372 3.2). */
/* clang-format off */
static const struct refusal {
	enum judge_action action;
	const char *name;
	const char *rejectdefer; /* in Reason_Message */
	const char *code;
	const char *verb; /* policy's answer has it in place of the code */
	const char *xcode, *xcode_permerror;
	const char *xcode_plain; /* COMPAT "enhanced-no" */
	const char *text, *answer; /* when the arena is exhausted */
} refusals[] = {
	[DECISION_REJECT] = { JUDGE_REJECT, "reject", "rejected", "550", "550",
	    "5.7.23", "5.7.24", "5.7.1",
	    "Message rejected", "550 Message rejected" },
	[DECISION_DEFER] = { JUDGE_DEFER, "defer", "deferred", "450",
	    "defer_if_permit", "4.7.24", "4.7.24", "4.7.1",
	    "Message deferred", "defer_if_permit Message deferred" },
};
/* clang-format on */

void
say_log(struct judge_state *j, int level, enum judge_log_kind kind,
    const char *name, const char *text)
{
	struct judge_log *l;

	if (text == NULL || level > j->conf->debug_level ||
	    (l = arena_alloc(j->arena, sizeof(*l))) == NULL)
		return;
	*l = (struct judge_log){ NULL, kind, level, name, text };
	*j->tail = l;
	j->tail = &l->next;
}

/* receiver= of a header field: the recipient's domain, unless it is hidden. */
static const char *
receiver(struct judge_state *j)
{
	const char *at, *r = j->req->recipient;

	if (j->req->program == CONF_MILTER ||
	    (j->conf->hide_receiver && !j->req->peruser))
		return UNKNOWN;
	if (r == NULL || *r == '\0')
		return "none";
	if ((at = strrchr(r, '@')) != NULL && !j->req->peruser)
		r = arena_strndup(j->arena, at + 1,
		    dname_undot(at + 1, strlen(at + 1)));
	if (r == NULL || (at = strrchr(r, '@')) == NULL)
		return r == NULL ?
		    NULL :
		    header_show_domain(j->arena, r, j->req->smtputf8);
	return header_show_sender(j->arena,
	    arena_strndup(j->arena, r, (size_t)(at - r)), at + 1,
	    j->req->smtputf8);
}

/* ip becomes NULL when the arena is exhausted. */
static void
fill_parts(struct judge_state *j, struct header_parts *w)
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

void
say_result(struct judge_state *j, const struct judge_identity *i, int fields)
{
	const struct spf_verdict *v = &i->checked->verdict;
	const char *title, *reason, *plain, *name = identities[i->id].name;
	struct header_parts w;
	size_t size;
	char *repr;

	if (j->conf->debug_level < 2 || !i->checked->done)
		return;
	title = spf_result_title[v->result];
	reason = v->explanation != NULL ? v->explanation : v->reason;
	if (v->result == SPF_RESULT_NONE || reason == NULL)
		reason = "";
	size = strlen(reason) * 2 + 3;
	if ((repr = arena_alloc(j->arena, size)) != NULL) {
		python_repr(repr, size, reason);
		say_log(j, 2, JUDGE_LOG_TEXT, NULL,
		    arena_printf(j->arena,
			"spfcheck: pyspf result: \"['%s', %s, '%s']\"", title,
			repr, name));
	}
	fill_parts(j, &w);
	if (fields && w.ip != NULL &&
	    (plain = header_plain(j->arena, &w)) != NULL)
		say_log(j, 2, JUDGE_LOG_TEXT, NULL,
		    arena_printf(j->arena, "%s; identity=%s; %s ", title, name,
			plain));
}

/* The reason for the result, in words. */
static const char *
reason_of(struct judge_state *j, const struct judge_identity *i)
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

/* 1: Authentication-Results; 0: Received-SPF, also in the log for None. */
static int
wants_ar(const struct judge_state *j)
{
	return j->conf->header_type != HEADER_NONE &&
	    (j->req->program == CONF_MILTER ||
		j->conf->header_type == HEADER_AR);
}

/* The field with an identity's result. */
static struct header_field
result_field(struct judge_state *j, const struct judge_identity *i)
{
	enum spf_result r = i->checked->verdict.result;
	const char *name = identities[i->id].name, *reason, *domain;
	struct header_field none = { NULL, NULL };
	struct header_parts w;

	fill_parts(j, &w);
	if (w.ip == NULL || (reason = reason_of(j, i)) == NULL ||
	    (reason = header_show(j->arena, reason, w.utf8,
		 HEADER_REASON_MAX)) == NULL)
		return none;
	if (!wants_ar(j))
		return header_received_spf(j->arena, spf_result_title[r],
		    i->id == JUDGE_ID_MAILFROM ? name : reason, name, &w);
	/* Always A-labels: OpenDMARC defers mail for a U-label here. */
	if ((domain = header_show_domain(j->arena, i->domain, 0)) == NULL)
		return none;
	return header_ar(j->arena, spf_result_name[r], reason,
	    identities[i->id].prop, domain, &w);
}

/* The field of an exempt client shows HELO and sender as received. */
static struct header_field
bypass_field(struct judge_state *j, const struct bypass_list *l)
{
	const struct judge_request *req = j->req;
	struct header_field none = { NULL, NULL };
	struct header_parts w;

	fill_parts(j, &w);
	if (w.ip == NULL)
		return none;
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
		return none;
	return (wants_ar(j) ? header_ar_none : header_x_comment)(j->arena,
	    l->text, &w);
}

/* At debugLevel 3: name is that of a header field, or NULL. */
static void
log_action(struct judge_state *j, const char *action, const char *name,
    const char *text)
{
	const struct judge_outcome *o = j->out;

	if (j->conf->debug_level >= 3)
		say_log(j, 3, JUDGE_LOG_TEXT, NULL,
		    arena_printf(j->arena,
			"Action: %s: Text: %s%s%s Reject action: %s%s", action,
			name == NULL ? "" : name, name == NULL ? "" : ": ",
			text, j->req->program == CONF_MILTER ? "" : "550 ",
			o->action == JUDGE_REJECT && o->xcode != NULL ?
			    o->xcode :
			    "5.7.23"));
}

/* Without memory for the field, mail is accepted without it. */
static void
prepend(struct judge_state *j, struct header_field f)
{
	struct judge_outcome *o = j->out;

	o->action = JUDGE_PREPEND;
	if (f.value == NULL)
		return;
	log_action(j, "prepend", f.name, f.value);
	/* As in spf-engine, policy does nothing with Prospective. */
	if (j->conf->prospective.family != 0 &&
	    j->req->program == CONF_POLICY) {
		o->action = JUDGE_NOTHING;
		return;
	}
	if (j->conf->header_type == HEADER_NONE) {
		say_log(j, 1, JUDGE_LOG_NO_HEADER, f.name, f.value);
		return;
	}
	say_log(j, 1, JUDGE_LOG_HEADER, f.name, f.value);
	o->header_name = f.name;
	o->header_value = f.value;
}

void
say_bypass(struct judge_state *j, const struct bypass_list *l)
{
	struct header_field f = bypass_field(j, l);

	j->out->skipped = l;
	say_log(j, 3, JUDGE_LOG_TEXT, f.name, f.value);
	prepend(j, f);
}

void
say_header(struct judge_state *j, const struct judge_identity *i)
{
	prepend(j, result_field(j, i));
}

/*
 * TestOnly = 0: only the log has the action. Policy does nothing; the milter
 * adds the header field of the result (COMPAT "testonly").
 */
static void
not_done(struct judge_state *j, const struct judge_identity *i,
    const char *line)
{
	struct judge_outcome *o = j->out;

	say_log(j, 1, JUDGE_LOG_NOT_DONE, NULL, line);
	o->action = JUDGE_NOTHING;
	o->not_done = line;
	o->code = o->xcode = o->text = o->answer = NULL;
	if (j->req->program == CONF_MILTER)
		say_header(j, i);
}

static const char *
reply_of(struct judge_state *j, const struct judge_identity *i,
    const struct refusal *w)
{
	struct reply_parts r = { .rejectdefer = w->rejectdefer,
		.spf = reason_of(j, i),
		.scope = identities[i->id].scope,
		.id = i->id == JUDGE_ID_HELO ? j->helo : j->sender,
		.ip = j->ip_text,
		.rcpt = receiver(j),
		.utf8 = j->req->smtputf8 };
	const char *text = NULL;

	if (r.spf != NULL && r.rcpt != NULL && r.ip != NULL)
		text = reply_text(j->arena, j->conf->reason_message,
		    j->conf->reason_url, &r);
	return text != NULL ? text : w->text;
}

void
say_refusal(struct judge_state *j, const struct judge_identity *i)
{
	const struct refusal *w = &refusals[i->decision];
	int milter = j->req->program == CONF_MILTER;
	struct judge_outcome *o = j->out;

	o->action = w->action;
	o->code = w->code;
	if (j->conf->enhanced_codes)
		o->xcode = o->result == SPF_RESULT_PERMERROR ?
		    w->xcode_permerror :
		    w->xcode;
	else if (milter)
		o->xcode = w->xcode_plain;
	o->text = reply_of(j, i, w);
	log_action(j, w->name, NULL, o->text);
	o->answer = arena_printf(j->arena, "%s%s%s %s", milter ? "" : w->verb,
	    milter || o->xcode == NULL ? "" : " ",
	    o->xcode == NULL ? "" : o->xcode, o->text);
	if (o->answer == NULL)
		o->answer = w->answer;
	if (j->conf->test_only == 0)
		not_done(j, i, o->answer);
	else
		say_log(j, 1, JUDGE_LOG_REFUSAL, NULL, o->answer);
}

void
say_restriction(struct judge_state *j, const struct judge_identity *i,
    const char *action)
{
	struct judge_outcome *o = j->out;

	o->action = JUDGE_RESTRICTION;
	o->text = o->answer = action;
	log_action(j, "result_only", NULL, action);
	if (j->conf->test_only == 0)
		not_done(j, i,
		    arena_printf(j->arena, "result_only %s", action));
	else
		say_log(j, 1, JUDGE_LOG_RESTRICTION, NULL, action);
}
