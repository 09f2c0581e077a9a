/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <stdio.h>
#include <string.h>

#include "proto/addr.h"

static int digits_parse(const char *, size_t, unsigned int *);
static int ip4_parse(uint8_t *, const char *, size_t);
static int ip6_parse(uint8_t *, const char *, size_t);
static int hex_digit(int);
static int mask_len(const uint8_t *);
static void zero_run(const unsigned int *, int *, int *);

/* 1 to 3 decimal digits. */
static int
digits_parse(const char *s, size_t len, unsigned int *v)
{
	size_t i;

	if (len < 1 || len > 3)
		return -1;
	for (*v = 0, i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		*v = *v * 10 + (unsigned int)(s[i] - '0');
	}
	return 0;
}

/* RFC 7208 5.6: qnum has no leading zeros. */
static int
ip4_parse(uint8_t *b, const char *s, size_t len)
{
	unsigned int v;
	size_t n;
	int i;

	for (i = 0; i < 4; i++) {
		for (n = 0; n < len && s[n] != '.'; n++)
			;
		if (digits_parse(s, n, &v) == -1 || v > 255)
			return -1;
		if (n > 1 && s[0] == '0')
			return -1;
		b[i] = (uint8_t)v;
		s += n;
		len -= n;
		if (i == 3)
			break;
		if (len == 0)
			return -1;
		s++;
		len--;
	}
	return len == 0 ? 0 : -1;
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * RFC 4291 2.2: groups of 1 to 4 hex digits, "::" once for one group or
 * more, an IPv4 address in place of the last two.
 */
static int
ip6_parse(uint8_t *b, const char *s, size_t len)
{
	uint8_t out[16];
	size_t i = 0, start, n = 0, gap = 0;
	int have_gap = 0;
	unsigned int v;

	if (len >= 2 && s[0] == ':' && s[1] == ':') {
		have_gap = 1;
		i = 2;
	}
	while (i < len) {
		for (start = i, v = 0; i < len && hex_digit(s[i]) != -1; i++) {
			if (i - start == 4)
				return -1;
			v = v << 4 | (unsigned int)hex_digit(s[i]);
		}
		if (i < len && s[i] == '.') {
			if (n > 12 ||
			    ip4_parse(out + n, s + start, len - start) == -1)
				return -1;
			n += 4;
			break;
		}
		if (i == start || n > 14)
			return -1;
		out[n++] = (uint8_t)(v >> 8);
		out[n++] = (uint8_t)v;
		if (i == len)
			break;
		if (s[i++] != ':' || i == len)
			return -1;
		if (s[i] == ':') {
			if (have_gap)
				return -1;
			have_gap = 1;
			gap = n;
			i++;
		}
	}
	if (have_gap ? n > 14 : n != 16)
		return -1;
	memset(b, 0, 16);
	memcpy(b, out, gap);
	memcpy(b + 16 - (n - gap), out + gap, n - gap);
	return 0;
}

int
addr_parse(struct addr *a, const char *s, size_t len)
{
	memset(a, 0, sizeof(*a));
	if (len >= ADDR_STRLEN)
		return -1;
	if (ip4_parse(a->b, s, len) == 0) {
		a->family = 4;
		return 0;
	}
	memset(a, 0, sizeof(*a));
	if (memchr(s, ':', len) != NULL && ip6_parse(a->b, s, len) == 0) {
		a->family = 6;
		return 0;
	}
	memset(a, 0, sizeof(*a));
	return -1;
}

/* RFC 5952 4.2: the first of the longest runs of two zero groups or more. */
static void
zero_run(const unsigned int *g, int *at, int *len)
{
	int i, n;

	*at = -1;
	*len = 1;
	for (i = 0; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && g[i + n] == 0; n++)
			;
		if (n > *len) {
			*at = i;
			*len = n;
		}
	}
}

char *
addr_format(const struct addr *a, char *buf, size_t size)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *b = a->b;
	unsigned int g[8];
	char text[ADDR_STRLEN];
	int i, at, run, n = 0;

	text[0] = '\0';
	if (a->family == 4)
		snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2],
		    b[3]);
	else if (a->family == 6 && memcmp(b, mapped, sizeof(mapped)) == 0)
		/* RFC 5952 5 */
		snprintf(text, sizeof(text), "::ffff:%u.%u.%u.%u", b[12], b[13],
		    b[14], b[15]);
	else if (a->family == 6) {
		for (i = 0; i < 8; i++)
			g[i] = (unsigned int)b[2 * i] << 8 | b[2 * i + 1];
		zero_run(g, &at, &run);
		for (i = 0; i < 8; i++) {
			if (i == at) {
				n += snprintf(text + n,
				    sizeof(text) - (size_t)n, "::");
				i += run - 1;
				continue;
			}
			n += snprintf(text + n, sizeof(text) - (size_t)n,
			    "%s%x", i > 0 && i != at + run ? ":" : "", g[i]);
		}
	}
	if (size > 0)
		snprintf(buf, size, "%s", text);
	return buf;
}

void
addr_unmap(struct addr *dst, const struct addr *src)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr a = *src;

	if (src->family == 6 && memcmp(src->b, mapped, sizeof(mapped)) == 0) {
		memset(&a, 0, sizeof(a));
		a.family = 4;
		memcpy(a.b, src->b + 12, 4);
	}
	*dst = a;
}

int
addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return 0;
	if (a->family == 0)
		return 1;
	return memcmp(a->b, b->b, a->family == 4 ? 4 : 16) == 0;
}

int
cidr_match(const struct cidr *c, const struct addr *a)
{
	unsigned int bytes = c->len / 8, bits = c->len % 8;
	unsigned int max = c->a.family == 4 ? 32 : 128;

	if (c->a.family == 0 || c->a.family != a->family || c->len > max)
		return 0;
	if (memcmp(c->a.b, a->b, bytes) != 0)
		return 0;
	if (bits == 0)
		return 1;
	return ((c->a.b[bytes] ^ a->b[bytes]) & (0xff00U >> bits) & 0xff) == 0;
}

int
cidr_hostbits(const struct cidr *c)
{
	struct cidr m = *c;

	cidr_mask(&m);
	return memcmp(m.a.b, c->a.b, sizeof(m.a.b)) != 0;
}

void
cidr_mask(struct cidr *c)
{
	unsigned int i, n = c->a.family == 4 ? 4 : 16;
	unsigned int bytes = c->len / 8, bits = c->len % 8;

	for (i = bytes; i < n; i++) {
		if (i == bytes && bits != 0)
			c->a.b[i] &= (uint8_t)(0xff00U >> bits);
		else
			c->a.b[i] = 0;
	}
}

/* Length of a netmask or hostmask, or -1. 0.0.0.0 is the netmask. */
static int
mask_len(const uint8_t *b)
{
	uint32_t m = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
	int len;

	if (m != 0 && (m & 0x80000000U) == 0)
		m = ~m;
	for (len = 0; (m & 0x80000000U) != 0; len++)
		m <<= 1;
	return m == 0 ? len : -1;
}

/*
 * A length may have leading zeros, since Python's ipaddress, which reads
 * these lists in spf-engine, allows them; the engine has its own rule.
 */
int
cidr_parse(struct cidr *c, const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t alen = slash == NULL ? len : (size_t)(slash - s);
	size_t rest;
	struct addr mask;
	unsigned int v, max;
	int n;

	memset(c, 0, sizeof(*c));
	if (addr_parse(&c->a, s, alen) == -1)
		return -1;
	max = c->a.family == 4 ? 32 : 128;
	c->len = (uint8_t)max;
	if (slash == NULL)
		return 0;
	slash++;
	rest = len - alen - 1;
	if (digits_parse(slash, rest, &v) == 0) {
		if (v > max)
			return -1;
		c->len = (uint8_t)v;
		return 0;
	}
	if (c->a.family != 4 || addr_parse(&mask, slash, rest) == -1 ||
	    mask.family != 4 || (n = mask_len(mask.b)) == -1)
		return -1;
	c->len = (uint8_t)n;
	return 0;
}

char *
addr_ptrname(const struct addr *a, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	char text[74];
	int i, n = 0;

	text[0] = '\0';
	if (a->family == 4)
		snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa",
		    a->b[3], a->b[2], a->b[1], a->b[0]);
	else if (a->family == 6) {
		for (i = 15; i >= 0; i--) {
			text[n++] = hex[a->b[i] & 15];
			text[n++] = '.';
			text[n++] = hex[a->b[i] >> 4];
			text[n++] = '.';
		}
		memcpy(text + n, "ip6.arpa", sizeof("ip6.arpa"));
	}
	if (size > 0)
		snprintf(buf, size, "%s", text);
	return buf;
}
