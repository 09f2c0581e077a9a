/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. DNS packets, put together by hand, into answers. */

#include "dns/decode.h"
#include "regress/unit/check.h"

#define EX_TEST "\2ex\4test" /* the NUL is its root label */
#define SAME	"\300\014"   /* compression pointer to the question's name */
#define OK	0x8180
#define CNAME	5

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

/* A message with a question for ex.test; add() sets the sections' counts. */
static void
begin(unsigned int flags, uint16_t qtype)
{
	plen = 0;
	put16(0x1234);
	put16(flags);
	put("\0\1\0\0\0\0\0\0", 8);
	put(EX_TEST, sizeof(EX_TEST));
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

#define ADD(owner, type, ttl, data) \
	add(0, owner, sizeof(owner) - 1, type, ttl, data, sizeof(data) - 1)
#define ADDN(owner, type, ttl, data) /* data ends with the root label */ \
	add(0, owner, sizeof(owner) - 1, type, ttl, data, sizeof(data))
#define SOA(ttl)              \
	add(1, "", 1, 6, ttl, \
	    "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\1\054", 22)

/*
 * The answer as text: "malformed", "too large", or its status, TTL and data,
 * "/" and the extra number where it is not 0. Decodes a heap block of that
 * size, so that sanitizers detect overruns.
 */
static const char *
decode(uint16_t type)
{
	static char text[1024];
	static uint8_t *copy;
	enum dns_decoded rv;
	size_t i, n;

	free(copy);
	copy = malloc(plen == 0 ? 1 : plen);
	memcpy(copy, pkt, plen);
	memset(&ans, 0xee, sizeof(ans));
	rv = dns_decode(copy, plen, type, &ans, rrs, maxrr, buf, bufsize);
	if (rv != DECODE_OK)
		return ans.status != DNS_TEMPERROR || ans.nrr != 0 ? "odd" :
		    rv == DECODE_MALFORMED ? "malformed" :
					     "too large";
	if (ans.type != type)
		return "another type";
	n = (size_t)snprintf(text, sizeof(text), "%s %u",
	    dns_status_name[ans.status], ans.ttl);
	for (i = 0; i < ans.nrr && n < 512 && rrs[i].len < 256; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, " [%s]",
		    check_show(rrs[i].data, rrs[i].len));
		if (rrs[i].aux != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "/%u",
			    rrs[i].aux);
	}
	return text;
}

static void
test_types(void)
{
	begin(OK, DNS_T_A);
	ADD(SAME, DNS_T_A, 300, "\300\0\2\1");
	ADD(SAME, DNS_T_A, 200, "\300\0\2\2");
	check_str("decode-a", decode(DNS_T_A),
	    "ok 200 [\\xc0\\x00\\x02\\x01] [\\xc0\\x00\\x02\\x02]");

	begin(OK, DNS_T_AAAA);
	ADD(SAME, DNS_T_AAAA, 1, "0123456789abcdef");
	check_str("decode-aaaa", decode(DNS_T_AAAA), "ok 1 [0123456789abcdef]");

	begin(OK, DNS_T_TXT);
	ADD(SAME, DNS_T_TXT, 1, "\7v=spf1 \0\4-all");
	ADD(SAME, DNS_T_TXT, 1, "\0");
	ADD(SAME, DNS_T_TXT, 1, "\3a\0b");
	check_str("decode-txt", decode(DNS_T_TXT),
	    "ok 1 [v=spf1 -all]/7 [] [a\\x00b]/3");

	begin(OK, DNS_T_MX);
	ADD(SAME, DNS_T_MX, 1, "\1\2\2mx" SAME);
	ADD(SAME, DNS_T_MX, 1, "\0\0\0");
	check_str("decode-mx", decode(DNS_T_MX), "ok 1 [mx.ex.test]/258 []");

	begin(OK, DNS_T_PTR);
	ADDN(SAME, DNS_T_PTR, 1, "\4Host\4test");
	check_str("decode-ptr", decode(DNS_T_PTR), "ok 1 [Host.test]");
}

/* Names that proto/dname.h cannot hold become the octet NUL. */
static void
test_odd_names(void)
{
	begin(OK, DNS_T_PTR);
	ADDN(SAME, DNS_T_PTR, 1, "\3a.b\4test");
	check_str("decode-name-with-dot", decode(DNS_T_PTR), "ok 1 [\\x00]");
	ADDN(SAME, DNS_T_PTR, 1, "\3a\0b\4test");
	check_str("decode-name-with-nul", decode(DNS_T_PTR),
	    "ok 1 [\\x00] [\\x00]");
	ADDN(SAME, DNS_T_PTR, 1, "\2\303\244");
	check_str("decode-name-8bit", decode(DNS_T_PTR),
	    "ok 1 [\\x00] [\\x00] [\\xc3\\xa4]");
}

static void
test_chain(void)
{
	begin(OK, DNS_T_TXT);
	ADD(SAME, CNAME, 50, "\2c1" SAME); /* rdata at 37 */
	ADD("\2C1" SAME, 46, 1, "signature");
	ADDN("\2C1\2EX\4test\0", CNAME, 40, "\2c2\4test");
	ADD(SAME, DNS_T_TXT, 1, "\3not");
	ADDN("\2c2\4test\0", 99, 1, "\3not");
	add(0, "\2c2\4test", 9, DNS_T_TXT, 60, "\3yes", 4);
	add(0, "\2c2\4test", 9, 46, 1, "sig", 3);
	check_str("decode-cname-chain", decode(DNS_T_TXT), "ok 40 [yes]/3");
	check_int("decode-cname-ttl", ans.ttl, 40);

	begin(OK, DNS_T_A);
	ADD(SAME, CNAME, 50, "\2c1" SAME);
	check_str("decode-cname-nodata", decode(DNS_T_A), "nodata 0");

	begin(OK | 3, DNS_T_A);
	ADD(SAME, CNAME, 50, "\2c1" SAME);
	ADD(SAME, DNS_T_A, 50, "1234");
	check_str("decode-cname-nxdomain", decode(DNS_T_A), "nxdomain 0");

	/* Records of another owner or class are skipped. */
	begin(OK, DNS_T_A);
	ADD("\1x" SAME, DNS_T_A, 50, "1234");
	ADD(SAME, DNS_T_A, 50, "1234");
	pkt[plen - 11] = 3;
	check_str("decode-other-owner-and-class", decode(DNS_T_A), "nodata 0");

	begin(OK, DNS_T_A);
	ADD(SAME, CNAME, 50, SAME);
	ADD(SAME, CNAME, 50, SAME);
	check_str("decode-cname-loop", decode(DNS_T_A), "nodata 0");
}

static void
test_negative(void)
{
	static const struct {
		const char *name;
		unsigned int flags;
		const char *want;
	} rcodes[] = {
		{ "decode-rcode-formerr", OK | 1, "temperror 0" },
		{ "decode-rcode-servfail", OK | 2, "temperror 0" },
		{ "decode-rcode-nxdomain", OK | 3, "nxdomain 0" },
		{ "decode-rcode-refused", OK | 5, "temperror 0" },
		{ "decode-rcode-15", OK | 15, "temperror 0" },
		{ "decode-rcode-noerror", OK, "nodata 0" },
	};
	size_t i;

	for (i = 0; i < NITEMS(rcodes); i++) {
		begin(rcodes[i].flags, DNS_T_TXT);
		check_str(rcodes[i].name, decode(DNS_T_TXT), rcodes[i].want);
	}
	begin(OK | 3, DNS_T_TXT);
	SOA(400);
	check_str("decode-negative-ttl-minimum", decode(DNS_T_TXT),
	    "nxdomain 300");
	begin(OK, DNS_T_TXT);
	add(1, "", 1, 2, 1, "\0", 1);
	SOA(77);
	check_str("decode-negative-ttl", decode(DNS_T_TXT), "nodata 77");
	begin(OK, DNS_T_A);
	ADD(SAME, DNS_T_A, 0x80000000, "1234");
	check_str("decode-ttl-huge-is-0", decode(DNS_T_A), "ok 0 [1234]");
}

/* Each prefix of a good message is an error, without an overrun. */
static void
test_truncated(void)
{
	size_t whole, bad = 0;

	begin(OK, DNS_T_MX);
	ADD(SAME, CNAME, 50, "\2c1" SAME);
	ADD("\2c1" SAME, DNS_T_MX, 1, "\1\2\2mx" SAME);
	check_str("decode-whole", decode(DNS_T_MX), "ok 1 [mx.ex.test]/258");
	for (whole = plen; plen-- > 0;)
		bad += strcmp(decode(DNS_T_MX), "malformed") != 0;
	check("decode-truncated", bad == 0, "%zu of %zu", bad, whole);
	begin(OK, DNS_T_A);
	SOA(77);
	plen--;
	check_str("decode-truncated-soa", decode(DNS_T_A), "malformed");
}

/* One record of bad data makes the whole answer bad. */
static void
test_bad_data(void)
{
#define BAD(name, type, data)                                             \
	do {                                                              \
		begin(OK, type);                                          \
		ADD(SAME, type, 1, data);                                 \
		check_str("decode-bad-" name, decode(type), "malformed"); \
	} while (0)
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
	BAD("ptr-label-type-01", DNS_T_PTR, "\101a\0");
	BAD("ptr-label-type-10", DNS_T_PTR, "\201a\0");
	/* The data begin at 36; the pointer after the labels is at 38. */
	BAD("ptr-self", DNS_T_PTR, "\300\044");
	BAD("ptr-forward", DNS_T_PTR, "\300\060");
	BAD("ptr-beyond", DNS_T_PTR, "\377\377");
	BAD("ptr-loop", DNS_T_PTR, "\1a\300\044");
	BAD("ptr-into-header", DNS_T_PTR, "\300\001");
	BAD("ptr-half", DNS_T_PTR, "\300");
	begin(OK, DNS_T_A);
	ADD(SAME, CNAME, 1, "\1a\0x");
	check_str("decode-bad-cname-trailing", decode(DNS_T_A), "malformed");
}

static void
test_bad_header(void)
{
	begin(0x0180, DNS_T_A);
	check_str("decode-query", decode(DNS_T_A), "malformed");
	begin(OK | 0x200, DNS_T_A);
	check_str("decode-tc", decode(DNS_T_A), "malformed");
	begin(OK, DNS_T_A);
	check_str("decode-other-qtype", decode(DNS_T_TXT), "malformed");
	pkt[5] = 0;
	check_str("decode-no-question", decode(DNS_T_A), "malformed");
	begin(OK, DNS_T_A);
	pkt[plen - 1] = 3;
	check_str("decode-other-class", decode(DNS_T_A), "malformed");
	begin(OK, DNS_T_A);
	pkt[7] = 1;
	check_str("decode-count-without-record", decode(DNS_T_A), "malformed");
}

/* A name of 255 octets on the wire is the longest (RFC 1035 2.3.4). */
static void
test_name_length(void)
{
	char name[300], want[300] = "";
	size_t i, n = 0;

	for (i = 0; i < 127; i++) {
		name[n++] = 1;
		name[n++] = 'a';
		strlcat(want, i > 0 ? ".a" : "a", sizeof(want));
	}
	name[n++] = 0;
	begin(OK, DNS_T_PTR);
	add(0, SAME, 2, DNS_T_PTR, 1, name, n);
	check_str("decode-name-255", decode(DNS_T_PTR),
	    check_name("ok 1 [%s]", want));
	name[n - 3] = 2;
	name[n - 1] = 'a';
	name[n++] = 0;
	begin(OK, DNS_T_PTR);
	add(0, SAME, 2, DNS_T_PTR, 1, name, n);
	check_str("decode-name-256", decode(DNS_T_PTR), "malformed");
	/* Through a pointer: 252 octets and the 9 of the question. */
	begin(OK, DNS_T_PTR);
	memcpy(name + 252, SAME, 2);
	add(0, SAME, 2, DNS_T_PTR, 1, name, 254);
	check_str("decode-name-256-by-pointer", decode(DNS_T_PTR), "malformed");
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
	begin(OK, DNS_T_TXT);
	add(0, SAME, 2, DNS_T_TXT, 1, big, sizeof(big));
	check_str("decode-txt-60k", decode(DNS_T_TXT), "ok 1");
	check_int("decode-txt-60k-length", rrs[0].len, 60001 - 236);
	check_int("decode-txt-60k-first", rrs[0].aux, 254);
	bufsize = 60000;
	check_str("decode-txt-no-room", decode(DNS_T_TXT), "too large");
	bufsize = sizeof(buf);

	begin(OK, DNS_T_A);
	for (i = 0; i < DNSMSG_MAXRR; i++)
		ADD(SAME, DNS_T_A, 1, "1234");
	(void)decode(DNS_T_A);
	check_int("decode-maxrr", ans.nrr, DNSMSG_MAXRR);
	ADD(SAME, DNS_T_A, 1, "1234");
	maxrr = DNSMSG_MAXRR + 8;
	check_str("decode-over-maxrr", decode(DNS_T_A), "too large");
	maxrr = 1;
	check_str("decode-no-room-for-records", decode(DNS_T_A), "too large");
	maxrr = DNSMSG_MAXRR;

	begin(OK, DNS_T_PTR);
	ADDN(SAME, DNS_T_PTR, 1, "\4Host\4test");
	bufsize = 8;
	check_str("decode-name-no-room", decode(DNS_T_PTR), "too large");
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
