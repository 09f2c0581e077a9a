/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/addr.h"
#include "regress/unit/check.h"

/* Text, and its canonical form; NULL: refused. */
/* clang-format off */
static const struct {
	const char *text, *canon;
} addrs[] = {
	{ "1.2.3.4", "1.2.3.4" }, { "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" }, { "256.1.1.1", NULL },
	{ "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "1.2.3.", NULL },
	{ "1.2.3.4.", NULL }, { ".1.2.3.4", NULL }, { "01.2.3.4", NULL },
	{ "1.2.3.04", NULL }, { "1.2.3.00", NULL }, { "1.2.3.0", "1.2.3.0" },
	{ "1..3.4", NULL }, { "1.2.3.4 ", NULL }, { "", NULL },
	{ "1.2.3.0400", NULL }, { "0x1.2.3.4", NULL }, { "+1.2.3.4", NULL },
	{ "::", "::" }, { "::1", "::1" }, { "1::", "1::" },
	{ "0:0:0:0:0:0:0:1", "::1" }, { "0:0:0:0:0:0:0:0", "::" },
	{ "2001:DB8::1", "2001:db8::1" }, { "2001:0db8::0001", "2001:db8::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "1:2:3:4::5:6:7:8", NULL }, { "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL }, { "1:::2", NULL }, { "1::2::3", NULL },
	{ ":1", NULL }, { "1:", NULL }, { ":", NULL }, { ":::", NULL },
	{ "12345::", NULL }, { "g::", NULL }, { "fe80::1%eth0", NULL },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
	{ "::FFFF:102:304", "::ffff:1.2.3.4" },
	{ "::1.2.3.4", "::102:304" }, { "1:2:3:4:5:6:1.2.3.4",
	"1:2:3:4:5:6:102:304" }, { "1:2:3:4:5:6:7:1.2.3.4", NULL },
	{ "::1.2.3", NULL }, { "::1.2.3.4:5", NULL }, { "::01.2.3.4", NULL },
	{ "1.2.3.4::", NULL }, { "::1.2.3.256", NULL },
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.255",
	"::ffff:255.255.255.255" },
};

static const struct {
	const char *net, *addr;
	int match;
} nets[] = {
	{ "1.2.3.4", "1.2.3.4", 1 }, { "1.2.3.4", "1.2.3.5", 0 },
	{ "1.2.3.0/24", "1.2.3.255", 1 }, { "1.2.3.0/24", "1.2.4.0", 0 },
	{ "1.2.3.128/25", "1.2.3.127", 0 }, { "1.2.3.128/25", "1.2.3.200", 1 },
	{ "0.0.0.0/0", "9.9.9.9", 1 }, { "0.0.0.0/0", "::1", 0 },
	{ "::/0", "::1", 1 }, { "::/0", "1.2.3.4", 0 },
	{ "128.0.0.0/1", "127.0.0.1", 0 }, { "128.0.0.0/1", "129.0.0.1", 1 },
	{ "1.2.3.5/24", "1.2.3.9", 1 }, { "2001:db8::/33",
	"2001:db8:7fff::1", 1 }, { "2001:db8::/33", "2001:db8:8000::1", 0 },
	{ "::1/128", "::1", 1 }, { "::1/127", "::", 1 }, { "::2/128", "::3",
	0 }, { "10.0.0.0/255.0.0.0", "10.9.9.9", 1 },
	{ "10.0.0.0/0.255.255.255", "10.9.9.9", 1 },
	{ "10.0.0.0/255.0.0.0", "11.0.0.0", 0 },
	{ "10.0.0.0/0.0.0.0", "11.0.0.0", 1 },
	{ "10.0.0.1/255.255.255.255", "10.0.0.2", 0 },
};

static const char *const bad_nets[] = {
	"1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/1e", "1.2.3.4/ 8",
	"::/129", "::/255.0.0.0", "1.2.3.4/255.0.255.0", "/8", "",
	"1.2.3.4/8/8",
	"1.2.3.4/4294967328", "1.2.3.4/255.255.255", "1.2.3.4/::",
};

/* Beside the texts above, for the comparison with the reference. */
#define ODD(s) { s, sizeof(s) - 1 }
static const struct {
	const char *s;
	size_t len;
} odd[] = {
	ODD("1.2.3.4\0"), ODD("1.2.3.4\0x"), ODD("1.2\0.3.4"), ODD("\0"),
	ODD("::1\0"), ODD("::\0001"), ODD(" 1.2.3.4"), ODD("1. 2.3.4"),
	ODD("\t::1"), ODD("::1 "), ODD("::1\n"), ODD("1.2.3.4\n"),
	ODD("00.0.0.0"), ODD("0.0.0.00"), ODD("000.0.0.0"), ODD("1.2.3.256"),
	ODD("1.2.3.1000"), ODD("1.2.3.99999999999"), ODD("1"), ODD("1.2"),
	ODD("16909060"), ODD("0x01020304"), ODD("1.2.0x3.4"), ODD("1.2.3.a"),
	ODD("-1.2.3.4"), ODD("1.2.3.-4"), ODD("1.2.3.4/32"), ODD("."),
	ODD("1.2.3.4%eth0"), ODD("::1%1"), ODD("::%"), ODD("[::1]"),
	ODD("::1/128"), ODD("0x1::"), ODD("::00001"), ODD("00001::"),
	ODD("::0000"), ODD("::ffff:1.2.3.4.5"), ODD("::ffff:1.2.3"),
	ODD("::ffff:01.2.3.4"), ODD("::ffff:1.2.3.4:"), ODD("::1.2.3.4:1"),
	ODD("::12345.2.3.4"), ODD("::1234.2.3.4"), ODD("::a.2.3.4"),
	ODD("1:2:3:4:5:1.2.3.4"), ODD("1:2:3:4:5:6:7:8::"),
	ODD("::1:2:3:4:5:6:7:8"), ODD("1:2:3:4:5:6:7:8:"),
	ODD(":1:2:3:4:5:6:7:8"), ODD("1:2:3:4:5:6::1.2.3.4"),
	ODD("1:2:3:4:5::1.2.3.4"), ODD("1:2:3:4:5:6:7::8"), ODD("::1::"),
	ODD("1::2:"), ODD(":::1"), ODD("1:::"), ODD("\3001::"),
	ODD("0000:0000:0000:0000:0000:ffff:255.255.255.255 "),
	ODD("0000:0000:0000:0000:0000:0000:255.255.255.255"),
};
/* clang-format on */

/* The rules for the text of an address, written out as a reference. */

/* RFC 7208 5.6: four numbers up to 255 without leading zeros. */
static int
reference_parse4(uint8_t b[4], const char *s)
{
	unsigned int v[4], i;
	char again[64];

	if (strspn(s, "0123456789.") != strlen(s) || strlen(s) > 15 ||
	    sscanf(s, "%u.%u.%u.%u", &v[0], &v[1], &v[2], &v[3]) != 4)
		return -1;
	snprintf(again, sizeof(again), "%u.%u.%u.%u", v[0], v[1], v[2], v[3]);
	for (i = 0; i < 4; i++) {
		if (v[i] > 255)
			return -1;
		b[i] = (uint8_t)v[i];
	}
	return strcmp(s, again) == 0 ? 0 : -1;
}

/*
 * RFC 4291 2.2: groups of 1 to 4 hex digits between colons; at the end also an
 * IPv4 address. Returns the octets, or -1.
 */
static int
reference_groups(uint8_t b[16], char *s, int end)
{
	char *group;
	unsigned int v;
	int n = 0;

	if (*s == '\0')
		return 0;
	while ((group = strsep(&s, ":")) != NULL) {
		if (end && s == NULL && n <= 12 &&
		    reference_parse4(b + n, group) == 0)
			return n + 4;
		if (n > 14 || strlen(group) < 1 || strlen(group) > 4 ||
		    strspn(group, "0123456789abcdefABCDEF") != strlen(group))
			return -1;
		v = (unsigned int)strtoul(group, NULL, 16);
		b[n++] = (uint8_t)(v >> 8);
		b[n++] = (uint8_t)v;
	}
	return n;
}

static int
reference_parse(struct addr *a, const char *text, size_t len)
{
	uint8_t left[16], right[16];
	char s[2 * ADDR_STRLEN], *gap;
	int n, m = 0;

	memset(a, 0, sizeof(*a));
	snprintf(s, sizeof(s), "%.*s", (int)len, text);
	if (strlen(s) != len)
		return -1;
	if (strchr(s, ':') == NULL) {
		n = reference_parse4(left, s);
		if (n == 0) {
			a->family = 4;
			memcpy(a->b, left, 4);
		}
		return n;
	}
	if ((gap = strstr(s, "::")) != NULL) {
		*gap = '\0';
		m = reference_groups(right, gap + 2, 1);
	}
	n = reference_groups(left, s, gap == NULL);
	if (n == -1 || m == -1 || (gap == NULL ? n != 16 : n + m > 14))
		return -1;
	a->family = 6;
	memcpy(a->b, left, (size_t)n);
	memcpy(a->b + 16 - m, right, (size_t)m);
	return 0;
}

/*
 * RFC 5952: "::" for the first of the longest runs of two zero groups or more;
 * IPv4 notation only for IPv4-mapped addresses.
 */
static void
reference_format(const struct addr *a, char *s)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 255, [11] = 255 };
	const uint8_t *b = a->b;
	int i, at = 0, len;

	if (a->family == 4 || memcmp(b, mapped, sizeof(mapped)) == 0) {
		b += a->family == 4 ? 0 : 12;
		sprintf(s, "%s%u.%u.%u.%u",
		    a->family == 4 ? "" : "::ffff:", b[0], b[1], b[2], b[3]);
		return;
	}
	for (len = 8; len >= 2; len--) {
		for (at = 0; at + len <= 8; at++)
			if (memcmp(b + 2 * at, zero, 2 * (size_t)len) == 0)
				break;
		if (at + len <= 8)
			break;
	}
	for (i = 0; i < 8; i++)
		if (len < 2 || i < at || i >= at + len)
			s += sprintf(s, "%x%s", b[2 * i] << 8 | b[2 * i + 1],
			    i == 7 || (len >= 2 && i + 1 == at) ? "" : ":");
		else if (i == at)
			s += sprintf(s, "::");
}

static int
same_parse(const char *s, size_t len)
{
	struct addr a, b;

	memset(&a, 'x', sizeof(a));
	memset(&b, 'x', sizeof(b));
	return addr_parse(&a, s, len) == reference_parse(&b, s, len) &&
	    memcmp(&a, &b, sizeof(a)) == 0;
}

static int
same_format(const struct addr *a)
{
	char want[ADDR_STRLEN], got[ADDR_STRLEN];

	reference_format(a, want);
	return strcmp(addr_format(a, got, sizeof(got)), want) == 0;
}

/* A number below n. */
static size_t
below(size_t n)
{
	static uint64_t state = 88172645463325252U;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

/* One of the texts above with a few octets changed, added or left out. */
static size_t
mutate(char s[2 * ADDR_STRLEN])
{
	static const char octets[] = "0123456789afAF:.:.gx %/\0\377-";
	size_t i = below(NITEMS(addrs));
	size_t len = strlen(addrs[i].text), at, n;

	memcpy(s, addrs[i].text, len);
	for (n = below(4); n > 0; n--) {
		at = below(len + 1);
		if (below(3) == 0 && at < len) {
			memmove(s + at, s + at + 1, len - at - 1);
			len--;
			continue;
		}
		if (at == len || (below(2) == 0 && len < ADDR_STRLEN + 4)) {
			memmove(s + at + 1, s + at, len - at);
			len++;
		}
		s[at] = octets[below(sizeof(octets) - 1)];
	}
	return len;
}

/* Random texts and addresses for a second at most. */
static void
test_reference(void)
{
	static const uint8_t words[] = { 0, 0, 0, 0, 1, 0xff, 0xff, 0x10 };
	char s[2 * ADDR_STRLEN];
	size_t i, n, len, bad = 0, bad_format = 0;
	clock_t end = clock() + CLOCKS_PER_SEC;
	struct addr a;

	for (i = 0; i < NITEMS(odd); i++)
		bad += !same_parse(odd[i].s, odd[i].len);
	for (i = 0; i < NITEMS(addrs); i++)
		bad += !same_parse(addrs[i].text, strlen(addrs[i].text));
	check_int("addr-odd-texts-as-the-reference", bad, 0);
	for (n = bad = 0; n < 4000000 && (n % 256 != 0 || clock() < end); n++) {
		len = mutate(s);
		if (!same_parse(s, len) && bad++ == 0)
			printf("differs: %.*s\n", (int)len, s);
		memset(&a, 0, sizeof(a));
		a.family = n % 8 == 0 ? 4 : 6;
		for (i = 0; i < (a.family == 4 ? 4 : 16); i++)
			a.b[i] = words[below(sizeof(words))];
		bad_format += !same_format(&a);
	}
	check_int("addr-random-texts-as-the-reference", bad, 0);
	check_int("addr-text-as-the-reference", bad_format, 0);
}

/* A text's canonical form, which must be the same address; NULL: refused. */
static const char *
canon(const char *s, size_t len)
{
	static char buf[ADDR_STRLEN];
	struct addr a, b;

	if (addr_parse(&a, s, len) == -1)
		return NULL;
	addr_format(&a, buf, sizeof(buf));
	if (addr_parse(&b, buf, strlen(buf)) == -1 || !addr_equal(&a, &b))
		return "another address";
	return buf;
}

static struct addr
addr(const char *s)
{
	struct addr a;

	if (addr_parse(&a, s, strlen(s)) == -1)
		abort();
	return a;
}

static void
test_addrs(void)
{
	char buf[74];
	struct addr a, b;
	size_t i;

	for (i = 0; i < NITEMS(addrs); i++)
		check_str(check_name("addr-%s-%s",
			      addrs[i].canon == NULL ? "refused" : "parsed",
			      addrs[i].text),
		    canon(addrs[i].text, strlen(addrs[i].text)),
		    addrs[i].canon);
	check_str("addr-length-bounds-text", canon("1.2.3.45", 7), "1.2.3.4");
	a = addr("::ffff:1.2.3.4");
	addr_unmap(&b, &a);
	check_int("addr-unmap", b.family, 4);
	check_str("addr-unmap-text", addr_format(&b, buf, sizeof(buf)),
	    "1.2.3.4");
	a = addr("::fffe:1.2.3.4");
	addr_unmap(&b, &a);
	check("addr-unmap-leaves-others", addr_equal(&a, &b));
	a = addr("192.0.2.1");
	check_str("ptrname-ip4", addr_ptrname(&a, buf, sizeof(buf)),
	    "1.2.0.192.in-addr.arpa");
	a = addr("2001:db8::cb01");
	check_str("ptrname-ip6", addr_ptrname(&a, buf, sizeof(buf)),
	    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

static void
test_nets(void)
{
	struct cidr c;
	struct addr a;
	size_t i;

	for (i = 0; i < NITEMS(nets); i++) {
		a = addr(nets[i].addr);
		check_int(check_name("cidr-%s-%s", nets[i].net, nets[i].addr),
		    cidr_parse(&c, nets[i].net, strlen(nets[i].net)) == -1 ?
			-1 :
			cidr_match(&c, &a),
		    nets[i].match);
	}
	for (i = 0; i < NITEMS(bad_nets); i++)
		check_int(check_name("cidr-refused-%s", bad_nets[i]),
		    cidr_parse(&c, bad_nets[i], strlen(bad_nets[i])), -1);
	(void)cidr_parse(&c, "10.1.2.3/12", 11);
	check_int("cidr-hostbits", cidr_hostbits(&c), 1);
	cidr_mask(&c);
	a = addr("10.0.0.0");
	check("cidr-mask", addr_equal(&c.a, &a));
	check_int("cidr-mask-no-hostbits", cidr_hostbits(&c), 0);
	(void)cidr_parse(&c, "2001:db8::/32", 13);
	check_int("cidr-no-hostbits", cidr_hostbits(&c), 0);
}

int
main(void)
{
	test_addrs();
	test_reference();
	test_nets();
	return check_exit();
}
