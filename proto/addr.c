/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/text.h"

int
addr_parse(struct addr *a, const char *s, size_t len)
{
	int v6 = memchr(s, ':', len) != NULL;
	char text[ADDR_STRLEN];

	memset(a, 0, sizeof(*a));
	if (len >= sizeof(text) || memchr(s, '\0', len) != NULL)
		return -1;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, a->b) != 1)
		return -1;
	a->family = v6 ? 6 : 4;
	return 0;
}

char *
addr_format(const struct addr *a, char *buf, size_t size)
{
	static const uint8_t zero[12];
	const uint8_t *b = a->b;

	buf[0] = '\0';
	/*
	 * inet_ntop(3) writes ::102:304 as ::1.2.3.4; Python's ipaddress, and
	 * so spf-engine, does not.
	 */
	if (a->family == 6 && memcmp(b, zero, sizeof(zero)) == 0 &&
	    (b[12] != 0 || b[13] != 0))
		snprintf(buf, size, "::%x:%x", b[12] << 8 | b[13],
		    b[14] << 8 | b[15]);
	else if (a->family == 4 || a->family == 6)
		(void)inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, b, buf,
		    (socklen_t)size);
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
	size_t len = a->family == 4 ? 4 : a->family == 6 ? 16 : 0;

	return a->family == b->family && memcmp(a->b, b->b, len) == 0;
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
	unsigned int i = c->len / 8, bits = c->len % 8;

	for (; i < sizeof(c->a.b); i++, bits = 0)
		c->a.b[i] &= (uint8_t)(0xff00U >> bits);
}

/* Prefix length of a netmask or hostmask, or -1. 0.0.0.0 is a netmask. */
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
 * A length may have leading zeros: Python's ipaddress, which reads these lists
 * in spf-engine, allows them. The parser of SPF records does not.
 */
int
cidr_parse(struct cidr *c, const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t alen = slash == NULL ? len : (size_t)(slash - s);
	size_t i, rest;
	struct addr mask;
	unsigned int v = 0, max;
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
	for (i = 0; i < rest && i < 3 && ascii_is_digit(slash[i]); i++)
		v = v * 10 + (unsigned int)(slash[i] - '0');
	if (i > 0 && i == rest) {
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
