/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Cases of the engine beyond the public suites. */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "regress/suite/memdns.h"
#include "regress/unit/check.h"

#define ORDERS 8
#define ZONE   40

/*
 * Zone lines: "OWNER TYPE DATA"; DATA "!TIMEOUT" or "!TEMPERROR" is that
 * status. The request is ip, sender "local@domain", helo "helo.test"; the
 * verdict's explanation is compared when it is not NULL here ("-": none).
 */
struct test {
	const char *name;
	const char *ip, *sender, *helo;
	enum spf_result result;
	const char *reason, *explanation;
	const char *zone[ZONE];
};

#define PASS	SPF_RESULT_PASS
#define FAIL	SPF_RESULT_FAIL
#define SOFT	SPF_RESULT_SOFTFAIL
#define NEUTRAL SPF_RESULT_NEUTRAL
#define NONE	SPF_RESULT_NONE
#define TEMP	SPF_RESULT_TEMPERROR
#define PERM	SPF_RESULT_PERMERROR

#include "regress/unit/engine_cases.h"

static struct answers *answers;
static struct arena *arena[2];
static struct memdns *dns;

static void
zone_line(const char *line)
{
	static const struct {
		const char *name;
		uint16_t type;
	} types[] = { { "TXT", DNS_T_TXT }, { "MX", DNS_T_MX },
		{ "PTR", DNS_T_PTR }, { "CNAME", DNS_T_CNAME },
		{ "A", DNS_T_A }, { "AAAA", DNS_T_AAAA } };
	size_t i, n = strcspn(line, " "), tn = strcspn(line + n + 1, " ");
	const char *type = line + n + 1, *data = type + tn + 1;

	for (i = 0; i < NITEMS(types); i++)
		if (strlen(types[i].name) == tn &&
		    strncmp(types[i].name, type, tn) == 0)
			break;
	if (i == NITEMS(types))
		errx(1, "bad zone line: %s", line);
	if (data[0] == '!')
		memdns_fail(dns, line, n, types[i].type,
		    strcmp(data, "!TIMEOUT") == 0 ? DNS_TIMEOUT :
						    DNS_TEMPERROR);
	else if (types[i].type == DNS_T_A || types[i].type == DNS_T_AAAA) {
		char owner[256];

		snprintf(owner, sizeof(owner), "%.*s", (int)n, line);
		memdns_addr(dns, owner, data);
	} else
		memdns_add(dns, line, n, types[i].type, data, strlen(data), 0);
}

static void
request(struct spf_request *req, const char *ip, const char *sender,
    const char *helo)
{
	static char local[1024];
	const char *at = strrchr(sender, '@');

	memset(req, 0, sizeof(*req));
	if (addr_parse(&req->client, ip, strlen(ip)) == -1)
		errx(1, "bad address %s", ip);
	if (at == NULL)
		errx(1, "bad sender %s", sender);
	snprintf(local, sizeof(local), "%.*s", (int)(at - sender), sender);
	req->local = local;
	req->domain = at + 1;
	req->helo = helo == NULL ? "helo.test" : helo;
	req->void_limit = 2;
	req->now = 1700000000;
}

static void
test_case(const struct test *t)
{
	struct spf_request req;
	struct spf_verdict v, w;
	struct memdns_run run;
	unsigned int order;
	size_t i;
	int ok;

	memdns_clear(dns);
	for (i = 0; i < ZONE && t->zone[i] != NULL; i++)
		zone_line(t->zone[i]);
	request(&req, t->ip == NULL ? "192.0.2.1" : t->ip,
	    t->sender == NULL ? "user@d.test" : t->sender, t->helo);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	ok = !run.stuck && v.result == t->result &&
	    (t->reason == NULL || strcmp(t->reason, v.reason) == 0) &&
	    (t->explanation == NULL ||
		strcmp(t->explanation,
		    v.explanation == NULL ? "-" : v.explanation) == 0);
	for (order = MEMDNS_NEEDED; ok && order < ORDERS; order++) {
		memdns_check(dns, &req, order, answers, arena[1], &w, &run);
		ok = !run.stuck && memdns_same(&v, &w);
	}
	check(t->name, ok, "%s (%s) %s, %u lookups, %u voids",
	    spf_result_name[v.result], v.reason,
	    v.explanation == NULL ? "-" : v.explanation, v.lookups, v.voids);
}

/* A record that a zone line cannot hold. */
static void
octets(const char *name, const char *rec, size_t len, enum spf_result want,
    const char *reason)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;

	memdns_clear(dns);
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, len, 0);
	request(&req, "192.0.2.1", "user@d.test", NULL);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check(name,
	    v.result == want &&
		(reason == NULL || strcmp(reason, v.reason) == 0),
	    "%s (%s)", spf_result_name[v.result], v.reason);
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

/* The number of rounds of questions. */
static unsigned int
rounds(const char *sender, unsigned int *questions)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;

	request(&req, "192.0.2.1", sender, NULL);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	if (questions != NULL)
		*questions = run.questions;
	return run.stuck || v.result != PASS ? 999 : run.rounds;
}

static void
test_rounds(void)
{
	char rec[512] = "v=spf1", name[32];
	unsigned int i, q;
	size_t n = 6;

	memdns_clear(dns);
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "i%u.test", i);
		n += (size_t)snprintf(rec + n, sizeof(rec) - n, " include:%s",
		    name);
		memdns_txt(dns, name,
		    i < 7 ? "v=spf1 ip4:10.0.0.1 -all" :
			    "v=spf1 a:last.test -all");
	}
	memdns_txt(dns, "d.test", rec);
	memdns_addr(dns, "last.test", "192.0.2.1");
	i = rounds("user@d.test", NULL);
	check_int("eight-includes-in-three-rounds", i, 3);

	zone_line(
	    "e.test TXT v=spf1 ip4:10.0.0.1 a:h1.test mx:d.test "
	    "exists:%{i}.x.test include:i0.test ip4:192.0.2.0/24 a:late.test");
	zone_line("h1.test A 10.0.0.1");
	i = rounds("user@e.test", &q);
	check("all-literals-at-once", i == 2 && q == 5,
	    "%u rounds, %u questions", i, q);

	zone_line("f.test TXT v=spf1 ip4:192.0.2.1 include:i0.test a mx");
	i = rounds("user@f.test", &q);
	check("nothing-asked-behind-a-match", i == 1 && q == 1,
	    "%u rounds, %u questions", i, q);

	zone_line("g.test TXT v=spf1 a:h1.test redirect=g2.test");
	zone_line("g2.test TXT v=spf1 ip4:192.0.2.1");
	i = rounds("user@g.test", &q);
	check("redirect-asked-ahead", i == 2 && q == 3,
	    "%u rounds, %u questions", i, q);

	zone_line("m.test TXT v=spf1 mx -all");
	for (i = 0; i < 10; i++) {
		snprintf(rec, sizeof(rec), "m.test MX mx%u.test", i);
		zone_line(rec);
		snprintf(rec, sizeof(rec), "mx%u.test A 192.0.2.%u", i, 10 - i);
		zone_line(rec);
	}
	i = rounds("user@m.test", &q);
	check("mx-hosts-at-once", i == 3 && q == 12, "%u rounds, %u questions",
	    i, q);
}

/* Each include has eleven more: evaluation must end after ten. */
static void
test_bomb(void)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;
	char rec[512], name[64];
	unsigned int i, j, k;
	size_t n;

	memdns_clear(dns);
	for (i = 0; i < 6; i++)
		for (j = 0; j < 11; j++) {
			n = (size_t)snprintf(rec, sizeof(rec), "v=spf1");
			for (k = 0; k < 11; k++)
				n += (size_t)snprintf(rec + n, sizeof(rec) - n,
				    " include:l%u-%u.test", i + 1, k);
			snprintf(name, sizeof(name), "l%u-%u.test", i, j);
			memdns_txt(dns, name, rec);
		}
	for (j = 0; j < 11; j++) {
		snprintf(name, sizeof(name), "l6-%u.test", j);
		memdns_txt(dns, name, "v=spf1 ip4:10.0.0.1");
	}
	request(&req, "192.0.2.1", "user@l0-0.test", NULL);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("include-bomb-permerror",
	    !run.stuck && v.result == PERM && v.lookups == 10, "%s, %u lookups",
	    spf_result_name[v.result], v.lookups);
	check("include-bomb-questions", run.questions <= 80 && run.rounds <= 12,
	    "%u questions, %u rounds", run.questions, run.rounds);
	memdns_check(dns, &req, MEMDNS_NEEDED, answers, arena[0], &v, &run);
	check_int("include-bomb-needs-eleven", run.questions, 11);
}

static int
too_many(const struct spf_verdict *v)
{
	return v->result == PERM &&
	    strcmp(v->reason, "SPF Permanent Error: Too many macros") == 0;
}

/* A record of the largest size with long expansions. */
static void
test_large(void)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;
	size_t n, max = 64000;
	char *rec, *local;

	if ((rec = malloc(max + 32)) == NULL || (local = malloc(max)) == NULL)
		err(1, NULL);
	memdns_clear(dns);
	n = (size_t)sprintf(rec, "v=spf1 exists:");
	while (n < max)
		n += (size_t)sprintf(rec + n, "%%{l}");
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, n, 0);
	memset(local, 'x', max - 1);
	local[max - 1] = '\0';
	request(&req, "192.0.2.1", "user@d.test", NULL);
	req.local = local;
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("macro-work-is-bounded", too_many(&v), "%s (%s)",
	    spf_result_name[v.result], v.reason);

	/* Without the limit a run of these takes 150 and 80 milliseconds. */
	memdns_clear(dns);
	n = (size_t)sprintf(rec, "v=spf1 exists:");
	while (n < 8000)
		n += (size_t)sprintf(rec + n, "%%{L}");
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, n, 0);
	memset(local, '!', 1900);
	local[1900] = '\0';
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("macro-work-of-a-long-sender", too_many(&v), "%s (%s)",
	    spf_result_name[v.result], v.reason);
	memdns_clear(dns);
	memdns_add(dns, "1.2.0.192.in-addr.arpa", 22, DNS_T_PTR, "p.d.test", 8,
	    0);
	memdns_addr(dns, "p.d.test", "192.0.2.1");
	n = (size_t)sprintf(rec, "v=spf1 exists:");
	while (n < 8000)
		n += (size_t)sprintf(rec + n, "%%{p}");
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, n, 0);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("macro-work-of-names", too_many(&v), "%s (%s)",
	    spf_result_name[v.result], v.reason);

	memdns_clear(dns);
	n = (size_t)sprintf(rec, "v=spf1");
	while (n < max)
		n += (size_t)sprintf(rec + n, " ip4:10.0.0.1");
	n += (size_t)sprintf(rec + n, " -all");
	memdns_add(dns, "d.test", 6, DNS_T_TXT, rec, n, 0);
	req.local = "user";
	req.want_trace = 1;
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("many-terms-none-lost", v.result == FAIL && v.trace != NULL,
	    "%s (%s)", spf_result_name[v.result], v.reason);
	free(rec);
	free(local);
}

static void
test_trace(void)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;
	struct spf_event *e;
	char seen[512] = "";
	size_t n = 0;

	memdns_clear(dns);
	zone_line("d.test TXT v=spf1 ?ip4:10.0.0.1 include:i.test -all");
	zone_line("i.test TXT v=spf1 a:h.test");
	zone_line("h.test A 192.0.2.1");
	request(&req, "192.0.2.1", "user@d.test", NULL);
	req.want_trace = 1;
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	for (e = v.trace; e != NULL; e = e->next)
		n += (size_t)snprintf(seen + n, sizeof(seen) - n, "%d.%d%s%u ",
		    e->depth, e->kind, e->matched ? "+" : "-", e->lookups);
	check_str("trace", seen,
	    "0.3-0 0.1-0 0.2-0 0.2+2 1.3-1 1.1-1 "
	    "1.2+2 1.3-2 1.4-2 0.4-2 ");
	check("matched-is-of-the-record-asked-for",
	    v.matched != NULL && strcmp(v.matched, "include:i.test") == 0, "%s",
	    v.matched);
}

static void
test_arena(void)
{
	struct spf_request req;
	struct spf_verdict v, w;
	struct memdns_run run;
	struct arena *small;
	unsigned int i;
	int bad = 0, seen = 0;

	memdns_clear(dns);
	zone_line("d.test TXT v=spf1 include:i.test -all exp=e.test");
	zone_line("i.test TXT v=spf1 a:h.test");
	zone_line("e.test TXT why %{i}");
	request(&req, "192.0.2.1", "user@d.test", NULL);
	req.want_trace = 1;
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	for (i = 0; i < 4000; i += 16) {
		if ((small = arena_new(i)) == NULL)
			err(1, NULL);
		memdns_check(dns, &req, MEMDNS_ALL, answers, small, &w, &run);
		if (w.result == PERM)
			seen = 1;
		else if (!memdns_same(&v, &w))
			bad = 1;
		arena_free(small);
	}
	check("small-arena-is-permerror", seen && !bad && v.result == FAIL,
	    "%d %d", seen, bad);
}

static void
test_mapped(void)
{
	struct spf_request req;
	struct spf_verdict v;
	struct memdns_run run;

	memdns_clear(dns);
	zone_line("d.test TXT v=spf1 exists:%{i}.%{v}.test -all");
	zone_line("192.0.2.1.in-addr.test A 127.0.0.2");
	request(&req, "::ffff:192.0.2.1", "user@d.test", NULL);
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check_int("mapped-client-in-macros", v.result, PASS);
	req.local = "";
	zone_line("p.test TXT v=spf1 exists:%{l}.p.test -all");
	zone_line("postmaster.p.test A 127.0.0.2");
	req.domain = "p.test";
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check_int("empty-local-part-is-postmaster", v.result, PASS);
	req.void_limit = 0;
	req.domain = "nothing.test";
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	check("first-lookup-is-not-void", v.result == NONE && v.voids == 0,
	    "%s", spf_result_name[v.result]);
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
