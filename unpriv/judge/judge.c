/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/dname.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/judge/decision.h"
#include "unpriv/judge/judge.h"
#include "unpriv/judge/say.h"

/* COMPAT "trailing-dot" */
static const char *
undotted(struct judge_state *j, const char *s)
{
	return arena_strndup(j->arena, s, dname_undot(s, strlen(s)));
}

/* COMPAT "last-at"; RFC 7208 4.3 for a sender without local part. */
static void
split_sender(struct judge_state *j)
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

/* Call it after the bypass lists, which need to know an empty HELO. */
static void
set_identities(struct judge_state *j)
{
	if (j->helo[0] == '\0')
		j->helo = j->local != NULL && j->domain[0] != '\0' ? j->domain :
								     "unknown";
	j->by_helo = (struct judge_identity){ .id = JUDGE_ID_HELO,
		.domain = j->helo,
		.checked = &j->out->helo };
	j->by_mailfrom = (struct judge_identity){ .id = JUDGE_ID_MAILFROM,
		.domain = j->domain,
		.checked = &j->out->mailfrom };
}

/* Sets the client, HELO and sender to check. 0: there is no client address. */
static int
start(struct judge_state *j)
{
	const struct judge_request *req = j->req;
	char buf[ADDR_STRLEN];

	j->ip = req->client;
	j->ip_text = req->client_text;
	if (j->conf->prospective.family != 0) {
		j->ip = j->conf->prospective;
		j->ip_text = NULL;
	}
	if (j->ip.family == 0) {
		if (req->client_text == NULL)
			say_log(j, 2, JUDGE_LOG_TEXT, NULL,
			    "spfcheck: No client address, exiting");
		else
			say_log(j, 0, JUDGE_LOG_ERROR, NULL,
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
 * Tries the bypass lists in their order; the first that matches counts. Runs
 * also those behind one that waits, to ask their questions in the same round.
 */
static enum bypass_match
run_lists(struct judge_state *j, const struct bypass_list **found)
{
	struct bypass_query q = { j->conf, &j->ip, j->helo, j->req->now };
	enum bypass_match m, all = BYPASS_NO;
	size_t i;

	for (i = 0; i < BYPASS_MAX; i++) {
		m = bypass_lists[i].match(&q, j->answers, j->arena);
		if (m == BYPASS_WAIT && !j->req->lists_late)
			all = BYPASS_WAIT;
		if (m == BYPASS_YES && all == BYPASS_NO) {
			*found = &bypass_lists[i];
			return BYPASS_YES;
		}
	}
	return all;
}

/*
 * No_Mail: 1 when the first string of the domain's first TXT record is the
 * record of a domain that sends no mail.
 */
static int
is_no_mail(struct judge_state *j, const char *domain)
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

/* Checks an identity and decides on it. 0: an answer is missing. */
static int
check_identity(struct judge_state *j, struct judge_identity *i)
{
	struct spf_request req = { .client = j->ip,
		.helo = j->helo,
		.local = i->id == JUDGE_ID_MAILFROM ? j->local : NULL,
		.domain = i->domain,
		.now = j->req->now,
		.void_limit = (unsigned int)j->conf->void_limit,
		.void_any = j->conf->void_family == CONF_VOID_ANY,
		.want_trace = j->req->want_trace };

	if (spf_check(&req, j->answers, j->arena, &i->checked->verdict) ==
	    SPF_WAIT)
		return 0;
	i->checked->done = 1;
	i->listed = decision_listed(j->conf, i->domain);
	i->decision =
	    decision_of(j->conf, i->id, i->listed, i->checked->verdict.result);
	if (i->decision == DECISION_REJECT && j->conf->no_mail &&
	    !is_no_mail(j, i->domain))
		i->decision = DECISION_PREPEND;
	return 1;
}

static int
refuses(const struct judge_identity *i)
{
	return i->checked->done &&
	    (i->decision == DECISION_REJECT || i->decision == DECISION_DEFER);
}

/*
 * Checks HELO, then MAIL FROM unless HELO refuses. While HELO waits, runs MAIL
 * FROM to note its questions. A HELO result that can change nothing is needed
 * only for the header field (COMPAT "none-skip"). 0: an answer is missing.
 */
static int
run_checks(struct judge_state *j)
{
	int helo = decision_helo_checked(j->conf, j->null_sender);
	int mfrom =
	    !j->null_sender && j->conf->mail_from_reject != REJECT_NO_CHECK;
	int late, known = 1;

	late = helo && mfrom && !j->req->want_trace &&
	    !decision_helo_weighs(j->conf, j->req->program, j->null_sender,
		j->helo);
	if (helo && !late) {
		known = check_identity(j, &j->by_helo);
		if (refuses(&j->by_helo))
			return 1;
	}
	if (mfrom && !check_identity(j, &j->by_mailfrom))
		return 0;
	if (late && j->by_mailfrom.checked->verdict.result == SPF_RESULT_NONE)
		known = check_identity(j, &j->by_helo);
	return known;
}

/*
 * Policy's pass restriction that applies, and the identity that passes; or
 * NULL. For an unset key spf-engine answers the word "None" (COMPAT "crash").
 */
static const char *
restriction(const struct judge_state *j, const struct judge_identity **whose)
{
	const struct judge_outcome *o = j->out;
	const char *s;

	if (j->req->program != CONF_POLICY)
		return NULL;
	if (o->mailfrom.done && o->mailfrom.verdict.result == SPF_RESULT_PASS) {
		*whose = &j->by_mailfrom;
		s = j->conf->mail_from_pass_restriction;
	} else if ((j->null_sender || o->mailfrom.done) && o->helo.done &&
	    o->helo.verdict.result == SPF_RESULT_PASS) {
		*whose = &j->by_helo;
		s = j->conf->helo_pass_restriction;
	} else
		return NULL;
	return s[0] == '\0' ? NULL : s;
}

/*
 * As in spf-engine, a HELO pass where MAIL FROM is not checked gives the first
 * recipient a header field and the others the restriction.
 */
static const char *
later(const struct judge_state *j)
{
	const struct judge_outcome *o = j->out;
	const char *s = j->conf->helo_pass_restriction;

	if (j->req->program != CONF_POLICY || o->action != JUDGE_PREPEND ||
	    j->conf->test_only == 0 || j->null_sender || o->mailfrom.done ||
	    !o->helo.done || o->helo.verdict.result != SPF_RESULT_PASS)
		return NULL;
	return s[0] == '\0' ? NULL : s;
}

/* The identity whose result the header field shows; NULL: none was checked. */
static const struct judge_identity *
header_identity(struct judge_state *j)
{
	const struct judge_outcome *o = j->out;

	if (o->mailfrom.done &&
	    (o->mailfrom.verdict.result != SPF_RESULT_NONE || !o->helo.done ||
		o->helo.verdict.result == SPF_RESULT_NONE))
		return &j->by_mailfrom;
	return o->helo.done ? &j->by_helo : NULL;
}

/* Fills in the outcome once all results are known. */
static void
finish(struct judge_state *j)
{
	const struct judge_identity *i = NULL;
	const char *text = NULL;

	if (refuses(&j->by_helo))
		i = &j->by_helo;
	else if ((text = restriction(j, &i)) == NULL)
		i = refuses(&j->by_mailfrom) ? &j->by_mailfrom :
					       header_identity(j);
	say_result(j, &j->by_helo, 1);
	say_result(j, &j->by_mailfrom,
	    i != &j->by_helo ||
		j->by_mailfrom.checked->verdict.result != SPF_RESULT_NONE);
	if (i == NULL)
		return;
	j->out->identity = i->id;
	j->out->result = i->checked->verdict.result;
	if (text != NULL)
		say_restriction(j, i, text);
	else if (refuses(i))
		say_refusal(j, i);
	else {
		say_header(j, i);
		j->out->later = later(j);
	}
}

enum judge_status
judge_run(const struct judge_request *req, struct answers *answers,
    struct arena *arena, struct judge_outcome *out)
{
	const struct bypass_list *found = NULL;
	enum bypass_match m;
	struct judge_state j;

	memset(out, 0, sizeof(*out));
	j = (struct judge_state){ .req = req,
		.conf = req->conf,
		.answers = answers,
		.arena = arena,
		.out = out,
		.tail = &out->log };
	if (!start(&j))
		return JUDGE_DONE;
	if (j.helo == NULL || j.sender == NULL || j.ip_text == NULL)
		return JUDGE_DONE; /* the arena is exhausted */
	if ((m = run_lists(&j, &found)) == BYPASS_YES) {
		say_bypass(&j, found);
		return JUDGE_DONE;
	}
	if (j.null_sender && j.helo[0] == '\0') {
		if (m == BYPASS_WAIT)
			return JUDGE_WAIT;
		say_log(&j, 2, JUDGE_LOG_TEXT, NULL,
		    "spfcheck: No sender or helo, exiting");
		return JUDGE_DONE;
	}
	set_identities(&j);
	if (!run_checks(&j) || m == BYPASS_WAIT)
		return JUDGE_WAIT;
	finish(&j);
	return JUDGE_DONE;
}

void
judge_hint_helo(const struct conf *conf, const char *helo,
    struct answers *answers)
{
	size_t len = strlen(helo), n = dname_undot(helo, len);
	char name[DNAME_MAX + 1], ascii[DNAME_MAX + 1];
	int alen;

	if (n == 0 || n > DNAME_MAX)
		return;
	memcpy(name, helo, n);
	name[n] = '\0';
	/* RFC 7208 4.3: the check asks nothing for these. */
	if (name[0] == '[' || strchr(name, '.') == NULL)
		return;
	if (!decision_helo_checked(conf, 0) ||
	    (conf->mail_from_reject != REJECT_NO_CHECK &&
		!decision_helo_weighs(conf, conf->program, 0, name)))
		return;
	alen = dname_to_ascii(name, n, ascii, sizeof(ascii));
	if (alen != -1 && dname_valid(ascii, (size_t)alen))
		answers_hint(answers, DNS_T_TXT, ascii, (size_t)alen);
}

int
judge_time(const struct conf *conf)
{
	int t = conf->lookup_time;

	return t == 0 ? JUDGE_NO_LIMIT : t < 0 ? 0 : t;
}

int
judge_lists_time(const struct conf *conf)
{
	int t = conf->whitelist_lookup_time, all = judge_time(conf);

	return t <= 0 || (all != JUDGE_NO_LIMIT && t >= all) ? JUDGE_NO_LIMIT :
							       t;
}
