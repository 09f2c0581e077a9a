/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Cases of the engine beyond the public suites. */

#include <err.h>

#include "regress/unit/check.h"
#include "regress/unit/zone.h"

#define ORDERS 8
#define ZONE   40

#define PASS	SPF_RESULT_PASS
#define FAIL	SPF_RESULT_FAIL
#define SOFT	SPF_RESULT_SOFTFAIL
#define NEUTRAL SPF_RESULT_NEUTRAL
#define NONE	SPF_RESULT_NONE
#define TEMP	SPF_RESULT_TEMPERROR
#define PERM	SPF_RESULT_PERMERROR

/*
 * Reason and explanation are compared unless they are NULL ("-": no
 * explanation). The zone's lines are those of zone_line().
 */
static const struct test {
	const char *name;
	enum spf_result result;
	const char *ip;	    /* 192.0.2.1 */
	const char *sender; /* user@d.test */
	const char *helo;   /* helo.test */
	const char *reason, *explanation;
	const char *zone[ZONE];
	int void_any;
} cases[] = {
#include "regress/unit/engine_cases.h"
};

static struct answers *answers;
static struct arena *arena[2];
static struct spf_request req;
static struct spf_verdict v; /* of the last evaluation */
static struct memdns_run run;

static void
request(const char *ip, const char *sender)
{
	static char local[1024];
	const char *at = strrchr(sender, '@');

	memset(&req, 0, sizeof(req));
	if (addr_parse(&req.client, ip, strlen(ip)) == -1 || at == NULL)
		errx(1, "bad request: %s %s", ip, sender);
	snprintf(local, sizeof(local), "%.*s", (int)(at - sender), sender);
	req.local = local;
	req.domain = at + 1;
	req.helo = "helo.test";
	req.void_limit = 2;
	req.now = 1700000000;
}

static void
evaluate(unsigned int order)
{
	memdns_check(dns, &req, order, answers, arena[0], &v, &run);
}

/* An evaluation of the usual request, but for the sender. */
static void
evaluate_from(const char *sender)
{
	request("192.0.2.1", sender);
	evaluate(MEMDNS_ALL);
}

static void
result_is(const char *name, enum spf_result want)
{
	check_str(name, spf_result_name[v.result], spf_result_name[want]);
}

static void
test_case(const struct test *t)
{
	char got[2048], want[2048];
	const char *explanation;
	struct spf_verdict w;
	unsigned int order;
	size_t i;
	int same = 1;

	memdns_clear(dns);
	for (i = 0; i < ZONE && t->zone[i] != NULL; i++)
		zone_line(t->zone[i]);
	request(t->ip == NULL ? "192.0.2.1" : t->ip,
	    t->sender == NULL ? "user@d.test" : t->sender);
	if (t->helo != NULL)
		req.helo = t->helo;
	req.void_any = t->void_any;
	evaluate(MEMDNS_ALL);
	explanation = v.explanation == NULL ? "-" : v.explanation;
	snprintf(got, sizeof(got), "%s (%s) %s%s", spf_result_name[v.result],
	    v.reason, explanation, run.stuck ? ", stuck" : "");
	snprintf(want, sizeof(want), "%s (%s) %s", spf_result_name[t->result],
	    t->reason == NULL ? v.reason : t->reason,
	    t->explanation == NULL ? explanation : t->explanation);
	check_str(t->name, got, want);
	for (order = MEMDNS_NEEDED; same && order < ORDERS; order++) {
		memdns_check(dns, &req, order, answers, arena[1], &w, &run);
		same = !run.stuck && memdns_same(&v, &w);
	}
	check(check_name("%s/orders", t->name), same, "order %u", order);
}

/* A record that a zone line cannot hold. */
static void
octets(const char *name, const char *rec, size_t len, enum spf_result want,
    const char *reason)
{
	memdns_clear(dns);
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, len, 0);
	evaluate_from("user@d.test");
	result_is(name, want);
	if (reason != NULL)
		check_str(check_name("%s/reason", name), v.reason, reason);
}

static void
test_octets(void)
{
#define OCTETS(n, s, w, r) octets(n, s, sizeof(s) - 1, w, r)
	OCTETS("nul-in-target", "v=spf1 a:x\0y.test +all", PERM,
	    "SPF Permanent Error: Invalid character found: x?y.test");
	OCTETS("nul-behind-term", "v=spf1 +all\0", PERM,
	    "SPF Permanent Error: Unknown mechanism found: +all?");
	OCTETS("nul-behind-version", "v=spf1\0+all", NONE, "");
	OCTETS("control-in-target", "v=spf1 a:x\001y.test +all", PERM, NULL);
	OCTETS("control-in-modifier", "v=spf1 m=a\177 +all", PERM, NULL);
	OCTETS("tab-parts-no-terms", "v=spf1 +all\t", PERM, NULL);
	OCTETS("newline-parts-no-terms", "v=spf1 +all\n", PERM, NULL);
	OCTETS("high-octet-in-modifier", "v=spf1 m=\344 +all", PERM,
	    "SPF Permanent Error: Non-ascii characters found: "
	    "b'v=spf1 m=\\xe4 +all'");
	OCTETS("high-octet-in-version", "v=spf1\240+all", NONE, "");
#undef OCTETS
}

/* A pass, after so many rounds of questions, and so many questions. */
static void
rounds(const char *name, const char *sender, unsigned int n,
    unsigned int questions)
{
	evaluate_from(sender);
	check(name,
	    !run.stuck && v.result == PASS && run.rounds == n &&
		run.questions == questions,
	    "got %s, %u rounds, %u questions, want %u, %u",
	    spf_result_name[v.result], run.rounds, run.questions, n, questions);
}

static void
test_rounds(void)
{
	char rec[512] = "v=spf1";
	const char *name;
	unsigned int i;

	memdns_clear(dns);
	for (i = 0; i < 8; i++) {
		name = check_name("i%u.test", i);
		strlcat(rec, " include:", sizeof(rec));
		strlcat(rec, name, sizeof(rec));
		memdns_txt(dns, name,
		    i < 7 ? "v=spf1 ip4:10.0.0.1 -all" :
			    "v=spf1 a:last.test -all");
	}
	zone_line(rec);
	zone_line("last.test A 192.0.2.1");
	rounds("eight-includes-in-three-rounds", "user@d.test", 3, 10);
	zone_line(
	    "e.test TXT v=spf1 ip4:10.0.0.1 a:h1.test mx:d.test "
	    "exists:%{i}.x.test include:i0.test ip4:192.0.2.0/24 a:late.test");
	zone_line("h1.test A 10.0.0.1");
	rounds("all-literals-at-once", "user@e.test", 2, 5);
	zone_line("f.test TXT v=spf1 ip4:192.0.2.1 include:i0.test a mx");
	rounds("nothing-asked-behind-a-match", "user@f.test", 1, 1);
	zone_line("g.test TXT v=spf1 a:h1.test redirect=g2.test");
	zone_line("g2.test TXT v=spf1 ip4:192.0.2.1");
	rounds("redirect-asked-ahead", "user@g.test", 2, 3);
	zone_line("m.test TXT v=spf1 mx -all");
	for (i = 0; i < 10; i++) {
		zone_line(check_name("m.test MX mx%u.test", i));
		zone_line(check_name("mx%u.test A 192.0.2.%u", i, 10 - i));
	}
	rounds("mx-hosts-at-once", "user@m.test", 3, 12);
}

/* Void_Family = any asks for the other family only behind an empty answer. */
static void
test_void_any(void)
{
	static const struct {
		const char *name, *ip, *sender;
		unsigned int rounds, questions, voids;
	} t[] = {
		{ "any-asks-no-more-for-a-match", "192.0.2.1", "u@h.test", 2, 2,
		    0 },
		{ "any-asks-no-more-for-another-address", "192.0.2.2",
		    "u@h.test", 2, 2, 0 },
		{ "any-asks-no-more-for-nxdomain", "192.0.2.1", "u@nx.test", 2,
		    2, 1 },
		{ "any-asks-for-aaaa", "192.0.2.1", "u@six.test", 3, 3, 0 },
		{ "any-asks-for-a", "2001:db8::1", "u@h.test", 3, 3, 0 },
		{ "any-finds-neither", "192.0.2.1", "u@none.test", 3, 3, 1 },
		{ "any-asks-the-mx-hosts-at-once", "192.0.2.1", "u@mx.test", 4,
		    12, 0 },
	};
	unsigned int i;

	memdns_clear(dns);
	zone_line("h.test TXT v=spf1 a -all");
	zone_line("h.test A 192.0.2.1");
	zone_line("nx.test TXT v=spf1 a:x.test -all");
	zone_line("six.test TXT v=spf1 a -all");
	zone_line("six.test AAAA 2001:db8::2");
	zone_line("none.test TXT v=spf1 a -all");
	zone_line("mx.test TXT v=spf1 mx -all");
	for (i = 0; i < 5; i++) {
		zone_line(check_name("mx.test MX mx%u.test", i));
		zone_line(check_name("mx%u.test AAAA 2001:db8::2", i));
	}
	for (i = 0; i < NITEMS(t); i++) {
		request(t[i].ip, t[i].sender);
		req.void_any = 1;
		evaluate(MEMDNS_ALL);
		check(t[i].name,
		    run.rounds == t[i].rounds &&
			run.questions == t[i].questions &&
			v.voids == t[i].voids,
		    "%u rounds, %u questions, %u voids", run.rounds,
		    run.questions, v.voids);
	}
}

/* Each include has eleven more: evaluation must end after ten. */
static void
test_bomb(void)
{
	char rec[512];
	unsigned int i, j, k;
	size_t n;

	memdns_clear(dns);
	for (i = 0; i < 6; i++)
		for (j = 0; j < 11; j++) {
			n = (size_t)snprintf(rec, sizeof(rec),
			    "l%u-%u.test TXT v=spf1", i, j);
			for (k = 0; k < 11; k++)
				n += (size_t)snprintf(rec + n, sizeof(rec) - n,
				    " include:l%u-%u.test", i + 1, k);
			zone_line(rec);
		}
	for (j = 0; j < 11; j++)
		zone_line(check_name("l6-%u.test TXT v=spf1 ip4:10.0.0.1", j));
	evaluate_from("user@l0-0.test");
	result_is("include-bomb-permerror", PERM);
	check_int("include-bomb-ends", run.stuck, 0);
	check_int("include-bomb-lookups", v.lookups, 10);
	check("include-bomb-questions", run.questions <= 80 && run.rounds <= 12,
	    "%u questions, %u rounds", run.questions, run.rounds);
	evaluate(MEMDNS_NEEDED);
	check_int("include-bomb-needs-eleven", run.questions, 11);
}

/* A record of d.test: a term many times, up to a size, and an end. */
static void
evaluate_long(const char *begin, const char *term, size_t max, const char *end)
{
	char *rec;
	size_t n;

	if ((rec = malloc(max + 64)) == NULL)
		err(1, NULL);
	n = (size_t)sprintf(rec, "%s", begin);
	while (n < max)
		n += (size_t)sprintf(rec + n, "%s", term);
	sprintf(rec + n, "%s", end);
	memdns_txt(dns, "d.test", rec);
	free(rec);
	evaluate(MEMDNS_ALL);
}

/* Records of the largest size with long expansions. */
static void
test_large(void)
{
	static const char too_many[] = "SPF Permanent Error: Too many macros";
	static char local[64000];

	memset(local, 'x', sizeof(local) - 1);
	request("192.0.2.1", "user@d.test");
	req.local = local;
	memdns_clear(dns);
	evaluate_long("v=spf1 exists:", "%{l}", sizeof(local), "");
	result_is("macro-work-is-bounded", PERM);
	check_str("macro-work-is-bounded/reason", v.reason, too_many);

	/* Without the limit a run of these takes 150 and 80 milliseconds. */
	memset(local, '!', 1900);
	local[1900] = '\0';
	memdns_clear(dns);
	evaluate_long("v=spf1 exists:", "%{L}", 8000, "");
	result_is("macro-work-of-a-long-sender", PERM);
	check_str("macro-work-of-a-long-sender/reason", v.reason, too_many);
	memdns_clear(dns);
	zone_line("1.2.0.192.in-addr.arpa PTR p.d.test");
	zone_line("p.d.test A 192.0.2.1");
	evaluate_long("v=spf1 exists:", "%{p}", 8000, "");
	result_is("macro-work-of-names", PERM);
	check_str("macro-work-of-names/reason", v.reason, too_many);

	memdns_clear(dns);
	req.local = "user";
	req.want_trace = 1;
	evaluate_long("v=spf1", " ip4:10.0.0.1", 64000, " -all");
	result_is("many-terms-none-lost", FAIL);
	check("many-terms-have-a-trace", v.trace != NULL);
}

static void
test_trace(void)
{
	struct spf_event *e;
	char seen[512] = "";
	size_t n = 0;

	memdns_clear(dns);
	zone_line("v=spf1 ?ip4:10.0.0.1 include:i.test -all");
	zone_line("i.test TXT v=spf1 a:h.test");
	zone_line("h.test A 192.0.2.1");
	request("192.0.2.1", "user@d.test");
	req.want_trace = 1;
	evaluate(MEMDNS_ALL);
	for (e = v.trace; e != NULL; e = e->next)
		n += (size_t)snprintf(seen + n, sizeof(seen) - n, "%d.%d%s%u ",
		    e->depth, e->kind, e->matched ? "+" : "-", e->lookups);
	check_str("trace", seen,
	    "0.3-0 0.1-0 0.2-0 0.2+2 1.3-1 1.1-1 1.2+2 1.3-2 1.4-2 0.4-2 ");
	check_str("matched-is-of-the-record-asked-for", v.matched,
	    "include:i.test");

	memdns_clear(dns);
	zone_line("v=spf1 a:h.test a:n.test -all");
	zone_line("h.test AAAA 2001:db8::1");
	zone_line("n.test TXT -");
	req.void_any = 1;
	evaluate(MEMDNS_ALL);
	for (n = 0, e = v.trace; e != NULL; e = e->next)
		if (e->kind == SPF_EV_LOOKUP)
			n += (size_t)snprintf(seen + n, sizeof(seen) - n,
			    "%s%u.%d%+d ", e->domain, e->type, e->other_family,
			    (int)e->voids);
	check_str("trace-other-family", seen,
	    "d.test16.0+0 h.test1.0+0 h.test28.1+0 n.test1.0+0 n.test28.1+1 ");
}

static void
test_arena(void)
{
	struct spf_verdict w;
	struct arena *small;
	unsigned int i;
	int bad = 0, seen = 0;

	memdns_clear(dns);
	zone_line("v=spf1 include:i.test -all exp=e.test");
	zone_line("i.test TXT v=spf1 a:h.test");
	zone_line("e.test TXT why %{i}");
	request("192.0.2.1", "user@d.test");
	req.want_trace = 1;
	evaluate(MEMDNS_ALL);
	result_is("whole-arena-is-fail", FAIL);
	for (i = 0; i < 4000; i += 16) {
		if ((small = arena_new(i)) == NULL)
			err(1, NULL);
		memdns_check(dns, &req, MEMDNS_ALL, answers, small, &w, &run);
		seen |= w.result == PERM;
		bad |= w.result != PERM && !memdns_same(&v, &w);
		arena_free(small);
	}
	check("small-arena-is-permerror", seen);
	check("small-arena-is-nothing-else", !bad);
}

static void
test_mapped(void)
{
	memdns_clear(dns);
	zone_line("v=spf1 exists:%{i}.%{v}.test -all");
	zone_line("192.0.2.1.in-addr.test A 127.0.0.2");
	request("::ffff:192.0.2.1", "user@d.test");
	evaluate(MEMDNS_ALL);
	result_is("mapped-client-in-macros", PASS);
	req.local = "";
	zone_line("p.test TXT v=spf1 exists:%{l}.p.test -all");
	zone_line("postmaster.p.test A 127.0.0.2");
	req.domain = "p.test";
	evaluate(MEMDNS_ALL);
	result_is("empty-local-part-is-postmaster", PASS);
	req.void_limit = 0;
	req.domain = "nothing.test";
	evaluate(MEMDNS_ALL);
	result_is("first-lookup-is-not-void", NONE);
	check_int("first-lookup-counts-no-void", v.voids, 0);
}

int
main(void)
{
	size_t i;

	answers = answers_new();
	arena[0] = arena_new(1UL << 20);
	arena[1] = arena_new(1UL << 20);
	dns = memdns_new();
	if (answers == NULL || arena[0] == NULL || arena[1] == NULL)
		return 1;
	for (i = 0; i < NITEMS(cases); i++)
		test_case(&cases[i]);
	test_octets();
	test_rounds();
	test_void_any();
	test_bomb();
	test_large();
	test_trace();
	test_arena();
	test_mapped();
	memdns_free(dns);
	answers_free(answers);
	arena_free(arena[0]);
	arena_free(arena[1]);
	return check_exit();
}
