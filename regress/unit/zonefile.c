/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include "unpriv/spfctl/zonefile.h"
#include "proto/addr.h"
#include "regress/unit/check.h"
#include "regress/unit/zonefile_cases.h"

static char got[2048], error[200];

/* The answer as text: "ok 300 a,b", "nxdomain", "dns", "dns other.test". */
static const char *
answer(struct zonefile *z, uint16_t type, const char *name)
{
	char alias[DNAME_MAX + 1], addr[ADDR_STRLEN], part[600];
	struct dns_answer a;
	struct addr ip;
	size_t i;

	if (!zonefile_answer(z, type, name, strlen(name), &a, alias)) {
		snprintf(got, sizeof(got), "dns%s%s",
		    alias[0] != '\0' ? " " : "", alias);
		return got;
	}
	if (a.status != DNS_OK)
		return dns_status_name[a.status];
	snprintf(got, sizeof(got), "ok %u", a.ttl);
	for (i = 0; i < a.nrr; i++) {
		memset(&ip, 0, sizeof(ip));
		ip.family = type == DNS_T_AAAA ? 6 : 4;
		if (type == DNS_T_A || type == DNS_T_AAAA) {
			memcpy(ip.b, a.rr[i].data, a.rr[i].len);
			snprintf(part, sizeof(part), " %s",
			    addr_format(&ip, addr, sizeof(addr)));
		} else if (type == DNS_T_MX)
			snprintf(part, sizeof(part), " %u/%.*s",
			    (unsigned int)a.rr[i].aux, a.rr[i].len,
			    (const char *)a.rr[i].data);
		else
			snprintf(part, sizeof(part), " [%.*s]", a.rr[i].len,
			    (const char *)a.rr[i].data);
		strlcat(got, part, sizeof(got));
	}
	return got;
}

static const char zone[] =
    "; a zone as BIND has it\n"
    "$ORIGIN .\n"
    "$TTL 1h\n"
    "example.test IN SOA ns.example.test. root.example.test. (\n"
    "	1 ; serial\n"
    "	2 3 4 5 )\n"
    "		NS	ns.example.test.\n"
    "$ORIGIN example.test.\n"
    "@	300 IN	TXT	\"v=spf1 a \" \"mx -all\"\n"
    "	IN 60	MX	10 Mail\n"
    "	MX	20 mail.other.test.\n"
    "	MX	0 .\n"
    "mail	A	192.0.2.1 ; one\n"
    "	A	192.0.2.2\n"
    "	AAAA	2001:db8::1\n"
    "esc	TXT	\"a\\\"b\\\\c\\065\\;\" plain\n"
    "multi	TXT	( \"one \"\n"
    "	; in between\n"
    "		\"two\" )\n"
    "alias	120 CNAME mail\n"
    "out	CNAME	www.other.test.\n"
    "loop	CNAME	loop2\n"
    "loop2	CNAME	loop\n"
    "dead	CNAME	nothing\n"
    "*.wild	TXT	\"any\"\n"
    "x.y.deep	A	192.0.2.9\n"
    "sub	NS	ns.sub\n"
    "ns.sub	A	192.0.2.10\n"
    "srv	SRV	1 2 3 mail\n"
    "typ	TYPE4711 \\# 1 00\n"
    "1.2.0.192.in-addr.arpa. PTR mail\n"
    "m\303\274ller A 192.0.2.11\n"
    "old	SPF	\"v=spf1 -all\"\n";

/* Lines without an origin override DNS. */
static const char plain[] = "# a remark\n"
			    "example.test TXT \"v=spf1 mx -all\"\n"
			    "mail.example.test. A 192.0.2.1\n"
			    "*.many.test A 192.0.2.3\n"
			    "alias.test CNAME mail.example.test\n";

static struct zonefile *
parse(const char *text, size_t len, const char *origin)
{
	return zonefile_parse(text, len, origin, error, sizeof(error));
}

static void
test_answers(struct zonefile *z, const struct question *q, size_t n)
{
	char qname[64];

	for (; z != NULL && n > 0; q++, n--) {
		strlcpy(qname, q->qname, sizeof(qname));
		if (qname[strlen(qname) - 1] == '.')
			qname[strlen(qname) - 1] = '\0';
		else if (strcmp(qname, "@") == 0)
			strlcpy(qname, "example.test", sizeof(qname));
		else
			strlcat(qname, ".example.test", sizeof(qname));
		check_str(q->name, answer(z, q->type, qname), q->want);
	}
	zonefile_free(z);
}

static void
test_origin(void)
{
	struct zonefile *z = parse("@ A 192.0.2.1\n", 14, "origin.test");

	check_str("origin-given",
	    z == NULL ? error : answer(z, DNS_T_A, "origin.test"),
	    "ok 3600 192.0.2.1");
	check_str("origin-is-an-apex",
	    z == NULL ? error : answer(z, DNS_T_A, "x.origin.test"),
	    "nxdomain");
	zonefile_free(z);
	check("origin-wrong", parse("", 0, "a..b") == NULL);
}

static void
test_errors(void)
{
	struct zonefile *z;
	size_t i;

	for (i = 0; i < NITEMS(errors); i++) {
		z = parse(errors[i].text, strlen(errors[i].text), NULL);
		check_int(check_name("%s-refused", errors[i].name), z == NULL,
		    errors[i].line != 0);
		check_str(errors[i].name, error,
		    errors[i].line == 0 ? "" :
					  check_name("line %d: %s",
					      errors[i].line, errors[i].why));
		zonefile_free(z);
	}
}

static void
test_notes(void)
{
	static const struct {
		const char *name, *want;
	} t[] = {
		{ "note-long-string", "1 long-string a.test" },
		{ "note-unquoted", "2 unquoted b.test" },
		{ "note-type-spf", "3 spf-type c.test" },
		{ "note-cname", "5 cname d.test" },
		{ "notes-end", "none" },
	};
	const struct zonefile_note *n;
	struct zonefile *z;
	char text[1024];
	size_t i;

	snprintf(text, sizeof(text),
	    "a.test TXT \"%0300d\"\n"
	    "b.test TXT v=spf1 -all\n"
	    "c.test SPF \"v=spf1 -all\"\n"
	    "d.test CNAME a.test\nd.test A 192.0.2.1\n",
	    0);
	z = parse(text, strlen(text), NULL);
	for (i = 0; z != NULL && i < NITEMS(t); i++) {
		n = zonefile_note_at(z, i);
		snprintf(got, sizeof(got), "none");
		if (n != NULL)
			snprintf(got, sizeof(got), "%u %s %s",
			    (unsigned int)n->line, n->code, n->owner);
		check_str(t[i].name, got, t[i].want);
	}
	zonefile_free(z);
}

/* Many blank lines, a NUL, and more text than is allowed. */
static void
test_sizes(void)
{
	size_t n = 4UL << 20;
	struct zonefile *z;
	char *big;

	if ((big = malloc(n)) == NULL)
		return;
	memset(big, '\n', n);
	z = parse(big, n, NULL);
	check("many-blank-lines", z != NULL, "%s", error);
	zonefile_free(z);
	big[100] = '\0';
	check("nul", parse(big, n, NULL) == NULL);
	check_str("nul-line", error, "line 101: the file contains a NUL");
	check("too-large", parse(big, ZONEFILE_MAX + 1, NULL) == NULL);
	check_has("too-large-why", error, "too large");
	free(big);
}

int
main(void)
{
	struct zonefile *z;

	z = parse(zone, sizeof(zone) - 1, NULL);
	check("zone-is-read", z != NULL, "%s", error);
	test_answers(z, answers, NITEMS(answers));
	z = parse(plain, sizeof(plain) - 1, NULL);
	check("plain-is-read", z != NULL, "%s", error);
	test_answers(z, overlay, NITEMS(overlay));
	test_origin();
	test_errors();
	test_notes();
	test_sizes();
	return check_exit();
}
