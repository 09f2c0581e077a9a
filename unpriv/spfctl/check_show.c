/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdio.h>

#include "unpriv/check/logline.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/check_show.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/tree.h"

static const char *const action_name[] = {
	[JUDGE_NOTHING] = "continue",
	[JUDGE_PREPEND] = "prepend",
	[JUDGE_REJECT] = "reject",
	[JUDGE_DEFER] = "defer",
	[JUDGE_RESTRICTION] = "restriction",
};
static const struct {
	const char *title, *name; /* in text, in JSON */
} identities[] = {
	[JUDGE_ID_HELO] = { "HELO", "helo" },
	[JUDGE_ID_MAILFROM] = { "MAIL FROM", "mailfrom" },
};

/* ---- text ---- */

static void
label(const struct check_report *r, const char *text)
{
	ctl_print(r->ctl, CTL_C_BOLD, "%-8s", text);
}

static void
show_verdict(const struct check_report *r)
{
	const struct judge_outcome *o = &r->out;
	const struct spfctl *ctl = r->ctl;

	label(r, "Verdict");
	if (o->skipped != NULL)
		printf("not checked: %s exempts the client\n",
		    o->skipped->name);
	else if (o->identity == JUDGE_ID_NONE)
		puts("not checked");
	else {
		ctl_print(ctl, ctl_result_color(o->result), "%s",
		    spf_result_name[o->result]);
		printf(" for %s\n", identities[o->identity].title);
	}
	label(r, "Action");
	puts(action_name[o->action]);
	label(r, "Header");
	if (o->header_name == NULL)
		puts("none");
	else
		ctl_print(ctl, CTL_C_NONE, "%s: %s\n", o->header_name,
		    o->header_value);
	label(r, "Reply");
	if (o->text == NULL)
		puts("none");
	else
		ctl_print(ctl, CTL_C_NONE, "%s%s%s%s%s\n",
		    o->code != NULL ? o->code : "", o->code != NULL ? " " : "",
		    o->xcode != NULL ? o->xcode : "",
		    o->xcode != NULL ? " " : "", o->text);
	label(r, "Time");
	printf("%ld.%ld ms, %zu DNS question%s\n", r->usec / 1000,
	    r->usec % 1000 / 100, r->questions, r->questions == 1 ? "" : "s");
}

static void
show_second(const struct check_report *r, const struct check_identity *c)
{
	const struct shadow_opinion *o = &c->opinion;
	int agrees = o->result == (uint8_t)c->verdict.result;

	fputs("  libspf2 ", stdout);
	if (!c->answered) {
		ctl_print(r->ctl, CTL_C_BAD,
		    "gives no result: it crashed or took too long\n");
		return;
	}
	fputs(agrees ? "agrees: " : "differs: ", stdout);
	ctl_print(r->ctl, agrees ? CTL_C_GOOD : CTL_C_WARN, "%s",
	    shadow_result_name[o->result]);
	ctl_print(r->ctl, CTL_C_NONE, " (%s)%s\n", o->why,
	    o->cut ? ", after its limit of questions" : "");
}

static void
show_identity(const struct check_report *r, const struct check_identity *c)
{
	const struct spf_verdict *v = &c->verdict;

	if (!c->done)
		return;
	putchar('\n');
	ctl_print(r->ctl, CTL_C_BOLD, "%s %s", identities[c->id].title,
	    c->value);
	fputs(": ", stdout);
	ctl_print(r->ctl, ctl_result_color(v->result), "%s",
	    spf_result_name[v->result]);
	if (v->reason != NULL && v->reason[0] != '\0')
		ctl_print(r->ctl, CTL_C_NONE, " (%s)", v->reason);
	printf("\n  lookups %u/%d, void %u/%d%s\n", v->lookups, SPF_MAX_TERMS,
	    v->voids, r->req.conf->void_limit,
	    c->judged ? "" : "; the daemon does not check this identity");
	if (v->explanation != NULL)
		ctl_print(r->ctl, CTL_C_NONE, "  explanation: %s\n",
		    v->explanation);
	if (c->asked)
		show_second(r, c);
	if (c->tree != NULL)
		tree_show(r->ctl, c->tree);
	else
		puts("  no valid domain name to check");
	if (c->cut)
		puts("  ... (too many steps to show)");
}

void
check_show_text(const struct check_report *r)
{
	show_verdict(r);
	show_identity(r, &r->mailfrom);
	show_identity(r, &r->helo);
}

/* ---- JSON ---- */

static void
json_lookup(const struct check_report *r, struct json *js,
    const struct trace_node *n)
{
	const struct dns_answer *a;
	char buf[300];
	const char *s;
	size_t i, len;

	json_object(js, NULL);
	json_str(js, "type", dns_type_name(n->ev->type));
	json_str(js, "name", n->ev->domain);
	if (n->q != NULL && n->q->state == ANSWERS_DONE) {
		a = &n->q->answer;
		json_str(js, "status",
		    a->status < DNS_STATUS_MAX ? dns_status_name[a->status] :
						 NULL);
		json_int(js, "ttl", a->ttl);
		json_ms(js, "milliseconds", a->usec);
		json_str(js, "source", ctl_ask_source(r->ctl, n->q));
		json_bool(js, "secure", a->secure);
		json_bool(js, "void", n->is_void);
		json_bool(js, "other_family", n->ev->other_family);
		json_bool(js, "explanation", n->explains);
		json_array(js, "records");
		for (i = 0; i < a->nrr; i++) {
			s = ctl_rr_text(n->q->type, &a->rr[i], buf, &len);
			json_text(js, NULL, s, len);
		}
		json_array_end(js);
	}
	json_object_end(js);
}

/* The lookups of a level or a term. */
static void
json_lookups(const struct check_report *r, struct json *js,
    const struct trace_node *n)
{
	const struct trace_node *c;

	json_array(js, "queries");
	TAILQ_FOREACH(c, &n->children, entry)
		if (c->kind == TRACE_LOOKUP)
			json_lookup(r, js, c);
	json_array_end(js);
}

static const char *
error_of(const struct trace_node *n)
{
	const struct trace_node *c;

	TAILQ_FOREACH(c, &n->children, entry)
		if (c->kind == TRACE_ERROR)
			return c->ev->text;
	return NULL;
}

static void json_level(const struct check_report *, struct json *, const char *,
    const struct trace_node *);

static void
json_term(const struct check_report *r, struct json *js,
    const struct trace_node *n)
{
	const struct trace_node *c;

	json_object(js, NULL);
	json_str(js, "term", n->ev->text);
	json_int(js, "offset", (int64_t)n->ev->pos);
	json_int(js, "length", (int64_t)n->ev->len);
	json_bool(js, "matched", n->ev->matched);
	json_str(js, "qualifier", spf_result_name[n->ev->result]);
	json_int(js, "lookups", n->ev->lookups);
	json_int(js, "voids", n->ev->voids);
	json_str(js, "error", error_of(n));
	json_lookups(r, js, n);
	TAILQ_FOREACH(c, &n->children, entry)
		if (c->kind == TRACE_LEVEL)
			json_level(r, js, "check", c);
	json_object_end(js);
}

static void
json_level(const struct check_report *r, struct json *js, const char *key,
    const struct trace_node *n)
{
	const struct trace_node *c, *rest = NULL;

	json_object(js, key);
	json_str(js, "domain", n->domain);
	json_str(js, "result", spf_result_name[n->result]);
	if (n->text == NULL)
		json_null(js, "record");
	else
		json_text(js, "record", n->text, n->len);
	json_str(js, "error", error_of(n));
	json_lookups(r, js, n);
	json_array(js, "terms");
	TAILQ_FOREACH(c, &n->children, entry) {
		if (c->kind == TRACE_TERM)
			json_term(r, js, c);
		else if (c->kind == TRACE_REST)
			rest = c;
	}
	json_array_end(js);
	if (rest == NULL)
		json_null(js, "not_reached");
	else
		json_text(js, "not_reached", rest->text, rest->len);
	json_object_end(js);
}

/* The result is null when libspf2's process ended. */
static void
json_second(struct json *js, const struct check_identity *c)
{
	const struct shadow_opinion *o = &c->opinion;

	json_object(js, "second_opinion");
	json_str(js, "library", "libspf2");
	json_str(js, "result",
	    c->answered ? shadow_result_name[o->result] : NULL);
	json_bool(js, "agrees",
	    c->answered && o->result == (uint8_t)c->verdict.result);
	if (c->answered) {
		json_str(js, "why", o->why);
		json_bool(js, "cut", o->cut);
		json_int(js, "questions", o->questions);
	}
	json_object_end(js);
}

static void
json_identity(const struct check_report *r, struct json *js,
    const struct check_identity *c)
{
	const struct spf_verdict *v = &c->verdict;

	if (!c->done)
		return;
	json_object(js, NULL);
	json_str(js, "identity", identities[c->id].name);
	json_str(js, "value", c->value);
	json_str(js, "domain", c->domain);
	json_bool(js, "judged", c->judged);
	json_str(js, "result", spf_result_name[v->result]);
	json_str(js, "reason", v->reason);
	json_str(js, "explanation", v->explanation);
	json_str(js, "matched", v->matched);
	json_int(js, "lookups", v->lookups);
	json_int(js, "voids", v->voids);
	json_bool(js, "trace_cut", c->cut);
	if (c->asked)
		json_second(js, c);
	if (c->tree == NULL)
		json_null(js, "check");
	else
		json_level(r, js, "check", c->tree);
	json_object_end(js);
}

static void
json_reply(const struct check_report *r, struct json *js)
{
	const struct judge_outcome *o = &r->out;

	if (o->header_name == NULL)
		json_null(js, "header");
	else {
		json_object(js, "header");
		json_str(js, "name", o->header_name);
		json_str(js, "value", o->header_value);
		json_object_end(js);
	}
	if (o->text == NULL)
		json_null(js, "reply");
	else {
		json_object(js, "reply");
		json_str(js, "code", o->code);
		json_str(js, "enhanced", o->xcode);
		json_str(js, "text", o->text);
		json_object_end(js);
	}
}

void
check_show_json(const struct check_report *r)
{
	const struct judge_outcome *o = &r->out;
	const struct judge_log *l;
	char line[LOGLINE_RECORD_MAX];
	struct json js;

	ctl_json_start(&js, 1);
	json_str(&js, "client", r->req.client_text);
	json_str(&js, "sender", r->req.sender);
	json_str(&js, "helo", r->req.helo);
	json_str(&js, "result",
	    o->identity == JUDGE_ID_NONE ? NULL : spf_result_name[o->result]);
	json_str(&js, "identity", identities[o->identity].name);
	json_str(&js, "skipped", o->skipped == NULL ? NULL : o->skipped->name);
	json_str(&js, "action", action_name[o->action]);
	json_reply(r, &js);
	json_int(&js, "lookup_limit", SPF_MAX_TERMS);
	json_int(&js, "void_limit", r->req.conf->void_limit);
	json_str(&js, "void_family",
	    r->req.conf->void_family == CONF_VOID_ANY ? "any" : "client");
	json_int(&js, "questions", (int64_t)r->questions);
	json_ms(&js, "milliseconds", (uint64_t)r->usec);
	json_array(&js, "identities");
	json_identity(r, &js, &r->mailfrom);
	json_identity(r, &js, &r->helo);
	json_array_end(&js);
	json_array(&js, "log");
	for (l = o->log; l != NULL; l = l->next) {
		logline_record(l, line, sizeof(line));
		json_str(&js, NULL, line);
	}
	json_array_end(&js);
	ctl_json_end(&js);
}
