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
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/check_show.h"
#include "unpriv/spfctl/opinion.h"
#include "unpriv/spfctl/text.h"

#define CHECK_ARENA (16UL << 20)
#define TREE_ARENA  (4UL << 20)

/*
 * Checks one identity, even where the judge skips it because the other one
 * decides or the configuration disables it. Returns 1 when DNS answers are
 * missing.
 */
static int
check_identity(struct check_report *r, struct check_identity *c,
    const struct judge_checked *by)
{
	struct spf_request req;
	const char *at;

	c->judged = c->done = by->done;
	if (by->done) {
		c->verdict = by->verdict;
		return 0;
	}
	if (c->domain[0] == '\0')
		return 0;
	memset(&req, 0, sizeof(req));
	req.client = r->req.client;
	req.helo = r->req.helo;
	req.local = "postmaster";
	if (c->id == JUDGE_ID_MAILFROM &&
	    (at = strrchr(r->req.sender, '@')) != NULL && at != r->req.sender &&
	    (req.local = arena_strndup(r->arena, r->req.sender,
		 (size_t)(at - r->req.sender))) == NULL)
		return 0;
	req.domain = c->domain;
	req.now = r->req.now;
	req.void_limit = (unsigned int)r->req.conf->void_limit;
	req.void_any = r->req.conf->void_family == CONF_VOID_ANY;
	req.want_trace = 1;
	if (spf_check(&req, r->answers, r->arena, &c->verdict) == SPF_WAIT)
		return 1;
	c->done = 1;
	return 0;
}

static int
run(struct answers *answers, int elapsed, void *arg)
{
	struct check_report *r = arg;
	int wait, late = judge_lists_time(r->req.conf);

	arena_reset(r->arena);
	r->req.lists_late = late != JUDGE_NO_LIMIT && elapsed >= late;
	if (judge_run(&r->req, answers, r->arena, &r->out) == JUDGE_WAIT)
		return 1;
	wait = check_identity(r, &r->helo, &r->out.helo);
	return check_identity(r, &r->mailfrom, &r->out.mailfrom) || wait;
}

/* Copies a string without a dot at its end. */
static char *
undotted(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("check");
	p[dname_undot(p, strlen(p))] = '\0';
	return p;
}

/* Fills the request from the command line. -1: the client is no address. */
static int
set_request(struct judge_request *req, const struct spfctl *ctl)
{
	char *sender;

	req->program = ctl->policy ? CONF_POLICY : CONF_MILTER;
	req->conf = ctl->conf;
	req->smtputf8 = 1;
	req->now = ctl->now;
	req->want_trace = 1;
	req->client_text = ctl->argv[0];
	if (addr_parse(&req->client, ctl->argv[0], strlen(ctl->argv[0])) ==
	    -1) {
		ctl_complain("%s is not an IP address", ctl->argv[0]);
		return -1;
	}
	if ((sender = strdup(ctl->argv[1])) == NULL)
		fatal("check");
	req->sender = undotted(smtp_sender(sender));
	req->helo = ctl->argc > 2 ? undotted(ctl->argv[2]) : "";
	free(sender);
	return 0;
}

static void
set_identities(struct check_report *r)
{
	const char *at = strrchr(r->req.sender, '@');

	r->mailfrom.id = JUDGE_ID_MAILFROM;
	r->mailfrom.value = undotted(r->req.sender);
	r->mailfrom.domain = at == NULL ? r->req.sender : at + 1;
	r->helo.id = JUDGE_ID_HELO;
	r->helo.value = undotted(r->req.helo);
	r->helo.domain = r->req.helo;
	/* Without HELO the daemon checks the sender's domain as HELO. */
	if (r->req.helo[0] == '\0' && at != NULL) {
		r->helo.domain = at + 1;
		free(r->helo.value);
		if (asprintf(&r->helo.value, "(none; %s)", at + 1) == -1)
			fatal("check");
	}
}

/* Adds what is shown beside the verdict. */
static void
complete(struct check_report *r, struct check_identity *c,
    enum shadow_identity id)
{
	struct shadow_copy copy;

	if (!c->done)
		return;
	c->tree = trace_build(&c->verdict, r->answers, r->trees, &c->cut);
	if (r->ctl->opinion == NULL ||
	    shadow_copy_fill(&copy, &r->req, id, c->verdict.result) == -1)
		return;
	c->asked = 1;
	c->answered = opinion_ask(r->ctl->opinion, r->ctl, r->answers, &copy,
			  &c->opinion) == 0;
}

int
ctl_check(struct spfctl *ctl)
{
	static void (*const show[])(const struct check_report *) = {
		[CTL_TEXT] = check_show_text,
		[CTL_JSON] = check_show_json,
		[CTL_DOT] = check_show_dot,
	};
	static struct check_report r;
	uint64_t from;

	r.ctl = ctl;
	if (set_request(&r.req, ctl) == -1)
		return EX_USAGE;
	set_identities(&r);
	if ((r.answers = answers_new()) == NULL ||
	    (r.arena = arena_new(CHECK_ARENA)) == NULL ||
	    (r.trees = arena_new(TREE_ARENA)) == NULL)
		fatal("check");
	from = clock_usec();
	if (ctl_ask_run(ctl, r.answers, judge_time(ctl->conf), run, &r) == -1)
		return EX_TEMPFAIL;
	r.usec = (long)(clock_usec() - from);
	while (answers_at(r.answers, r.questions) != NULL)
		r.questions++;
	/* If the shadow crashes at MAIL FROM, there is none for HELO. */
	complete(&r, &r.mailfrom, SHADOW_MAILFROM);
	complete(&r, &r.helo, SHADOW_HELO);
	show[ctl->form](&r);
	return r.out.identity != JUDGE_ID_NONE &&
		r.out.result == SPF_RESULT_TEMPERROR ?
	    EX_TEMPFAIL :
	    0;
}
