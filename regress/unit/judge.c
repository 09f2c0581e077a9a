/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * judge_run() over the real engine and a zone in memory. Each case is a
 * configuration, a request and what comes of it, as policy or the milter ("M")
 * would say it; each is run with the answers coming in several orders.
 */

#include "unpriv/judge/judge.h"
#include "regress/unit/check.h"
#include "regress/unit/judge_cases.h"
#include "regress/unit/zone.h"
#include "unpriv/check/logline.h"

#define ORDERS 5 /* of the answers, a case */

struct setup {
	struct conf *conf;
	struct judge_request req;
};

static char trace[8192]; /* the questions of the last run, by round */
static char result[8192], logs[8192];
static struct arena *arena;
static unsigned int seed;

static unsigned int
rnd(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void
append(char *buf, const char *text)
{
	strlcat(buf, text, sizeof(trace));
}

/*
 * Runs until done; order 0 answers everything of a round at once, other
 * orders one question at a time, drawn.
 */
static int
run(const struct judge_request *req, unsigned int order,
    struct judge_outcome *out)
{
	struct answers *answers = answers_new();
	struct answers_question *q, *open[ANSWERS_MAX];
	int rounds = 0, done;
	size_t n = 0, i;

	seed = order;
	trace[0] = '\0';
	for (;; rounds++) {
		arena_reset(arena);
		answers_begin(answers);
		done = judge_run(req, answers, arena, out) == JUDGE_DONE;
		if (done)
			break;
		append(trace, rounds > 0 ? "; " : "");
		while ((q = answers_next(answers)) != NULL) {
			append(trace, n > 0 ? "," : "");
			append(trace, q->name);
			open[n++] = q;
		}
		if (n == 0 || rounds > 500)
			break;
		while (n > 0) {
			i = order == 0 ? n - 1 : rnd((unsigned int)n);
			memdns_answer(dns, answers, open[i]);
			open[i] = open[--n];
			if (order != 0)
				break;
		}
	}
	answers_free(answers);
	return done ? 0 : -1;
}

/* The outcome as the protocol would show it, and the records. */
static void
render(const struct judge_request *req, const struct judge_outcome *o)
{
	int milter = req->program == CONF_MILTER;
	const struct judge_log *l;
	char line[LOGLINE_RECORD_MAX];

	result[0] = logs[0] = '\0';
	if (o->action == JUDGE_NOTHING ||
	    (o->action == JUDGE_PREPEND && o->header_name == NULL))
		append(result, "dunno");
	else if (o->action == JUDGE_PREPEND)
		snprintf(result, sizeof(result), "prepend %s: %s",
		    o->header_name, o->header_value);
	else if (o->action == JUDGE_RESTRICTION)
		append(result, o->text);
	else
		snprintf(result, sizeof(result), "%s%s%s %s",
		    o->action == JUDGE_DEFER && !milter ? "defer_if_permit" :
							  o->code,
		    o->xcode == NULL ? "" : " ",
		    o->xcode == NULL ? "" : o->xcode, o->text);
	if (o->action != JUDGE_NOTHING && o->action != JUDGE_PREPEND &&
	    !milter && strcmp(o->answer, result) != 0)
		append(result, ", but another answer");
	for (l = o->log; l != NULL; l = l->next) {
		logline_record(l, line, sizeof(line));
		append(logs, line);
		append(logs, l->next == NULL ? "" : "\n");
	}
}

/* A field that is missing is written as "-"; NULL: the usual value. */
static const char *
field(const char *s, const char *usual)
{
	if (s == NULL)
		return usual;
	return strcmp(s, "-") == 0 ? NULL : s;
}

/* What is wanted, with the values that {c}, {h}, {s} and {r} stand for. */
static const char *
expand(const struct judge_case *c, const char *text)
{
	static char buf[2][sizeof(result)];
	static int turn;
	char *to = buf[turn = !turn], *end = to + sizeof(buf[0]) - 1;

	for (; *text != '\0' && to < end; text++) {
		if (text[0] != '{' || text[1] == '\0' || text[2] != '}') {
			*to++ = *text;
			continue;
		}
		*to = '\0';
		strlcat(to,
		    text[1] == 'c'	? field(c->client, "192.0.2.1") :
			text[1] == 'h'	? field(c->helo, "none.test") :
			text[1] == 's'	? field(c->sender, "user@pass.test") :
			c->program == 0 ? "dest.test" :
					  "<UNKNOWN>",
		    (size_t)(end - to));
		to += strlen(to);
		text += 2;
	}
	*to = '\0';
	return buf[turn];
}

static int
prepare(const struct judge_case *c, struct setup *w)
{
	enum conf_program program = c->program == 0 ? CONF_POLICY : c->program;
	struct conf_msgs msgs;
	char text[4096];

	memset(w, 0, sizeof(*w));
	snprintf(text, sizeof(text), "Authserv_Id = mx.example.test\n%s\n",
	    c->conf == NULL ? "" : c->conf);
	w->conf = conf_parse(program, text, strlen(text), c->name, NULL, &msgs);
	if (w->conf == NULL)
		check(c->name, w->conf != NULL, "%s",
		    msgs.n > 0 ? msgs.v[0].text : "?");
	conf_msgs_free(&msgs);
	if (w->conf == NULL)
		return -1;
	w->req.program = program;
	w->req.conf = w->conf;
	w->req.peruser = c->peruser;
	w->req.smtputf8 = c->utf8;
	w->req.client_text = field(c->client, "192.0.2.1");
	if (w->req.client_text != NULL)
		addr_parse(&w->req.client, w->req.client_text,
		    strlen(w->req.client_text));
	w->req.helo = field(c->helo, "none.test");
	w->req.sender = field(c->sender, "user@pass.test");
	w->req.recipient = field(c->recipient, "rcpt@dest.test");
	w->req.now = 1700000000;
	memdns_clear(dns);
	zone_text(judge_zone);
	zone_text(c->zone == NULL ? "" : c->zone);
	return 0;
}

static void
test_case(const struct judge_case *c)
{
	static char first[sizeof(result)], rounds[sizeof(trace)];
	const char *want = expand(c, c->want), *log = c->log;
	struct judge_outcome out;
	unsigned int order;
	struct setup w;

	if (prepare(c, &w) == -1)
		return;
	for (order = 0; order < ORDERS; order++) {
		if (run(&w.req, order, &out) == -1)
			break;
		render(&w.req, &out);
		if (order == 0) {
			strlcpy(first, result, sizeof(first));
			strlcpy(rounds, trace, sizeof(rounds));
		} else if (strcmp(first, result) != 0)
			break;
	}
	if (order < ORDERS)
		check(c->name, order == ORDERS, "order %u: %s", order, result);
	else
		check_str(c->name, first, want);
	if (log != NULL)
		check_str(check_name("%s/log", c->name), logs,
		    strcmp(log, SAME) == 0 ? want : expand(c, log));
	if (c->asked != NULL)
		check_str(check_name("%s/asked", c->name), rounds, c->asked);
	conf_free(w.conf);
}

/* Judges a case of the tests below; 0: it has failed. */
static int
judged(const struct judge_case *c, struct setup *w, struct judge_outcome *out)
{
	if (prepare(c, w) == -1)
		return 0;
	if (run(&w->req, 0, out) == 0)
		return 1;
	check(c->name, 0, "does not end");
	return 0;
}

/* HELO_reject and Mail_From_reject once more, from text to action. */
static void
test_matrix(int helo)
{
	static const char *const key[] = { "SPF_Not_Pass", "Softfail", "Fail",
		"Null", "False", "No_Check", "bogus" };
	static const char *const want[2][7] = {
		{ "prrrpPT", "prrppPT", "prpppPT", "pppppPT", "ppppppp",
		    "ppppppp", "pppppPT" },
		{ "prrrpPT", "prrppPT", "prpppPT", "ppppppp", "ppppppp",
		    "ppppppp", "pppppPT" }
	};
	static const char *const name[] = { "pass.test", "fail.test",
		"soft.test", "neut.test", "none.test", "perm.test",
		"temp.test" };
	static const char letter[] = { [JUDGE_REJECT] = 'r',
		[JUDGE_DEFER] = 'T',
		[JUDGE_PREPEND] = 'p',
		[JUDGE_RESTRICTION] = '?' };
	struct judge_outcome out;
	char conf[512], sender[64], exp;
	struct setup w;
	int i, r, keys;

	for (i = 0; i < 7 * 7 * 2; i++) {
		r = i / 2 % 7;
		keys = i % 2;
		struct judge_case c = { .conf = conf, .sender = sender };

		c.name = check_name("judge/matrix/%s/%s/%s/%d",
		    helo ? "helo" : "mfrom", key[i / 14], name[r], keys);
		snprintf(conf, sizeof(conf), "%s = %s\n%s",
		    helo ? "HELO_reject" : "Mail_From_reject", key[i / 14],
		    keys ? "PermError_reject = True\nTempError_Defer = True" :
			   "");
		snprintf(sender, sizeof(sender), "u@%s",
		    helo ? "none.test" : name[r]);
		c.helo = helo ? name[r] : NULL;
		exp = want[helo][i / 14][r];
		if (exp == 'P')
			exp = keys ? 'r' : 'p';
		else if (exp == 'T' && !keys)
			exp = 'p';
		if (judged(&c, &w, &out))
			check(c.name, letter[out.action] == exp, "%c, not %c",
			    letter[out.action], exp);
		conf_free(w.conf);
	}
}

/* A list that is late, as its own time limit has it. */
static void
test_late(void)
{
	struct judge_case c = { .name = "judge/lists-late",
		.conf = "Domain_Whitelist_PTR = yahoo.test" };
	struct judge_outcome out;
	struct answers *answers = answers_new();
	struct answers_question *q;
	struct setup w;

	if (prepare(&c, &w) == -1)
		return;
	arena_reset(arena);
	answers_begin(answers);
	check_int("judge/lists-wait", judge_run(&w.req, answers, arena, &out),
	    JUDGE_WAIT);
	while ((q = answers_next(answers)) != NULL)
		if (q->type != DNS_T_PTR)
			memdns_answer(dns, answers, q);
	check_int("judge/lists-still-wait",
	    judge_run(&w.req, answers, arena, &out), JUDGE_WAIT);
	w.req.lists_late = 1;
	check_int(c.name, judge_run(&w.req, answers, arena, &out), JUDGE_DONE);
	check("judge/lists-late-are-skipped", out.skipped == NULL);
	check_int("judge/lists-late-result", out.result, SPF_RESULT_PASS);
	answers_free(answers);
	conf_free(w.conf);
}

/* The question that HELO alone is reason to ask, or NULL. */
static void
hint(const char *name, const char *conf, const char *helo, const char *want)
{
	struct judge_case c = { .name = name, .conf = conf };
	struct answers *answers = answers_new();
	struct answers_question *q;
	struct setup w;

	if (prepare(&c, &w) == 0) {
		answers_begin(answers);
		judge_hint_helo(w.conf, helo, answers);
		q = answers_next(answers);
		check_str(name, q == NULL ? NULL : q->name, want);
		if (q != NULL)
			check_int(check_name("%s/type", name), q->type,
			    DNS_T_TXT);
		conf_free(w.conf);
	}
	answers_free(answers);
}

static void
test_hints(void)
{
	hint("judge/hint", "", "Mail.test.", "mail.test");
	hint("judge/hint-u-label", "", "ex\303\244mple.test",
	    "xn--exmple-cua.test");
	hint("judge/hint-no-check", "HELO_reject = No_Check", "a.test", NULL);
	hint("judge/hint-false", "HELO_reject = False", "a.test", NULL);
	hint("judge/hint-false-only-helo",
	    "HELO_reject = False\nMail_From_reject = No_Check", "a.test",
	    "a.test");
	hint("judge/hint-null",
	    "HELO_reject = Null\nMail_From_reject = No_Check", "a.test", NULL);
	hint("judge/hint-literal", "", "[192.0.2.1]", NULL);
	hint("judge/hint-empty", "", "", NULL);
}

/* Pass restrictions: what those that come later get. */
/* clang-format off */
#define HELO_OK	 "HELO_pass_restriction = helo_ok\n"
#define NO_CHECK "Mail_From_reject = No_Check\n"
static const struct {
	const char *name, *conf, *helo, *sender, *want;
} later[] = {
	{ "not-checked", HELO_OK NO_CHECK, "pass.test", "u@none.test",
	    "helo_ok" },
	{ "helo-none", HELO_OK NO_CHECK, "none.test", "u@none.test", NULL },
	{ "unset", NO_CHECK, "pass.test", "u@none.test", NULL },
	{ "mfrom-checked", HELO_OK, "pass.test", "u@pass.test", NULL },
	{ "test-mode", HELO_OK NO_CHECK "TestOnly = 0", "pass.test",
	    "u@none.test", NULL },
	{ "list", HELO_OK NO_CHECK "skip_addresses = 192.0.2.1", "pass.test",
	    "u@none.test", NULL },
};
/* clang-format on */

static void
test_later(void)
{
	struct judge_outcome out;
	struct setup w;
	size_t i;

	for (i = 0; i < NITEMS(later); i++) {
		struct judge_case c = { .name = later[i].name,
			.conf = later[i].conf,
			.helo = later[i].helo,
			.sender = later[i].sender };

		if (judged(&c, &w, &out)) {
			check_int(check_name("later/%s/action", c.name),
			    out.action, JUDGE_PREPEND);
			check_str(check_name("later/%s", c.name), out.later,
			    later[i].want);
		}
		conf_free(w.conf);
	}
}

/* However little memory there is: an answer, and no refusal lost. */
static void
test_memory(void)
{
	struct judge_case c = { .name = "judge/memory",
		.helo = "fail.test",
		.sender = "u@pass.test" };
	struct arena *whole = arena;
	struct judge_outcome out;
	size_t limit;
	int bad = 0;
	struct setup w;

	if (prepare(&c, &w) == -1)
		return;
	for (limit = 64; limit < 40000; limit += 211) {
		arena = arena_new(limit);
		bad += run(&w.req, 0, &out) == -1 ||
		    (out.action == JUDGE_REJECT &&
			(out.text == NULL || out.code == NULL ||
			    out.answer == NULL));
		arena_free(arena);
	}
	arena = whole;
	check_int(c.name, bad, 0);
	conf_free(w.conf);
}

int
main(void)
{
	size_t i;

	if ((arena = arena_new(4 << 20)) == NULL)
		return 1;
	dns = memdns_new();
	for (i = 0; i < NITEMS(judge_cases); i++)
		test_case(&judge_cases[i]);
	test_matrix(1);
	test_matrix(0);
	test_late();
	test_later();
	test_memory();
	test_hints();
	memdns_free(dns);
	arena_free(arena);
	return check_exit();
}
