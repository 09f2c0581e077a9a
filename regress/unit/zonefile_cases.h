/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Questions to zone files, and files with errors. */

/* clang-format off */
/* A name with a final dot is whole, others are below example.test. */
struct question {
	const char	*name;
	uint16_t	 type;
	const char	*qname;
	const char	*want;
};

static const struct question answers[] = {
	{ "strings-are-joined", DNS_T_TXT, "@", "ok 300 [v=spf1 a mx -all]" },
	{ "names-in-data", DNS_T_MX, "@", "ok 60 10/mail.example.test 20/mail.other.test 0/" },
	{ "owner-left-out", DNS_T_A, "mail", "ok 3600 192.0.2.1 192.0.2.2" },
	{ "case-does-not-matter", DNS_T_AAAA, "MAIL.Example.TEST.", "ok 3600 2001:db8::1" },
	{ "escapes", DNS_T_TXT, "esc", "ok 3600 [a\"b\\cA;plain]" },
	{ "parentheses", DNS_T_TXT, "multi", "ok 3600 [one two]" },
	{ "cname", DNS_T_A, "alias", "ok 120 192.0.2.1 192.0.2.2" },
	{ "cname-out-of-the-zone", DNS_T_A, "out", "dns www.other.test" },
	{ "cname-loop", DNS_T_A, "loop", "temperror" },
	{ "cname-to-nothing", DNS_T_A, "dead", "nxdomain" },
	{ "wildcard", DNS_T_TXT, "a.b.wild", "ok 3600 [any]" },
	{ "wildcard-other-type", DNS_T_A, "a.wild", "nodata" },
	{ "wildcard-not-itself", DNS_T_TXT, "wild", "nodata" },
	{ "empty-non-terminal", DNS_T_A, "y.deep", "nodata" },
	{ "no-such-name", DNS_T_A, "nope", "nxdomain" },
	{ "no-such-type", DNS_T_MX, "mail", "nodata" },
	{ "outside", DNS_T_A, "other.test.", "dns" },
	{ "not-below-by-letters", DNS_T_A, "xexample.test.", "dns" },
	{ "delegated", DNS_T_A, "ns.sub", "dns" },
	{ "type-without-meaning", DNS_T_A, "srv", "nodata" },
	{ "unknown-type", DNS_T_A, "typ", "nodata" },
	{ "beside-the-zone", DNS_T_PTR, "1.2.0.192.in-addr.arpa.", "ok 3600 [mail.example.test]" },
	{ "u-labels", DNS_T_A, "xn--mller-kva", "ok 3600 192.0.2.11" },
	{ "type-spf-is-not-txt", DNS_T_TXT, "old", "nodata" },
};

/* Of lines without an origin. */
static const struct question overlay[] = {
	{ "plain-record", DNS_T_TXT, "@", "ok 3600 [v=spf1 mx -all]" },
	{ "plain-other-type-is-of-dns", DNS_T_MX, "@", "dns" },
	{ "plain-other-name-is-of-dns", DNS_T_A, "www", "dns" },
	{ "plain-above-is-of-dns", DNS_T_A, "test.", "dns" },
	{ "plain-final-dot", DNS_T_A, "mail", "ok 3600 192.0.2.1" },
	{ "plain-wildcard", DNS_T_A, "x.many.test.", "ok 3600 192.0.2.3" },
	{ "plain-cname", DNS_T_A, "alias.test.", "ok 3600 192.0.2.1" },
	{ "plain-cname-other-type", DNS_T_MX, "alias.test.", "dns mail.example.test" },
};

static const struct {
	const char	*name;
	const char	*text;
	int		 line;		/* 0: no error */
	const char	*why;
} errors[] = {
	{ "empty-file", "", 0, "" },
	{ "no-newline-at-the-end", "a.test A 192.0.2.1", 0, "" },
	{ "crlf", "a.test A 192.0.2.1\r\nb.test A 192.0.2.2\r\n", 0, "" },
	{ "string-open", "a.test TXT \"x\nb.test A 192.0.2.1\n", 1, "the string has no closing quote" },
	{ "paren-open", "a.test TXT ( \"x\"\n\n", 1, "( without )" },
	{ "paren-close", "\n\na.test TXT \"x\" )\n", 3, ") without (" },
	{ "no-type", "a.test IN 300\n", 1, "no type" },
	{ "unknown-word", "a.test FOO x\n", 1, "\"FOO\" is not a known type" },
	{ "no-owner", " A 192.0.2.1\n", 1, "the first record has no name" },
	{ "at-without-origin", "@ A 192.0.2.1\n", 1, "@ without $ORIGIN (--origin NAME)" },
	{ "no-address", "a.test A 2001:db8::1\n", 1, "not an address of type A" },
	{ "no-address6", "a.test AAAA 192.0.2.1\n", 1, "not an address of type AAAA" },
	{ "mx-without-preference", "a.test MX mail.test\n", 1, "wrong number of words" },
	{ "mx-preference-too-large", "a.test MX 65536 mail.test\n", 1, "not a preference" },
	{ "class", "a.test CH TXT \"x\"\n", 1, "only class IN is supported" },
	{ "include", "$INCLUDE /etc/passwd\n", 1, "$INCLUDE is not supported" },
	{ "origin-without-name", "$ORIGIN\n", 1, "$ORIGIN without a name" },
	{ "empty-label", "a..test A 192.0.2.1\n", 1, "\"a..test\" is not a domain name" },
	{ "dot-in-label", "a\\.b.test A 192.0.2.1\n", 1, "a dot or NUL inside a label" },
	{ "two-cnames", "a.test CNAME b.test\na.test CNAME c.test\n", 2, "two CNAME records for one name" },
	{ "txt-empty", "a.test TXT\n", 1, "TXT without a string" },
	{ "line-after-parens", "a.test TXT ( \"x\"\n \"y\" )\nb.test FOO\n", 3, "\"FOO\" is not a known type" },
	{ "ttl-units", "a.test 1h30m IN A 192.0.2.1\n", 0, "" },
	{ "ttl-too-large", "a.test 99999999999 A 192.0.2.1\n", 1, "\"99999999999\" is not a known type" },
};
