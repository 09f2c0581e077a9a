/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: unit tests. The rules for the text of an address, written out:
 * what inet_pton(3) and inet_ntop(3), behind proto/addr.c, must agree with.
 */

#ifndef REGRESS_UNIT_ADDR_REFERENCE_H
#define REGRESS_UNIT_ADDR_REFERENCE_H

#include <stdio.h>
#include <string.h>

#include "proto/addr.h"

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

static int
reference_parse(struct addr *a, const char *s, size_t len)
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

static char *
reference_format(const struct addr *a, char *buf, size_t size)
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

#endif
