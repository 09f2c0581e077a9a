/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* libspf2 over a table of answers: agreement, known differences, bounds. */

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "regress/unit/check.h"
#include "unpriv/shadow/shadow_spf2.h"

#define ROUNDS 1000

struct rec {
	const char *name;
	uint16_t type;
	const char *data; /* NULL: SERVFAIL */
};

static struct spf2 *spf2;
static const struct rec *zone;
static unsigned int rounds;

static void
quiet(int pri, const char *text, void *arg)
{
}

/* The answer to one question, of the zone. */
static void
answer(struct answers *a, struct answers_question *q)
{
	struct dns_answer ans = { .status = DNS_NXDOMAIN };
	struct addr addr[8];
	struct dns_rr rr[8];
	const struct rec *r;

	ans.rr = rr;
	for (r = zone; r->name != NULL; r++) {
		if (strlen(r->name) != q->namelen ||
		    strncasecmp(r->name, q->name, q->namelen) != 0)
			continue;
		if (ans.status == DNS_NXDOMAIN)
			ans.status = DNS_NODATA;
		if (r->type != q->type)
			continue;
		if (r->data == NULL) {
			ans.status = DNS_TEMPERROR;
			break;
		}
		ans.status = DNS_OK;
		rr[ans.nrr].data = (const uint8_t *)r->data;
		rr[ans.nrr].len = (uint16_t)strlen(r->data);
		rr[ans.nrr].aux = 0;
		if (r->type == DNS_T_A || r->type == DNS_T_AAAA) {
			addr_parse(&addr[ans.nrr], r->data, strlen(r->data));
			rr[ans.nrr].data = addr[ans.nrr].b;
			rr[ans.nrr].len = r->type == DNS_T_A ? 4 : 16;
		}
		ans.nrr++;
	}
	answers_put(a, q, &ans);
}

static int
judge(const char *client, const char *helo, const char *sender,
    struct shadow_opinion *o)
{
	struct spf2_check check;
	struct shadow_copy c;
	struct answers_question *q;
	int result = -1;

	memset(&c, 0, sizeof(c));
	memset(&check, 0, sizeof(check));
	addr_parse(&c.client, client, strlen(client));
	c.identity = *sender == '\0' ? SHADOW_HELO : SHADOW_MAILFROM;
	strlcpy(c.helo, helo, sizeof(c.helo));
	strlcpy(c.sender, sender, sizeof(c.sender));
	check.answers = answers_new();
	for (rounds = 1; rounds < ROUNDS; rounds++) {
		if (spf2_judge(spf2, &c, &check, 0, o)) {
			result = o->result;
			break;
		}
		while ((q = answers_next(check.answers)) != NULL)
			answer(check.answers, q);
	}
	answers_free(check.answers);
	return result;
}

/* clang-format off */
static const struct rec plain[] = {
	{ "p.test", DNS_T_TXT, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all" },
	{ "h.test", DNS_T_TXT, "v=spf1 ip4:192.0.2.7 -all" },
	{ "soft.test", DNS_T_TXT, "v=spf1 ~all" },
	{ "syntax.test", DNS_T_TXT, "v=spf1 ip4:1.2.3 -all" },
	{ "serv.test", DNS_T_TXT, NULL },
	{ "inc.test", DNS_T_TXT, "v=spf1 include:p.test -all" },
	{ "incserv.test", DNS_T_TXT, "v=spf1 include:serv.test -all" },
	{ "mx.test", DNS_T_TXT, "v=spf1 mx -all" },
	{ "mx.test", DNS_T_MX, "m1.test" },
	{ "mx.test", DNS_T_MX, "" },
	{ "m1.test", DNS_T_A, "192.0.2.1" },
	{ "m1.test", DNS_T_AAAA, "2001:db8::1" },
	{ "a.test", DNS_T_TXT, "v=spf1 a:m1.test -all" },
	{ "aserv.test", DNS_T_TXT, "v=spf1 a:as.test -all" },
	{ "as.test", DNS_T_A, NULL },
	{ "ptr.test", DNS_T_TXT, "v=spf1 ptr:none.test -all" },
	{ "1.2.0.192.in-addr.arpa", DNS_T_PTR, "c.none.test" },
	{ "c.none.test", DNS_T_A, "192.0.2.1" },
	{ "exp.test", DNS_T_TXT, "v=spf1 -all exp=e.exp.test" },
	{ "e.exp.test", DNS_T_TXT, "no%_way" },
	{ "zero.test", DNS_T_TXT, "v=spf1 ip4:0.0.0.0/0 -all" },
	{ "void.test", DNS_T_TXT, "v=spf1 a:v1.test a:v2.test a:v3.test "
	    "ip4:192.0.2.1 -all" },
	{ "long.test", DNS_T_TXT, "v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}."
	    "%{l}.x.test -all" },
	{ NULL, 0, NULL }
};

static const struct {
	const char	*name, *client, *helo, *sender;
	int		 result;
} cases[] = {
	{ "pass", "192.0.2.1", "h.test", "u@p.test", SHADOW_PASS },
	{ "pass-ipv6", "2001:db8::1", "h.test", "u@p.test", SHADOW_PASS },
	{ "fail", "192.0.2.9", "h.test", "u@p.test", SHADOW_FAIL },
	{ "softfail", "192.0.2.9", "h.test", "u@soft.test", SHADOW_SOFTFAIL },
	{ "none", "192.0.2.9", "h.test", "u@n.test", SHADOW_NONE },
	{ "null-sender", "192.0.2.7", "h.test", "", SHADOW_PASS },
	{ "no-local-part", "192.0.2.1", "h.test", "p.test", SHADOW_PASS },
	{ "syntax-error", "192.0.2.1", "h.test", "u@syntax.test",
	    SHADOW_PERMERROR },
	{ "servfail", "192.0.2.1", "h.test", "u@serv.test",
	    SHADOW_TEMPERROR },
	{ "include", "192.0.2.1", "h.test", "u@inc.test", SHADOW_PASS },
	{ "include-servfail", "192.0.2.1", "h.test", "u@incserv.test",
	    SHADOW_TEMPERROR },
	{ "mx", "192.0.2.1", "h.test", "u@mx.test", SHADOW_PASS },
	{ "mx-ipv6", "2001:db8::1", "h.test", "u@mx.test", SHADOW_PASS },
	{ "a", "192.0.2.1", "h.test", "u@a.test", SHADOW_PASS },
	{ "a-servfail", "192.0.2.1", "h.test", "u@aserv.test",
	    SHADOW_TEMPERROR },
	{ "ptr", "192.0.2.1", "h.test", "u@ptr.test", SHADOW_PASS },
	{ "explanation", "192.0.2.1", "h.test", "u@exp.test", SHADOW_FAIL },
	{ "single-label", "192.0.2.1", "h.test", "u@test", SHADOW_NONE },
	{ "empty-domain", "192.0.2.1", "h.test", "u@", SHADOW_NONE },
	{ "only-at", "192.0.2.1", "h.test", "@", SHADOW_NONE },
	{ "empty-labels", "192.0.2.1", "h.test", "u@a..b", SHADOW_NONE },
	{ "name-over-253", "192.0.2.1", "h.test", "0123456789012345678901234"
	    "5678901234567890123456789012345678@long.test", SHADOW_FAIL },
	/* where it is known to differ: RFC 7208 has pass and permerror */
	{ "differs-cidr-0", "192.0.2.1", "h.test", "u@zero.test",
	    SHADOW_PERMERROR },
	{ "differs-void-lookups", "192.0.2.1", "h.test", "u@void.test",
	    SHADOW_PASS },
};
/* clang-format on */

static void
test_cases(void)
{
	struct shadow_opinion o;
	char name[64];
	size_t i;
	int r;

	zone = plain;
	for (i = 0; i < NITEMS(cases); i++) {
		r = judge(cases[i].client, cases[i].helo, cases[i].sender, &o);
		snprintf(name, sizeof(name), "spf2-%s", cases[i].name);
		check_int(name, r, cases[i].result);
	}
}

/* A name that one octet makes too long is not asked for. */
static void
test_words(void)
{
	struct shadow_opinion o;

	zone = plain;
	judge("192.0.2.1", "h.test", "u@p.test", &o);
	check("spf2-one-question", o.questions == 1 && rounds == 2 && !o.cut,
	    "%u questions, %u rounds", o.questions, rounds);
	check("spf2-says-why",
	    strncmp(o.why, "domain of", 9) == 0 &&
		strstr(o.why, "192.0.2.1") != NULL,
	    "%s", o.why);
}

/*
 * Its limit of ten counts from new in each include: a tree of records makes
 * millions of lookups, and a chain of new names has no end at all.
 */
static void
test_bombs(void)
{
	static struct rec bomb[6 * 12 + 1];
	static char name[6][24], text[6][512];
	struct shadow_opinion o;
	int i, j, r;

	for (i = 0; i < 6; i++) {
		snprintf(name[i], sizeof(name[i]), "b%d.test", i);
		strlcpy(text[i], "v=spf1", sizeof(text[i]));
		for (j = 0; j < 10 && i < 5; j++)
			snprintf(text[i] + strlen(text[i]),
			    sizeof(text[i]) - strlen(text[i]),
			    " include:b%d.test", i + 1);
		strlcat(text[i], " ?all", sizeof(text[i]));
		bomb[i] = (struct rec){ name[i], DNS_T_TXT, text[i] };
	}
	zone = bomb;
	r = judge("192.0.2.1", "h.test", "u@b0.test", &o);
	check("spf2-include-bomb-is-cut", r == SHADOW_TEMPERROR && o.cut,
	    "%d cut %d %u rounds: %s", r, o.cut, rounds, o.why);
	zone = plain;
	r = judge("192.0.2.1", "h.test", "u@p.test", &o);
	check("spf2-next-check-is-not", r == SHADOW_PASS && !o.cut);
}

/* 20 levels of 10 names each that do not exist: questions end, not time. */
static void
test_questions(void)
{
	static struct rec many[22];
	static char name[22][24], text[22][512];
	struct shadow_opinion o;
	int i, j, r;

	for (i = 0; i < 20; i++) {
		snprintf(name[i], sizeof(name[i]), "q%d.test", i);
		strlcpy(text[i], "v=spf1", sizeof(text[i]));
		for (j = 0; j < 9; j++)
			snprintf(text[i] + strlen(text[i]),
			    sizeof(text[i]) - strlen(text[i]), " a:n%d-%d.test",
			    i, j);
		if (i < 19)
			snprintf(text[i] + strlen(text[i]),
			    sizeof(text[i]) - strlen(text[i]),
			    " include:q%d.test", i + 1);
		strlcat(text[i], " ?all", sizeof(text[i]));
		many[i] = (struct rec){ name[i], DNS_T_TXT, text[i] };
	}
	many[20] = (struct rec){ NULL, 0, NULL };
	zone = many;
	r = judge("192.0.2.1", "h.test", "u@q0.test", &o);
	check("spf2-questions-are-bounded",
	    r == SHADOW_TEMPERROR && o.cut && o.questions <= SPF2_QUESTIONS,
	    "%d, %u questions", r, o.questions);
}

/* Out of time: what is missing is an error, and there is an opinion. */
static void
test_last(void)
{
	struct spf2_check check;
	struct shadow_opinion o;
	struct shadow_copy c;
	int rv;

	memset(&c, 0, sizeof(c));
	memset(&check, 0, sizeof(check));
	c.client.family = 4;
	c.identity = SHADOW_MAILFROM;
	strlcpy(c.helo, "h.test", sizeof(c.helo));
	strlcpy(c.sender, "u@p.test", sizeof(c.sender));
	c.client.b[0] = 192;
	check.answers = answers_new();
	rv = spf2_judge(spf2, &c, &check, 1, &o);
	check("spf2-last-run", rv == 1 && o.result == SHADOW_TEMPERROR, "%d %u",
	    rv, o.result);
	answers_free(check.answers);
}

/* Why it lives in a process of its own: 509 octets end it. */
static void
test_killer(void)
{
	static char text[512];
	static const struct rec *old;
	struct rec killer[] = { { "k.test", DNS_T_TXT,
				    "v=spf1 -all exp=e.k.test" },
		{ "e.k.test", DNS_T_TXT, text }, { NULL, 0, NULL } };
	struct shadow_opinion o;
	int i, status = 0;
	pid_t pid;

	for (i = 0; i < 127; i++)
		strlcat(text, "%{d}", sizeof(text));
	strlcat(text, "A", sizeof(text));
	old = zone;
	zone = killer;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(STDERR_FILENO);
		_exit(judge("192.0.2.1", "h.test", "u@k.test", &o) ==
			    SHADOW_FAIL ?
			0 :
			1);
	}
	waitpid(pid, &status, 0);
	zone = old;
	check("spf2-killer-record-still-kills",
	    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	    "status %x: this libspf2 is mended", (unsigned int)status);
}

int
main(void)
{
	log_init_callback(quiet, NULL);
	spf2 = spf2_new();
	test_cases();
	test_words();
	test_bombs();
	test_questions();
	test_last();
	test_killer();
	return check_exit();
}
