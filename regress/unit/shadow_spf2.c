/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* libspf2 over a table of answers: agreement, known differences, bounds. */

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "regress/unit/check.h"
#include "regress/unit/zone.h"
#include "unpriv/shadow/shadow_spf2.h"

#define ROUNDS 1000

static struct spf2 *spf2;
static unsigned int rounds;

static void
quiet(int pri, const char *text, void *arg)
{
}

static void
copy_of(struct shadow_copy *c, const char *client, const char *sender)
{
	memset(c, 0, sizeof(*c));
	addr_parse(&c->client, client, strlen(client));
	c->identity = *sender == '\0' ? SHADOW_HELO : SHADOW_MAILFROM;
	strlcpy(c->helo, "h.test", sizeof(c->helo));
	strlcpy(c->sender, sender, sizeof(c->sender));
}

static int
judge(const char *client, const char *sender, struct shadow_opinion *o)
{
	struct spf2_check check = { .answers = answers_new() };
	struct shadow_copy c;
	struct answers_question *q;
	int result = -1;

	copy_of(&c, client, sender);
	for (rounds = 1; rounds < ROUNDS; rounds++) {
		if (spf2_judge(spf2, &c, &check, 0, o)) {
			result = o->result;
			break;
		}
		while ((q = answers_next(check.answers)) != NULL)
			memdns_answer(dns, check.answers, q);
	}
	answers_free(check.answers);
	return result;
}

/* clang-format off */
static const char zone[] =
	"p.test TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all\n"
	"h.test TXT v=spf1 ip4:192.0.2.7 -all\n"
	"soft.test TXT v=spf1 ~all\n"
	"syntax.test TXT v=spf1 ip4:1.2.3 -all\n"
	"serv.test TXT !TEMPERROR\n"
	"inc.test TXT v=spf1 include:p.test -all\n"
	"incserv.test TXT v=spf1 include:serv.test -all\n"
	"mx.test TXT v=spf1 mx -all\n"
	"mx.test MX m1.test\n"
	"mx.test MX \n"
	"m1.test A 192.0.2.1\n"
	"m1.test AAAA 2001:db8::1\n"
	"a.test TXT v=spf1 a:m1.test -all\n"
	"aserv.test TXT v=spf1 a:as.test -all\n"
	"as.test A !TEMPERROR\n"
	"ptr.test TXT v=spf1 ptr:none.test -all\n"
	"1.2.0.192.in-addr.arpa PTR c.none.test\n"
	"c.none.test A 192.0.2.1\n"
	"exp.test TXT v=spf1 -all exp=e.exp.test\n"
	"e.exp.test TXT no%_way\n"
	"zero.test TXT v=spf1 ip4:0.0.0.0/0 -all\n"
	"void.test TXT v=spf1 a:v1.test a:v2.test a:v3.test ip4:192.0.2.1 -all\n"
	"long.test TXT v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.%{l}.x.test -all\n";

/* HELO is h.test. */
static const struct {
	const char	*name, *client, *sender;
	int		 result;
} cases[] = {
	{ "pass", "192.0.2.1", "u@p.test", SHADOW_PASS },
	{ "pass-ipv6", "2001:db8::1", "u@p.test", SHADOW_PASS },
	{ "fail", "192.0.2.9", "u@p.test", SHADOW_FAIL },
	{ "softfail", "192.0.2.9", "u@soft.test", SHADOW_SOFTFAIL },
	{ "none", "192.0.2.9", "u@n.test", SHADOW_NONE },
	{ "null-sender", "192.0.2.7", "", SHADOW_PASS },
	{ "no-local-part", "192.0.2.1", "p.test", SHADOW_PASS },
	{ "syntax-error", "192.0.2.1", "u@syntax.test", SHADOW_PERMERROR },
	{ "servfail", "192.0.2.1", "u@serv.test", SHADOW_TEMPERROR },
	{ "include", "192.0.2.1", "u@inc.test", SHADOW_PASS },
	{ "include-servfail", "192.0.2.1", "u@incserv.test", SHADOW_TEMPERROR },
	{ "mx", "192.0.2.1", "u@mx.test", SHADOW_PASS },
	{ "mx-ipv6", "2001:db8::1", "u@mx.test", SHADOW_PASS },
	{ "a", "192.0.2.1", "u@a.test", SHADOW_PASS },
	{ "a-servfail", "192.0.2.1", "u@aserv.test", SHADOW_TEMPERROR },
	{ "ptr", "192.0.2.1", "u@ptr.test", SHADOW_PASS },
	{ "explanation", "192.0.2.1", "u@exp.test", SHADOW_FAIL },
	{ "single-label", "192.0.2.1", "u@test", SHADOW_NONE },
	{ "empty-domain", "192.0.2.1", "u@", SHADOW_NONE },
	{ "only-at", "192.0.2.1", "@", SHADOW_NONE },
	{ "empty-labels", "192.0.2.1", "u@a..b", SHADOW_NONE },
	{ "name-over-253", "192.0.2.1", "0123456789012345678901234"
	    "5678901234567890123456789012345678@long.test",
	    SHADOW_FAIL },
	/* where it is known to differ: RFC 7208 has pass and permerror */
	{ "differs-cidr-0", "192.0.2.1", "u@zero.test", SHADOW_PERMERROR },
	{ "differs-void-lookups", "192.0.2.1", "u@void.test", SHADOW_PASS },
};
/* clang-format on */

static void
test_cases(void)
{
	struct shadow_opinion o;
	size_t i;
	int r;

	for (i = 0; i < NITEMS(cases); i++) {
		r = judge(cases[i].client, cases[i].sender, &o);
		check_str(check_name("spf2-%s", cases[i].name),
		    r < 0 ? "no end" : shadow_result_name[r],
		    shadow_result_name[cases[i].result]);
	}
}

/* A name that one octet makes too long is not asked for. */
static void
test_words(void)
{
	struct shadow_opinion o;

	judge("192.0.2.1", "u@p.test", &o);
	check_int("spf2-one-question", o.questions, 1);
	check_int("spf2-two-rounds", rounds, 2);
	check_int("spf2-not-cut", o.cut, 0);
	check("spf2-says-why", strncmp(o.why, "domain of", 9) == 0, "%s",
	    o.why);
	check_has("spf2-says-whose", o.why, "192.0.2.1");
}

/*
 * Its limit of ten counts from new in each include: a tree of records makes
 * millions of lookups, and a chain of new names has no end at all.
 */
static void
test_bombs(void)
{
	struct shadow_opinion o;
	char line[512];
	int i, j, r;

	for (i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), "b%d.test TXT v=spf1", i);
		for (j = 0; j < 10 && i < 5; j++)
			strlcat(line, check_name(" include:b%d.test", i + 1),
			    sizeof(line));
		strlcat(line, " ?all", sizeof(line));
		zone_line(line);
	}
	r = judge("192.0.2.1", "u@b0.test", &o);
	check("spf2-include-bomb-is-cut", r == SHADOW_TEMPERROR && o.cut,
	    "%d cut %d %u rounds: %s", r, o.cut, rounds, o.why);
	r = judge("192.0.2.1", "u@p.test", &o);
	check("spf2-next-check-is-not", r == SHADOW_PASS && !o.cut);
}

/* 20 levels of 9 names each that do not exist: questions end, not time. */
static void
test_questions(void)
{
	struct shadow_opinion o;
	char line[512];
	int i, j;

	for (i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "q%d.test TXT v=spf1", i);
		for (j = 0; j < 9; j++)
			strlcat(line, check_name(" a:n%d-%d.test", i, j),
			    sizeof(line));
		if (i < 19)
			strlcat(line, check_name(" include:q%d.test", i + 1),
			    sizeof(line));
		strlcat(line, " ?all", sizeof(line));
		zone_line(line);
	}
	check_int("spf2-questions-end", judge("192.0.2.1", "u@q0.test", &o),
	    SHADOW_TEMPERROR);
	check("spf2-questions-are-bounded",
	    o.cut && o.questions <= SPF2_QUESTIONS, "%u", o.questions);
}

/* Out of time: what is missing is an error, and there is an opinion. */
static void
test_last(void)
{
	struct spf2_check check = { .answers = answers_new() };
	struct shadow_opinion o;
	struct shadow_copy c;

	copy_of(&c, "192.0.0.0", "u@p.test");
	check_int("spf2-last-run", spf2_judge(spf2, &c, &check, 1, &o), 1);
	check_int("spf2-last-result", o.result, SHADOW_TEMPERROR);
	answers_free(check.answers);
}

/* Debian's libspf2 from 1.2.10-8 on writes no more than it has room for. */
static int
mended(void)
{
	return system("dpkg --compare-versions \"$(dpkg-query -W -f "
		      "'${Version} ' 'libspf2-2*' 2>/dev/null | "
		      "awk '{print $1}')\" ge 1.2.10-8 2>/dev/null") == 0;
}

/* Why it lives in a process of its own: 509 octets end an older one. */
static void
test_killer(void)
{
	struct shadow_opinion o;
	char line[600] = "e.k.test TXT ";
	int i, status = 0;
	pid_t pid;

	for (i = 0; i < 127; i++)
		strlcat(line, "%{d}", sizeof(line));
	strlcat(line, "A", sizeof(line));
	zone_line(line);
	zone_line("k.test TXT v=spf1 -all exp=e.k.test");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(STDERR_FILENO);
		_exit(judge("192.0.2.1", "u@k.test", &o) != SHADOW_FAIL);
	}
	waitpid(pid, &status, 0);
	if (mended())
		check_int("spf2-killer-record-kills-no-more", status, 0);
	else
		check("spf2-killer-record-still-kills",
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
		    "status %x: this libspf2 is mended", (unsigned int)status);
}

int
main(void)
{
	log_init_callback(quiet, NULL);
	spf2 = spf2_new();
	dns = memdns_new();
	zone_text(zone);
	test_cases();
	test_words();
	test_bombs();
	test_questions();
	test_last();
	test_killer();
	memdns_free(dns);
	return check_exit();
}
