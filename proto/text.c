/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <string.h>

#include "proto/text.h"

int
ascii_only(const char *s, size_t len)
{
	while (len > 0 && (s[len - 1] & 0x80) == 0)
		len--;
	return len == 0;
}

/* RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t
utf8_decode(const char *s, size_t len, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t i, n;

	if (len == 0 || (p[0] >= 0x80 && p[0] < 0xc0) || p[0] >= 0xf8)
		return 0;
	n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	*c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

size_t
utf8_len(const char *s, size_t len)
{
	uint32_t c;

	return utf8_decode(s, len, &c);
}

/* C0, DEL and C1. */
static int
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

/* Moves its neighbours to another place (UAX 9 2) or to another line. */
static int
is_reordering(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

int
utf8_clean(const char *s, size_t len)
{
	uint32_t c;
	size_t i, n;

	for (i = 0; i < len; i += n)
		if ((n = utf8_decode(s + i, len - i, &c)) == 0 || is_control(c))
			return 0;
	return 1;
}

/* C1 controls are legal UTF-8, but terminals obey them: escape them. */
size_t
text_escape_log(char *out, size_t size, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char piece[4];
	const char *from;
	uint32_t c;
	size_t i, n, w, o = 0;

	if (size == 0)
		return 0;
	for (i = 0; i < len; i += n) {
		n = utf8_decode(s + i, len - i, &c);
		from = s + i;
		w = n;
		if (n == 0 || is_control(c) || is_reordering(c)) {
			n = 1;
			piece[0] = '\\';
			piece[1] = 'x';
			piece[2] = hex[(unsigned char)s[i] >> 4];
			piece[3] = hex[(unsigned char)s[i] & 15];
			from = piece;
			w = 4;
		} else if (s[i] == '\\') {
			piece[0] = piece[1] = '\\';
			from = piece;
			w = 2;
		}
		if (w > size - 1 - o)
			break;
		memcpy(out + o, from, w);
		o += w;
	}
	out[o] = '\0';
	return o;
}
