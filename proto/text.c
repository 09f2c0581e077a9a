/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <string.h>

#include "proto/text.h"

/* RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
static const struct {
	unsigned char lo, hi;	/* first octet */
	unsigned char lo2, hi2; /* second octet */
	unsigned char len;
} utf8_forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

int
ascii_only(const char *s, size_t len)
{
	while (len > 0 && (s[len - 1] & 0x80) == 0)
		len--;
	return len == 0;
}

size_t
utf8_len(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i, j;

	if (len == 0)
		return 0;
	for (i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++)
		if (p[0] >= utf8_forms[i].lo && p[0] <= utf8_forms[i].hi)
			break;
	if (i == sizeof(utf8_forms) / sizeof(utf8_forms[0]) ||
	    utf8_forms[i].len > len)
		return 0;
	if (utf8_forms[i].len > 1 &&
	    (p[1] < utf8_forms[i].lo2 || p[1] > utf8_forms[i].hi2))
		return 0;
	for (j = 2; j < utf8_forms[i].len; j++)
		if (p[j] < 0x80 || p[j] > 0xbf)
			return 0;
	return utf8_forms[i].len;
}

/* The legal sequence is a C0, DEL or C1 (U+0080..U+009F) control. */
static int
is_control(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	if (n == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

/*
 * The legal sequence is a character that shows its neighbours in another
 * order (UAX 9 2) or on another line (U+2028, U+2029).
 */
static int
is_reordering(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	if (n == 2)
		return p[0] == 0xd8 && p[1] == 0x9c;
	if (n != 3 || p[0] != 0xe2)
		return 0;
	return (p[1] == 0x80 &&
		   (p[2] == 0x8e || p[2] == 0x8f ||
		       (p[2] >= 0xa8 && p[2] <= 0xae))) ||
	    (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

int
utf8_clean(const char *s, size_t len)
{
	size_t i, n;

	for (i = 0; i < len; i += n)
		if ((n = utf8_len(s + i, len - i)) == 0 || is_control(s + i, n))
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
	size_t i, n, w, o = 0;

	if (size == 0)
		return 0;
	for (i = 0; i < len; i += n) {
		n = utf8_len(s + i, len - i);
		from = s + i;
		w = n;
		if (n == 0 || is_control(s + i, n) || is_reordering(s + i, n)) {
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
