/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: fuzz target: any octets as a JSON string. It is bounded, printable,
 * and decodes to the same text, with U+FFFD for each octet that is not UTF-8.
 */

#include "proto/json.h"
#include "proto/text.h"
#include "regress/fuzz/fuzz.h"

static char out[1 << 20], back[1 << 20];

static unsigned int
hex4(const char *p)
{
	unsigned int v = 0, i;
	const char *d, digits[] = "0123456789abcdef";

	for (i = 0; i < 4; i++) {
		if (p[i] == '\0' || (d = strchr(digits, p[i])) == NULL)
			abort();
		v = v << 4 | (unsigned int)(d - digits);
	}
	return v;
}

static size_t
put_utf8(char *p, unsigned int c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; c >>= 6)
		p[i] = (char)(0x80 | (c & 0x3f));
	p[0] = (char)(first[n] | c);
	return n;
}

/* Decodes a JSON string to UTF-8. Aborts when it is none. */
static size_t
decode(const char *p, size_t n, int ascii)
{
	const char *end = p + n;
	unsigned int c, low;
	size_t len = 0, k;

	while (p < end) {
		c = (unsigned char)*p;
		if (c < 0x20 || c == '"' || c == 0x7f || (ascii && c > 0x7e))
			abort();
		if (c != '\\') {
			if ((k = utf8_len(p, (size_t)(end - p))) == 0 ||
			    !utf8_clean(p, k))
				abort();
			memcpy(back + len, p, k);
			len += k;
			p += k;
			continue;
		}
		if (p[1] == '"' || p[1] == '\\') {
			back[len++] = p[1];
			p += 2;
			continue;
		}
		if (p[1] != 'u')
			abort();
		c = hex4(p + 2);
		p += 6;
		if (c >= 0xd800 && c < 0xdc00) {
			if (p[0] != '\\' || p[1] != 'u')
				abort();
			low = hex4(p + 2);
			if (low < 0xdc00 || low > 0xdfff)
				abort();
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p += 6;
		}
		len += put_utf8(back + len, c);
	}
	return len;
}

/* The expected text: U+FFFD for each octet that is not UTF-8. */
static void
compare(const char *s, size_t n, size_t len)
{
	size_t i, k, o = 0;

	for (i = 0; i < n; i += k) {
		if ((k = utf8_len(s + i, n - i)) == 0) {
			k = 1;
			if (len - o < 3 ||
			    memcmp(back + o, "\xef\xbf\xbd", 3) != 0)
				abort();
			o += 3;
		} else {
			if (len - o < k || memcmp(back + o, s + i, k) != 0)
				abort();
			o += k;
		}
	}
	if (o != len)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json_buf buf = { out, sizeof(out), 0, 0 };
	struct json j;
	const char *s;
	size_t len;

	if (n < 2 || n > 60000)
		return 0;
	json_init(&j, json_buf_put, &buf);
	j.ascii = data[0] & 1;
	j.indent = data[0] & 2;
	j.max = (data[0] & 4) != 0 ? 8 + (size_t)data[1] : 0;
	s = (const char *)data + 2;
	n -= 2;
	json_text(&j, NULL, s, n);
	if (buf.full || buf.len < 2 || out[0] != '"' ||
	    out[buf.len - 1] != '"' || (j.max != 0 && buf.len > j.max + 2))
		abort();
	len = decode(out + 1, buf.len - 2, j.ascii);
	if (!j.cut)
		compare(s, n, len);
	else if (len < 3 || memcmp(back + len - 3, "...", 3) != 0)
		abort();
	return 0;
}
