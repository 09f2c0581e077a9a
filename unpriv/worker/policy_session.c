/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/policy.h"
#include "proto/stats.h"
#include "proto/text.h"
#include "unpriv/check/logline.h"
#include "unpriv/judge/judge.h"
#include "unpriv/worker/instance.h"
#include "unpriv/worker/session.h"

/* smtpd keeps an idle connection for 300 s and waits 100 s for an answer. */
#define POLICY_IDLE  600
#define POLICY_BEGUN 100

#define POLICY_MOCK "dunno mock header field that should be ignored"

struct policy_session {
	struct conn *conn;
	const struct conf *conf;
	struct asker *asker;
	struct policy_parser parser;
	struct instances *instances;
	struct judge_request req; /* a running check uses it */
	uint64_t since;		  /* arrival of the request; clock_usec() */
	int peruser;		  /* this recipient has its own settings */
	struct check *check;
};

static void
lower(char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		*s = (char)ascii_lower(*s);
}

static void
policy_put(struct policy_session *s, const char *text)
{
	conn_send(s->conn, text, strlen(text));
}

/* Ends an answer and the request. */
static void
policy_answered(struct policy_session *s)
{
	policy_put(s, "\n\n");
	policy_next(&s->parser);
	conn_progress(s->conn);
}

static void
policy_answer(struct policy_session *s, const char *action)
{
	policy_put(s, "action=");
	policy_put(s, action);
	policy_answered(s);
}

static const char *
policy_instance(struct policy_session *s)
{
	return policy_get(&s->parser, POLICY_INSTANCE);
}

/* With QueueID the line has a prefix even when the attribute is empty. */
static void
policy_logline(struct policy_session *s, struct logline *l)
{
	const struct judge_request *r = &s->req;
	const char *queue_id = policy_get(&s->parser, POLICY_QUEUE_ID);

	*l = (struct logline){ .conf = s->conf,
		.program = CONF_POLICY,
		.queue_id = queue_id,
		.prefix = s->conf->queue_id ? queue_id : NULL,
		.client = r->client_text,
		.helo = r->helo,
		.sender = r->sender,
		.recipient = r->recipient,
		.instance = policy_instance(s),
		.per_user = s->peruser,
		.since = s->since };
}

/*
 * Remembers the answer for later recipients of the message (NULL: dunno),
 * unless this recipient has its own settings.
 */
static void
policy_remember(struct policy_session *s, enum judge_action action,
    const char *answer)
{
	struct instance_outcome o = { answer == NULL ? INSTANCE_DUNNO :
						       INSTANCE_REPLY,
		action, answer };

	if (s->peruser)
		return;
	if (s->instances == NULL)
		s->instances = instances_new();
	instances_put(s->instances, policy_instance(s), &o);
}

static void
policy_prepend(struct policy_session *s, const struct judge_outcome *out,
    int has_header)
{
	policy_remember(s,
	    out->later == NULL ? JUDGE_NOTHING : JUDGE_RESTRICTION, out->later);
	if (out->header_name == NULL || has_header) {
		policy_answer(s, "dunno");
		return;
	}
	if (s->instances == NULL)
		s->instances = instances_new();
	instances_set_header(s->instances, policy_instance(s));
	policy_put(s, "action=prepend ");
	policy_put(s, out->header_name);
	policy_put(s, ": ");
	policy_put(s, out->header_value);
	policy_answered(s);
}

static void
policy_checked(const struct judge_outcome *out, void *arg)
{
	struct policy_session *s = arg;
	int has_header = out->action == JUDGE_PREPEND &&
	    instances_has_header(s->instances, policy_instance(s));
	struct logline l;

	s->check = NULL;
	policy_logline(s, &l);
	logline_judged(&l, out, has_header ? JUDGE_NOTHING : out->action);
	if (out->action == JUDGE_PREPEND)
		policy_prepend(s, out, has_header);
	else if (out->action == JUDGE_NOTHING)
		policy_answer(s, "dunno");
	else {
		policy_remember(s, out->action, out->answer);
		policy_answer(s, out->answer);
	}
	conn_resume(s->conn);
}

/* Answers as an earlier recipient was answered; 0: no answer is remembered. */
static int
policy_known(struct policy_session *s)
{
	struct instance_outcome o =
	    instances_get(s->instances, policy_instance(s));
	struct logline l;

	if (s->peruser || o.kind == INSTANCE_NONE)
		return 0;
	stat_inc(SKIP_INSTANCE);
	if (o.kind == INSTANCE_DUNNO) {
		policy_answer(s, "dunno");
		return 1;
	}
	policy_logline(s, &l);
	logline_again(&l, (enum judge_action)o.action, o.reply);
	policy_answer(s, o.reply);
	return 1;
}

/*
 * Postfix does not say whether the client asked for SMTPUTF8, but accepts UTF-8
 * in an address only then. UTF-8 in HELO, which precedes MAIL, proves nothing,
 * but octets that are not UTF-8 prove that the header must not hold them.
 */
static int
policy_smtputf8(const struct judge_request *r)
{
	const char *s[] = { r->sender, r->recipient, r->helo };
	size_t i;
	int utf8 = 0;

	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		if (s[i] == NULL)
			continue;
		if (!utf8_clean(s[i], strlen(s[i])))
			return 0;
		if (s[i] != r->helo && !ascii_only(s[i], strlen(s[i])))
			utf8 = 1;
	}
	return utf8;
}

static void
policy_make_request(struct policy_session *s)
{
	struct policy_parser *p = &s->parser;
	struct judge_request *r = &s->req;
	char *client = policy_get(p, POLICY_CLIENT_ADDRESS);
	char *helo = policy_get(p, POLICY_HELO_NAME);
	char *sender = policy_get(p, POLICY_SENDER);
	char *rcpt = policy_get(p, POLICY_RECIPIENT);
	char *at = sender == NULL ? NULL : strrchr(sender, '@');

	lower(client);
	lower(helo);
	lower(rcpt);
	/* The sender's local part stays as received (COMPAT "case"). */
	lower(at != NULL ? at + 1 : sender);
	*r = (struct judge_request){ .program = CONF_POLICY,
		.conf = rcpt == NULL ? s->conf : conf_for(s->conf, rcpt),
		.peruser = *s->conf->per_user_path != '\0',
		.client_text = client,
		.helo = helo,
		.sender = sender,
		.recipient = rcpt,
		.now = time(NULL) };
	if (client != NULL)
		(void)addr_parse(&r->client, client, strlen(client));
	r->smtputf8 = policy_smtputf8(r);
	s->peruser = r->conf != s->conf;
}

static void
policy_request(struct policy_session *s)
{
	const char *sasl = policy_get(&s->parser, POLICY_SASL_USERNAME);
	struct logline l;

	if (s->conf->mock) {
		policy_answer(s, POLICY_MOCK);
		return;
	}
	s->since = clock_usec();
	policy_make_request(s);
	if (s->conf->skip_authenticated && sasl != NULL && *sasl != '\0') {
		stat_inc(SKIP_AUTH);
		policy_logline(s, &l);
		logline_skipped(&l, "authenticated");
		policy_answer(s, "dunno");
		return;
	}
	if (policy_known(s))
		return;
	s->check = check_start(s->asker, NULL, &s->req, policy_checked, s);
}

static ssize_t
policy_input(void *arg, const uint8_t *buf, size_t n)
{
	struct policy_session *s = arg;
	const char *text = NULL;
	size_t used;

	switch (policy_feed(&s->parser, (const char *)buf, n, &used, &text)) {
	case POLICY_REQUEST:
		policy_request(s);
		break;
	case POLICY_BAD_LINE:
		if (s->conf->debug_level >= 0)
			log_line(LOG_INFO | LOG_POLICY,
			    "ERROR: Could not match line \"%.200s\"", text);
		break;
	case POLICY_TOO_MUCH:
		return conn_fail(s->conn, text);
	case POLICY_MORE:
		break;
	}
	return (ssize_t)used;
}

static unsigned int
policy_session_state(const void *arg)
{
	const struct policy_session *s = arg;

	if (s->check != NULL)
		return SESSION_BUSY;
	return policy_is_idle(&s->parser) ? SESSION_IDLE : SESSION_PARTIAL;
}

static void *
policy_start(struct conn *conn, struct conn_env *env)
{
	struct policy_session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->conn = conn;
	s->conf = env->conf;
	s->asker = env->asker;
	policy_init(&s->parser);
	return s;
}

static void
policy_end(void *arg)
{
	struct policy_session *s = arg;

	if (s->check != NULL)
		check_cancel(s->check);
	policy_free(&s->parser);
	instances_free(s->instances);
	free(s);
}

const struct session_ops policy_session_ops = {
	.name = "policy",
	.opened = STAT_CONN_POLICY,
	.errors = STAT_PROTO_ERROR_POLICY,
	.idle = POLICY_IDLE,
	.idle_drain = POLICY_IDLE,
	.begun = POLICY_BEGUN,
	.start = policy_start,
	.end = policy_end,
	.input = policy_input,
	.state = policy_session_state,
};
