/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzz target: a request and records, evaluated in several orders. */

#include "regress/fuzz/fuzz.h"
#include "regress/suite/memdns.h"

/*
 * The input is lines. The first: an octet for the client (see clients), one for
 * the void limit and Void_Family, then the local part. The second: HELO. The
 * third: the domain. Each that follows: an octet for the owner, one for the
 * kind, then data.
 */
#define MAX_LINES  64
#define MAX_NEEDED 250 /* 1 + 10 * (1 + 2 * 10) + exp: 1 + 11, + slack */

static struct answers *answers;
static struct arena *arena[2];
static struct memdns *dns;

static const char *const clients[] = { "192.0.2.1", "2001:db8::1",
	"::ffff:192.0.2.1", "0.0.0.0" };
static const char *const owners[] = { "d.test", "a.test", "b.test", "c.test",
	"e.test", "sub.d.test", "1.2.0.192.in-addr.arpa",
	("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	 "ip6.arpa"),
	"x.a.test", "192.0.2.1.d.test" };

#define DIE(...)                              \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		abort();                      \
	} while (0)

/* The kinds of records: an address, a name of the table, or as given. */
static const struct {
	uint16_t type;
	enum {
		ADDRESS,
		NAME,
		GIVEN
	} data;
} kinds[] = {
	{ DNS_T_A, ADDRESS },
	{ DNS_T_AAAA, ADDRESS },
	{ DNS_T_MX, NAME },
	{ DNS_T_PTR, NAME },
	{ DNS_T_CNAME, NAME },
	{ 0, GIVEN }, /* a timeout */
	{ DNS_T_PTR, GIVEN },
	{ DNS_T_MX, GIVEN },
	{ DNS_T_TXT, GIVEN },
	{ DNS_T_TXT, GIVEN },
};

static void
record(const char *s, size_t len)
{
	static const uint8_t addr[16] = { 192, 0, 2, 1 };
	const char *owner = owners[(uint8_t)s[0] % NITEMS(owners)], *name;
	size_t n = strlen(owner), kind = (uint8_t)s[1] % NITEMS(kinds);
	uint16_t type = kinds[kind].type;

	name = len > 2 ? owners[(uint8_t)s[2] % NITEMS(owners)] : "";
	if (type == 0)
		memdns_fail(dns, owner, n, 0, DNS_TIMEOUT);
	else if (kinds[kind].data == ADDRESS)
		memdns_add(dns, owner, n, type, addr, type == DNS_T_A ? 4 : 16,
		    0);
	else if (kinds[kind].data == NAME)
		memdns_add(dns, owner, n, type, name, strlen(name), 0);
	else
		memdns_add(dns, owner, n, type, s + 2, len - 2, 0);
}

static void
text_ok(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (*s < 0x20 || *s >= 0x7f)
			DIE("unprintable explanation\n");
}

static void
judge(struct spf_request *req)
{
	struct spf_verdict v, w;
	struct memdns_run run;
	unsigned int order;

	memdns_check(dns, req, MEMDNS_NEEDED, answers, arena[0], &v, &run);
	if (run.stuck || run.rounds > MAX_NEEDED)
		DIE("needed: stuck %d, %u rounds\n", run.stuck, run.rounds);
	if (v.result >= SPF_RESULT_MAX || v.reason == NULL ||
	    v.lookups > SPF_MAX_TERMS || v.voids > req->void_limit + 1)
		DIE("verdict %d, %u lookups, %u voids\n", v.result, v.lookups,
		    v.voids);
	if (v.explanation != NULL && v.result != SPF_RESULT_FAIL &&
	    v.result != SPF_RESULT_SOFTFAIL)
		DIE("explanation of %d\n", v.result);
	text_ok(v.explanation);
	for (order = MEMDNS_ALL; order < 5; order += order == 0 ? 2 : 1) {
		req->want_trace = order == 3;
		memdns_check(dns, req, order, answers, arena[1], &w, &run);
		if (run.stuck || !memdns_same(&v, &w))
			DIE("order %u: %d %s, was %d %s\n", order, w.result,
			    w.reason, v.result, v.reason);
		if (order == MEMDNS_ALL && run.rounds > 40)
			DIE("%u rounds\n", run.rounds);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spf_request req = { .local = "user",
		.helo = "",
		.void_limit = 2 };
	const uint8_t *p = data, *end = data + size, *q;
	char *text[3] = { NULL, NULL, NULL }, *line;
	const char *ip = clients[0];
	size_t n;
	int i;

	if (answers == NULL) {
		answers = answers_new();
		arena[0] = arena_new(1UL << 20);
		arena[1] = arena_new(1UL << 20);
		dns = memdns_new();
	}
	memdns_clear(dns);
	for (i = 0; i < MAX_LINES && p < end; i++, p = q + (q < end)) {
		if ((q = memchr(p, '\n', (size_t)(end - p))) == NULL)
			q = end;
		n = (size_t)(q - p);
		if ((line = malloc(n + 1)) == NULL)
			abort();
		memcpy(line, p, n);
		line[n] = '\0';
		if (i < 3)
			text[i] = line;
		else {
			if (n >= 2)
				record(line, n);
			free(line);
		}
	}
	if (text[0] != NULL && strlen(text[0]) >= 2) {
		ip = clients[(uint8_t)text[0][0] % NITEMS(clients)];
		req.void_limit = (uint8_t)text[0][1] % 8;
		req.void_any = (uint8_t)text[0][1] / 8 % 2;
		req.local = text[0] + 2;
	}
	(void)addr_parse(&req.client, ip, strlen(ip));
	req.helo = text[1];
	req.domain = text[2] == NULL || text[2][0] == '\0' ? "d.test" : text[2];
	judge(&req);
	for (i = 0; i < 3; i++)
		free(text[i]);
	return 0;
}
