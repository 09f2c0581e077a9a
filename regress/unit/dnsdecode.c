/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include <stdlib.h>
#include <string.h>

#include "dns/decode.h"
#include "regress/unit/check.h"

#define QNAME	12	     /* offset of the question's name */
#define PTR(n)	"\xc0" n     /* compression pointer */
#define EX_TEST "\2ex\4test" /* the NUL is its root label */

static uint8_t pkt[70000];
static size_t plen;
static struct dns_answer ans;
static struct dns_rr rrs[DNSMSG_MAXRR + 8];
static uint8_t buf[65536];
static size_t bufsize = sizeof(buf), maxrr = DNSMSG_MAXRR;

static void
put(const void *p, size_t n)
{
	memcpy(pkt + plen, p, n);
	plen += n;
}

static void
put16(unsigned int v)
{
	uint8_t b[2] = { v >> 8, v & 0xff };

	put(b, 2);
}

/* A message with one question; add() sets the counts of its sections. */
static void
begin(unsigned int flags, const char *qname, size_t n, uint16_t qtype)
{
	plen = 0;
	put16(0x1234);
	put16(flags);
	put16(1);
	put16(0);
	put16(0);
	put16(0);
	put(qname, n);
	put16(qtype);
	put16(1);
}

static void
add(int section, const char *owner, size_t on, uint16_t type, uint32_t ttl,
    const void *data, size_t dn)
{
	size_t at = 6 + (size_t)section * 2;

	if (++pkt[at + 1] == 0)
		pkt[at]++;
	put(owner, on);
	put16(type);
	put16(1);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16((unsigned int)dn);
	put(data, dn);
}

#define BEGIN(flags, qname, type) begin(flags, qname, sizeof(qname), type)
#define ADD(owner, type, ttl, data) \
	add(0, owner, sizeof(owner) - 1, type, ttl, data, sizeof(data) - 1)
#define ADDN(owner, type, ttl, data) /* data ends with the root label */ \
	add(0, owner, sizeof(owner) - 1, type, ttl, data, sizeof(data))
#define OK 0x8180

/* Decodes a heap block of that size, so that sanitizers detect overruns. */
static enum dns_decoded
decode(uint16_t type)
{
	static uint8_t *copy;
	enum dns_decoded rv;

	free(copy);
	copy = malloc(plen == 0 ? 1 : plen);
	memcpy(copy, pkt, plen);
	memset(&ans, 0xee, sizeof(ans));
	rv = dns_decode(copy, plen, type, &ans, rrs, maxrr, buf, bufsize);
	return rv;
}

static int
is(size_t i, const char *data, size_t len)
{
	return rrs[i].len == len && memcmp(rrs[i].data, data, len) == 0;
}
#define IS(i, s) is(i, s, sizeof(s) - 1)

static void
test_types(void)
{
	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), DNS_T_A, 300, "\xc0\0\2\1");
	ADD(PTR("\x0c"), DNS_T_A, 200, "\xc0\0\2\2");
	check("decode-a",
	    decode(DNS_T_A) == DECODE_OK && ans.status == DNS_OK &&
		ans.nrr == 2 && IS(0, "\xc0\0\2\1") && IS(1, "\xc0\0\2\2") &&
		ans.ttl == 200 && ans.type == DNS_T_A);

	BEGIN(OK, EX_TEST, DNS_T_AAAA);
	ADD(PTR("\x0c"), DNS_T_AAAA, 1, "0123456789abcdef");
	check("decode-aaaa",
	    decode(DNS_T_AAAA) == DECODE_OK && ans.nrr == 1 &&
		IS(0, "0123456789abcdef"));

	BEGIN(OK, EX_TEST, DNS_T_TXT);
	ADD(PTR("\x0c"), DNS_T_TXT, 1, "\7v=spf1 \0\4-all");
	ADD(PTR("\x0c"), DNS_T_TXT, 1, "\0");
	ADD(PTR("\x0c"), DNS_T_TXT, 1, "\3a\0b");
	check("decode-txt",
	    decode(DNS_T_TXT) == DECODE_OK && ans.nrr == 3 &&
		IS(0, "v=spf1 -all") && rrs[0].aux == 7 && IS(1, "") &&
		rrs[1].aux == 0 && IS(2, "a\0b") && rrs[2].aux == 3,
	    "nrr %u", ans.nrr);

	BEGIN(OK, EX_TEST, DNS_T_MX);
	ADD(PTR("\x0c"), DNS_T_MX, 1,
	    "\1\2"
	    "\2mx" PTR("\x0c"));
	ADD(PTR("\x0c"), DNS_T_MX, 1,
	    "\0\0"
	    "\0");
	check("decode-mx",
	    decode(DNS_T_MX) == DECODE_OK && ans.nrr == 2 &&
		IS(0, "mx.ex.test") && rrs[0].aux == 258 && IS(1, ""));

	BEGIN(OK, EX_TEST, DNS_T_PTR);
	ADDN(PTR("\x0c"), DNS_T_PTR, 1, "\4Host\4test");
	check("decode-ptr",
	    decode(DNS_T_PTR) == DECODE_OK && ans.nrr == 1 &&
		IS(0, "Host.test"));
}

/* Names that proto/dname.h cannot hold become the octet NUL. */
static void
test_odd_names(void)
{
	BEGIN(OK, EX_TEST, DNS_T_PTR);
	ADDN(PTR("\x0c"), DNS_T_PTR, 1, "\3a.b\4test");
	ADDN(PTR("\x0c"), DNS_T_PTR, 1, "\3a\0b\4test");
	ADDN(PTR("\x0c"), DNS_T_PTR, 1, "\2\xc3\xa4");
	check("decode-name-with-dot",
	    decode(DNS_T_PTR) == DECODE_OK && ans.nrr == 3 && IS(0, "\0"));
	check("decode-name-with-nul", ans.nrr == 3 && IS(1, "\0"));
	check("decode-name-8bit", ans.nrr == 3 && IS(2, "\xc3\xa4"));
}

static void
test_chain(void)
{
	BEGIN(OK, EX_TEST, DNS_T_TXT);
	ADD(PTR("\x0c"), 5, 50, "\2c1" PTR("\x0c")); /* rdata at 37 */
	ADD("\2C1" PTR("\x0c"), 46, 1, "signature");
	ADDN("\2C1\2EX\4test\0", 5, 40, "\2c2\4test");
	ADD(PTR("\x0c"), DNS_T_TXT, 1, "\3not");
	ADDN("\2c2\4test\0", 99, 1, "\3not");
	add(0, "\2c2\4test", 9, DNS_T_TXT, 60, "\3yes", 4);
	add(0, "\2c2\4test", 9, 46, 1, "sig", 3);
	check("decode-cname-chain",
	    decode(DNS_T_TXT) == DECODE_OK && ans.status == DNS_OK &&
		ans.nrr == 1 && IS(0, "yes"));
	check_int("decode-cname-ttl", ans.ttl, 40);

	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), 5, 50, "\2c1" PTR("\x0c"));
	check("decode-cname-nodata",
	    decode(DNS_T_A) == DECODE_OK && ans.status == DNS_NODATA &&
		ans.nrr == 0 && ans.ttl == 0);

	BEGIN(OK | 3, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), 5, 50, "\2c1" PTR("\x0c"));
	ADD(PTR("\x0c"), DNS_T_A, 50, "1234");
	check("decode-cname-nxdomain",
	    decode(DNS_T_A) == DECODE_OK && ans.status == DNS_NXDOMAIN &&
		ans.nrr == 0);

	/* Records of another owner or class are skipped. */
	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD("\1x" PTR("\x0c"), DNS_T_A, 50, "1234");
	ADD(PTR("\x0c"), DNS_T_A, 50, "1234");
	pkt[plen - 11] = 3;
	check("decode-other-owner-and-class",
	    decode(DNS_T_A) == DECODE_OK && ans.status == DNS_NODATA);

	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), 5, 50, PTR("\x0c"));
	ADD(PTR("\x0c"), 5, 50, PTR("\x0c"));
	check("decode-cname-loop",
	    decode(DNS_T_A) == DECODE_OK && ans.status == DNS_NODATA);
}

#define SOA        \
	"\0\0"     \
	"\0\0\0\1" \
	"\0\0\0\2" \
	"\0\0\0\3" \
	"\0\0\0\4" \
	"\0\0\1\x2c"

static void
test_negative(void)
{
	static const struct {
		const char *name;
		unsigned int flags;
		enum dns_status status;
	} rcodes[] = {
		{ "decode-rcode-formerr", OK | 1, DNS_TEMPERROR },
		{ "decode-rcode-servfail", OK | 2, DNS_TEMPERROR },
		{ "decode-rcode-nxdomain", OK | 3, DNS_NXDOMAIN },
		{ "decode-rcode-refused", OK | 5, DNS_TEMPERROR },
		{ "decode-rcode-15", OK | 15, DNS_TEMPERROR },
		{ "decode-rcode-noerror", OK, DNS_NODATA },
	};
	size_t i;

	for (i = 0; i < NITEMS(rcodes); i++) {
		BEGIN(rcodes[i].flags, EX_TEST, DNS_T_TXT);
		check(rcodes[i].name,
		    decode(DNS_T_TXT) == DECODE_OK &&
			ans.status == rcodes[i].status && ans.nrr == 0 &&
			ans.ttl == 0);
	}
	BEGIN(OK | 3, EX_TEST, DNS_T_TXT);
	add(1, "", 1, 6, 400, SOA, sizeof(SOA) - 1);
	check("decode-negative-ttl-minimum",
	    decode(DNS_T_TXT) == DECODE_OK && ans.ttl == 300, "ttl %u",
	    ans.ttl);
	BEGIN(OK, EX_TEST, DNS_T_TXT);
	add(1, "", 1, 2, 1, "\0", 1);
	add(1, "", 1, 6, 77, SOA, sizeof(SOA) - 1);
	check("decode-negative-ttl",
	    decode(DNS_T_TXT) == DECODE_OK && ans.status == DNS_NODATA &&
		ans.ttl == 77,
	    "ttl %u", ans.ttl);
	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), DNS_T_A, 0x80000000, "1234");
	check("decode-ttl-huge-is-0",
	    decode(DNS_T_A) == DECODE_OK && ans.ttl == 0);
}

/* Each prefix of a good message is an error, without an overrun. */
static void
test_truncated(void)
{
	size_t whole, bad = 0, i;

	BEGIN(OK, EX_TEST, DNS_T_MX);
	ADD(PTR("\x0c"), 5, 50, "\2c1" PTR("\x0c"));
	ADD("\2c1" PTR("\x0c"), DNS_T_MX, 1,
	    "\1\2"
	    "\2mx" PTR("\x0c"));
	whole = plen;
	if (decode(DNS_T_MX) != DECODE_OK || ans.nrr != 1)
		bad++;
	for (i = 0; i < whole; i++) {
		plen = i;
		if (decode(DNS_T_MX) != DECODE_MALFORMED ||
		    ans.status != DNS_TEMPERROR || ans.nrr != 0)
			bad++;
	}
	check_int("decode-truncated", bad, 0);
	BEGIN(OK, EX_TEST, DNS_T_A);
	add(1, "", 1, 6, 77, SOA, sizeof(SOA) - 1);
	plen--;
	check_int("decode-truncated-soa", decode(DNS_T_A), DECODE_MALFORMED);
}

/* One record of bad data makes the whole answer bad. */
static void
bad_data(const char *name, uint16_t type, const char *data, size_t len)
{
	BEGIN(OK, EX_TEST, type);
	add(0, PTR("\x0c"), 2, type, 1, data, len);
	check(name,
	    decode(type) == DECODE_MALFORMED && ans.status == DNS_TEMPERROR &&
		ans.nrr == 0);
}
#define BAD(name, type, data) \
	bad_data("decode-bad-" name, type, data, sizeof(data) - 1)

static void
test_bad_data(void)
{
	BAD("a-short", DNS_T_A, "123");
	BAD("a-long", DNS_T_A, "12345");
	BAD("aaaa-4", DNS_T_AAAA, "1234");
	BAD("txt-empty", DNS_T_TXT, "");
	BAD("txt-beyond", DNS_T_TXT, "\5abcd");
	BAD("txt-second-beyond", DNS_T_TXT, "\1a\1");
	BAD("mx-empty", DNS_T_MX, "");
	BAD("mx-no-name", DNS_T_MX, "\0\1");
	BAD("ptr-empty", DNS_T_PTR, "");
	BAD("ptr-open", DNS_T_PTR, "\4host");
	BAD("ptr-trailing", DNS_T_PTR, "\1a\0x");
	BAD("ptr-label-type-01", DNS_T_PTR,
	    "\x41"
	    "a\0");
	BAD("ptr-label-type-10", DNS_T_PTR,
	    "\x81"
	    "a\0");
	/* The data begin at 36; the pointer after the labels is at 38. */
	BAD("ptr-self", DNS_T_PTR, PTR("\x24"));
	BAD("ptr-forward", DNS_T_PTR, PTR("\x30"));
	BAD("ptr-beyond", DNS_T_PTR, "\xff\xff");
	BAD("ptr-loop", DNS_T_PTR, "\1a" PTR("\x24"));
	BAD("ptr-into-header", DNS_T_PTR, PTR("\x01"));
	BAD("ptr-half", DNS_T_PTR, "\xc0");
	BEGIN(OK, EX_TEST, DNS_T_A);
	ADD(PTR("\x0c"), 5, 1, "\1a\0x");
	check_int("decode-bad-cname-trailing", decode(DNS_T_A),
	    DECODE_MALFORMED);
}

static void
test_bad_header(void)
{
	BEGIN(0x0180, EX_TEST, DNS_T_A);
	check_int("decode-query", decode(DNS_T_A), DECODE_MALFORMED);
	BEGIN(OK | 0x200, EX_TEST, DNS_T_A);
	check_int("decode-tc", decode(DNS_T_A), DECODE_MALFORMED);
	BEGIN(OK, EX_TEST, DNS_T_A);
	check_int("decode-other-qtype", decode(DNS_T_TXT), DECODE_MALFORMED);
	pkt[5] = 0;
	check_int("decode-no-question", decode(DNS_T_A), DECODE_MALFORMED);
	BEGIN(OK, EX_TEST, DNS_T_A);
	pkt[plen - 1] = 3;
	check_int("decode-other-class", decode(DNS_T_A), DECODE_MALFORMED);
	BEGIN(OK, EX_TEST, DNS_T_A);
	pkt[7] = 1;
	check_int("decode-count-without-record", decode(DNS_T_A),
	    DECODE_MALFORMED);
}

/* A name of 255 octets on the wire is the longest (RFC 1035 2.3.4). */
static void
test_name_length(void)
{
	char name[300], want[300];
	size_t i, n = 0, w = 0;

	for (i = 0; i < 127; i++) {
		name[n++] = 1;
		name[n++] = 'a';
		want[w++] = 'a';
		want[w++] = '.';
	}
	name[n++] = 0;
	BEGIN(OK, EX_TEST, DNS_T_PTR);
	add(0, PTR("\x0c"), 2, DNS_T_PTR, 1, name, n);
	check("decode-name-255",
	    decode(DNS_T_PTR) == DECODE_OK && is(0, want, 253), "len %u",
	    rrs[0].len);
	name[n - 3] = 2;
	name[n - 1] = 'a';
	name[n++] = 0;
	BEGIN(OK, EX_TEST, DNS_T_PTR);
	add(0, PTR("\x0c"), 2, DNS_T_PTR, 1, name, n);
	check_int("decode-name-256", decode(DNS_T_PTR), DECODE_MALFORMED);
	/* Through a pointer: 252 octets and the 9 of the question. */
	BEGIN(OK, EX_TEST, DNS_T_PTR);
	memcpy(name + 252, PTR("\x0c"), 2);
	add(0, PTR("\x0c"), 2, DNS_T_PTR, 1, name, 254);
	check_int("decode-name-256-by-pointer", decode(DNS_T_PTR),
	    DECODE_MALFORMED);
}

static void
test_room(void)
{
	uint8_t big[60001];
	size_t i;

	memset(big, 'x', sizeof(big));
	for (i = 0; i < sizeof(big); i += 255)
		big[i] = 254;
	big[60001 / 255 * 255] = (60001 % 255) - 1;
	BEGIN(OK, EX_TEST, DNS_T_TXT);
	add(0, PTR("\x0c"), 2, DNS_T_TXT, 1, big, sizeof(big));
	check("decode-txt-60k",
	    decode(DNS_T_TXT) == DECODE_OK && rrs[0].len == 60001 - 236 &&
		rrs[0].aux == 254,
	    "len %u", rrs[0].len);
	bufsize = 60000;
	check("decode-txt-no-room",
	    decode(DNS_T_TXT) == DECODE_TOO_LARGE && ans.nrr == 0 &&
		ans.status == DNS_TEMPERROR);
	bufsize = sizeof(buf);

	BEGIN(OK, EX_TEST, DNS_T_A);
	for (i = 0; i < DNSMSG_MAXRR; i++)
		ADD(PTR("\x0c"), DNS_T_A, 1, "1234");
	check("decode-maxrr",
	    decode(DNS_T_A) == DECODE_OK && ans.nrr == DNSMSG_MAXRR);
	ADD(PTR("\x0c"), DNS_T_A, 1, "1234");
	maxrr = DNSMSG_MAXRR + 8;
	check("decode-over-maxrr",
	    decode(DNS_T_A) == DECODE_TOO_LARGE && ans.nrr == 0);
	maxrr = 1;
	check_int("decode-no-room-for-records", decode(DNS_T_A),
	    DECODE_TOO_LARGE);
	maxrr = DNSMSG_MAXRR;

	BEGIN(OK, EX_TEST, DNS_T_PTR);
	ADDN(PTR("\x0c"), DNS_T_PTR, 1, "\4Host\4test");
	bufsize = 8;
	check_int("decode-name-no-room", decode(DNS_T_PTR), DECODE_TOO_LARGE);
	bufsize = sizeof(buf);
}

int
main(void)
{
	test_types();
	test_odd_names();
	test_chain();
	test_negative();
	test_truncated();
	test_bad_data();
	test_bad_header();
	test_name_length();
	test_room();
	return check_exit();
}
