/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "proto/smtp.h"
#include "unpriv/check/shadow_copy.h"
#include "unpriv/judge/judge.h"
#include "unpriv/spfctl/check.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/dot.h"
#include "unpriv/spfctl/opinion.h"
#include "unpriv/spfctl/tree.h"

#define CHECK_ARENA (16UL << 20)
#define TREE_ARENA  (4UL << 20)

/* One identity as it is shown. */
struct shown {
	const char *name;  /* "helo" */
	const char *title; /* "HELO" */
	char *value;	   /* as given */
	const char *domain;
	int judged; /* the daemon looks at it */
	int done;
	struct spf_verdict verdict;
	struct trace_node *tree;
	int cut;
	int asked, told; /* libspf2; it had something to say */
	struct shadow_opinion opinion;
};

struct job {
	struct ctl *ctl;
	struct judge_request req;
	struct judge_outcome out;
	struct answers *answers;
	struct arena *arena, *trees;
	struct shown id[2];
	long usec;
	size_t questions;
};

static const char *const action_name[] = {
	[JUDGE_NOTHING] = "continue",
	[JUDGE_PREPEND] = "prepend",
	[JUDGE_REJECT] = "reject",
	[JUDGE_DEFER] = "defer",
	[JUDGE_RESTRICTION] = "restriction",
};
static const char *const identity_title[] = {
	[JUDGE_ID_NONE] = NULL,
	[JUDGE_ID_HELO] = "HELO",
	[JUDGE_ID_MAILFROM] = "MAIL FROM",
};
static const char *const identity_name[] = {
	[JUDGE_ID_NONE] = NULL,
	[JUDGE_ID_HELO] = "helo",
	[JUDGE_ID_MAILFROM] = "mailfrom",
};

/*
 * An identity that the daemon does not look at, since the other decided or
 * the configuration says so, is checked all the same: somebody asks.
 */
static int
check_too(struct job *j, struct shown *s, const struct judge_checked *by)
{
	struct spf_request req;
	const char *at;

	s->judged = s->done = by->done;
	if (by->done) {
		s->verdict = by->verdict;
		return 0;
	}
	if (s->domain == NULL || s->domain[0] == '\0')
		return 0;
	memset(&req, 0, sizeof(req));
	req.client = j->req.client;
	req.helo = j->req.helo;
	req.local = "postmaster";
	if (s == &j->id[1] && (at = strrchr(j->req.sender, '@')) != NULL &&
	    at != j->req.sender &&
	    (req.local = arena_strndup(j->arena, j->req.sender,
		 (size_t)(at - j->req.sender))) == NULL)
		return 0;
	req.domain = s->domain;
	req.now = j->req.now;
	req.void_limit = (unsigned int)j->req.conf->void_limit;
	req.want_trace = 1;
	if (spf_check(&req, j->answers, j->arena, &s->verdict) == SPF_WAIT)
		return 1;
	s->done = 1;
	return 0;
}

static int
run(struct answers *answers, int elapsed, void *arg)
{
	struct job *j = arg;
	int wait;

	arena_reset(j->arena);
	j->req.lists_late = elapsed >= j->req.conf->whitelist_lookup_time;
	if (judge_run(&j->req, answers, j->arena, &j->out) == JUDGE_WAIT)
		return 1;
	wait = check_too(j, &j->id[0], &j->out.helo);
	return check_too(j, &j->id[1], &j->out.mailfrom) || wait;
}

/* ---- text ---- */

static void
label(const struct job *j, const char *text)
{
	ctl_set_color(j->ctl, stdout, CTL_C_BOLD);
	printf("%-8s", text);
	ctl_set_color(j->ctl, stdout, CTL_C_NONE);
}

static void
show_result(const struct job *j)
{
	const struct judge_outcome *o = &j->out;

	label(j, "Verdict");
	if (o->skipped != NULL)
		printf("not checked: %s lets the client by\n", o->skipped);
	else if (o->identity == JUDGE_ID_NONE)
		printf("not checked\n");
	else {
		ctl_set_color(j->ctl, stdout, ctl_result_color(o->result));
		fputs(spf_result_name[o->result], stdout);
		ctl_set_color(j->ctl, stdout, CTL_C_NONE);
		printf(" of %s\n", identity_title[o->identity]);
	}
}

static void
show_verdict(const struct job *j)
{
	const struct judge_outcome *o = &j->out;

	show_result(j);
	label(j, "Action");
	printf("%s\n", action_name[o->action]);
	label(j, "Header");
	if (o->header == NULL)
		fputs("none", stdout);
	else
		ctl_puts(stdout, o->header);
	fputc('\n', stdout);
	label(j, "Reply");
	if (o->text == NULL)
		fputs("none", stdout);
	else {
		if (o->code != NULL)
			printf("%s ", o->code);
		if (o->xcode != NULL)
			printf("%s ", o->xcode);
		ctl_puts(stdout, o->text);
	}
	fputc('\n', stdout);
	label(j, "Time");
	printf("%ld.%ld ms, %zu question%s\n", j->usec / 1000,
	    j->usec % 1000 / 100, j->questions, j->questions == 1 ? "" : "s");
}

/* What libspf2 says, beside ours. */
static void
show_second(const struct job *j, const struct shown *s)
{
	const struct shadow_opinion *o = &s->opinion;

	fputs("  libspf2 says ", stdout);
	if (!s->told) {
		ctl_set_color(j->ctl, stdout, CTL_C_BAD);
		fputs("nothing: it died, or is gone\n", stdout);
		ctl_set_color(j->ctl, stdout, CTL_C_NONE);
		return;
	}
	ctl_set_color(j->ctl, stdout,
	    o->result == (uint8_t)s->verdict.result ? CTL_C_GOOD : CTL_C_WARN);
	fputs(shadow_result_name[o->result], stdout);
	ctl_set_color(j->ctl, stdout, CTL_C_NONE);
	printf("%s%s (",
	    o->result == (uint8_t)s->verdict.result ? " too" :
						      ", and so differs",
	    o->cut ? "; it was cut short" : "");
	ctl_puts(stdout, o->why);
	fputs(")\n", stdout);
}

static void
show_identity(const struct job *j, const struct shown *s)
{
	const struct spf_verdict *v = &s->verdict;

	if (!s->done)
		return;
	fputc('\n', stdout);
	ctl_set_color(j->ctl, stdout, CTL_C_BOLD);
	printf("%s ", s->title);
	ctl_puts(stdout, s->value);
	ctl_set_color(j->ctl, stdout, CTL_C_NONE);
	fputs(": ", stdout);
	ctl_set_color(j->ctl, stdout, ctl_result_color(v->result));
	fputs(spf_result_name[v->result], stdout);
	ctl_set_color(j->ctl, stdout, CTL_C_NONE);
	if (v->reason != NULL && v->reason[0] != '\0') {
		fputs(" (", stdout);
		ctl_puts(stdout, v->reason);
		fputc(')', stdout);
	}
	printf("\n  lookups %u/%d, void %u/%d%s\n", v->lookups, SPF_MAX_TERMS,
	    v->voids, j->req.conf->void_limit,
	    s->judged ? "" : "; the daemon does not look at it here");
	if (v->explanation != NULL) {
		fputs("  explanation: ", stdout);
		ctl_puts(stdout, v->explanation);
		fputc('\n', stdout);
	}
	if (s->asked)
		show_second(j, s);
	if (s->tree != NULL)
		tree_show(j->ctl, stdout, s->tree,
		    (unsigned int)j->req.conf->void_limit);
	else
		fputs("  no name that can be asked for\n", stdout);
	if (s->cut)
		fputs("  ... (too many steps to show)\n", stdout);
}

/* ---- JSON ---- */

static void
json_lookup(const struct job *j, struct json *js, const struct trace_node *n)
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
		json_str(js, "source", ctl_ask_source(j->ctl, n->q));
		json_bool(js, "secure", a->secure);
		json_bool(js, "void", n->is_void);
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

/* The children of one kind, as an array. */
static void
json_lookups(const struct job *j, struct json *js, const struct trace_node *n)
{
	const struct trace_node *c;

	json_array(js, "queries");
	TAILQ_FOREACH(c, &n->children, entry)
		if (c->kind == TRACE_LOOKUP)
			json_lookup(j, js, c);
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

static void json_level(const struct job *, struct json *, const char *,
    const struct trace_node *);

static void
json_term(const struct job *j, struct json *js, const struct trace_node *n)
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
	json_lookups(j, js, n);
	TAILQ_FOREACH(c, &n->children, entry)
		if (c->kind == TRACE_LEVEL)
			json_level(j, js, "check", c);
	json_object_end(js);
}

static void
json_level(const struct job *j, struct json *js, const char *key,
    const struct trace_node *n)
{
	const struct trace_node *c;
	const char *rest = NULL;
	size_t restlen = 0;

	json_object(js, key);
	json_str(js, "domain", n->domain);
	json_str(js, "result", spf_result_name[n->result]);
	if (n->text == NULL)
		json_null(js, "record");
	else
		json_text(js, "record", n->text, n->len);
	json_str(js, "error", error_of(n));
	json_lookups(j, js, n);
	json_array(js, "terms");
	TAILQ_FOREACH(c, &n->children, entry) {
		if (c->kind == TRACE_TERM)
			json_term(j, js, c);
		else if (c->kind == TRACE_REST) {
			rest = c->text;
			restlen = c->len;
		}
	}
	json_array_end(js);
	if (rest == NULL)
		json_null(js, "not_reached");
	else
		json_text(js, "not_reached", rest, restlen);
	json_object_end(js);
}

/* result is null when it died. */
static void
json_second(struct json *js, const struct shown *s)
{
	const struct shadow_opinion *o = &s->opinion;

	json_object(js, "second_opinion");
	json_str(js, "library", "libspf2");
	json_str(js, "result", s->told ? shadow_result_name[o->result] : NULL);
	json_bool(js, "agrees",
	    s->told && o->result == (uint8_t)s->verdict.result);
	if (s->told) {
		json_str(js, "why", o->why);
		json_bool(js, "cut", o->cut);
		json_int(js, "questions", o->questions);
	}
	json_object_end(js);
}

static void
json_identity(const struct job *j, struct json *js, const struct shown *s)
{
	const struct spf_verdict *v = &s->verdict;

	if (!s->done)
		return;
	json_object(js, NULL);
	json_str(js, "identity", s->name);
	json_str(js, "value", s->value);
	json_str(js, "domain", s->domain);
	json_bool(js, "judged", s->judged);
	json_str(js, "result", spf_result_name[v->result]);
	json_str(js, "reason", v->reason);
	json_str(js, "explanation", v->explanation);
	json_str(js, "matched", v->matched);
	json_int(js, "lookups", v->lookups);
	json_int(js, "voids", v->voids);
	json_bool(js, "trace_cut", s->cut);
	if (s->asked)
		json_second(js, s);
	if (s->tree == NULL)
		json_null(js, "check");
	else
		json_level(j, js, "check", s->tree);
	json_object_end(js);
}

static void
json_reply(const struct job *j, struct json *js)
{
	const struct judge_outcome *o = &j->out;

	if (o->header == NULL)
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

static void
json(const struct job *j)
{
	const struct judge_outcome *o = &j->out;
	const struct judge_log *l;
	struct json js;

	ctl_json_start(&js, 1);
	json_object(&js, NULL);
	json_str(&js, "client", j->req.client_text);
	json_str(&js, "sender", j->req.sender);
	json_str(&js, "helo", j->req.helo);
	json_str(&js, "result",
	    o->identity == JUDGE_ID_NONE ? NULL : spf_result_name[o->result]);
	json_str(&js, "identity", identity_name[o->identity]);
	json_str(&js, "skipped", o->skipped);
	json_str(&js, "action", action_name[o->action]);
	json_reply(j, &js);
	json_int(&js, "lookup_limit", SPF_MAX_TERMS);
	json_int(&js, "void_limit", j->req.conf->void_limit);
	json_int(&js, "questions", (int64_t)j->questions);
	json_ms(&js, "milliseconds", (uint64_t)j->usec);
	json_array(&js, "identities");
	json_identity(j, &js, &j->id[1]);
	json_identity(j, &js, &j->id[0]);
	json_array_end(&js);
	json_array(&js, "log");
	for (l = o->log; l != NULL; l = l->next)
		json_str(&js, NULL, l->text);
	json_array_end(&js);
	json_object_end(&js);
	putchar('\n');
}

static void
dot(const struct job *j)
{
	size_t i;

	dot_begin(stdout);
	for (i = 0; i < 2; i++)
		if (j->id[i].done)
			dot_identity(j->ctl, stdout, j->id[i].name,
			    &j->id[i].verdict, j->id[i].tree);
	dot_end(stdout);
}

/* ---- */

static char *
undotted(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("check");
	p[dname_undot(p, strlen(p))] = '\0';
	return p;
}

static int
set_up(struct job *j, struct ctl *ctl)
{
	char *sender;
	const char *at;

	j->ctl = ctl;
	j->req.voice = ctl->policy ? JUDGE_POLICY : JUDGE_MILTER;
	j->req.conf = ctl->conf;
	j->req.smtputf8 = 1;
	j->req.now = ctl->now;
	j->req.want_trace = 1;
	j->req.client_text = ctl->argv[0];
	if (addr_parse(&j->req.client, ctl->argv[0], strlen(ctl->argv[0])) ==
	    -1) {
		fputs("spfctl: ", stderr);
		ctl_puts(stderr, ctl->argv[0]);
		fputs(" is no IP address\n", stderr);
		return -1;
	}
	if ((sender = strdup(ctl->argv[1])) == NULL)
		fatal("check");
	j->req.sender = undotted(smtp_sender(sender));
	j->req.helo = ctl->argc > 2 ? undotted(ctl->argv[2]) : "";
	j->req.recipient = NULL;
	free(sender);

	j->id[0].name = "helo";
	j->id[0].title = "HELO";
	j->id[0].domain = j->req.helo;
	j->id[0].value = undotted(j->req.helo);
	at = strrchr(j->req.sender, '@');
	j->id[1].name = "mailfrom";
	j->id[1].title = "MAIL FROM";
	j->id[1].domain = at == NULL ? j->req.sender : at + 1;
	j->id[1].value = undotted(j->req.sender);
	/* The daemon puts the sender's domain where HELO is missing. */
	if (j->req.helo[0] == '\0' && at != NULL) {
		j->id[0].domain = at + 1;
		free(j->id[0].value);
		if (asprintf(&j->id[0].value, "(none; %s)", at + 1) == -1)
			fatal("check");
	}
	return 0;
}

static void
trees(struct job *j)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (j->id[i].done)
			j->id[i].tree = trace_build(&j->id[i].verdict,
			    j->answers, j->trees, &j->id[i].cut);
	while (answers_at(j->answers, j->questions) != NULL)
		j->questions++;
}

/* MAIL FROM first: after a death there is nobody for the other. */
static void
ask_second(struct job *j)
{
	static const enum shadow_identity ids[2] = { SHADOW_HELO,
		SHADOW_MAILFROM };
	struct shadow_copy copy;
	struct shown *s;
	int i;

	for (i = 1; i >= 0; i--) {
		s = &j->id[i];
		if (!s->done ||
		    second_fill(&copy, &j->req, ids[i], s->verdict.result) ==
			-1)
			continue;
		s->asked = 1;
		s->told = second_check_ask(j->ctl->second, j->ctl, j->answers,
			      &copy, &s->opinion) == 0;
	}
}

int
ctl_check(struct ctl *ctl)
{
	static struct job j;
	uint64_t from;

	if (set_up(&j, ctl) == -1)
		return EX_USAGE;
	if ((j.answers = answers_new()) == NULL ||
	    (j.arena = arena_new(CHECK_ARENA)) == NULL ||
	    (j.trees = arena_new(TREE_ARENA)) == NULL)
		fatal("check");
	from = clock_usec();
	if (ctl_ask_run(ctl, j.answers, (unsigned int)ctl->conf->lookup_time,
		run, &j) == -1)
		return EX_TEMPFAIL;
	j.usec = (long)(clock_usec() - from);
	trees(&j);
	if (ctl->second != NULL)
		ask_second(&j);
	switch (ctl->form) {
	case CTL_JSON:
		json(&j);
		break;
	case CTL_DOT:
		dot(&j);
		break;
	case CTL_TEXT:
		show_verdict(&j);
		show_identity(&j, &j.id[1]);
		show_identity(&j, &j.id[0]);
		break;
	}
	return j.out.identity != JUDGE_ID_NONE &&
		j.out.result == SPF_RESULT_TEMPERROR ?
	    EX_TEMPFAIL :
	    0;
}
