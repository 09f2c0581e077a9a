/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/json.h"
#include "proto/text.h"

#define JSON_PIECE 13 /* the longest: two \uXXXX and a NUL */

static void
put(struct json *j, const char *s)
{
	j->put(j->arg, s, strlen(s));
}

/*
 * Writes one character of a string into out, without a NUL, and sets *used to
 * its octets in the text. Returns the length written.
 */
static size_t
piece(const struct json *j, const char *s, size_t len, char *out, size_t *used)
{
	uint32_t c;
	size_t n;

	*used = n = utf8_decode(s, len, &c);
	if (n == 0) {
		*used = 1;
		c = 0xfffd;
	}
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (n != 0 && c >= 0x20 && c != 0x7f &&
	    (c < 0x80 || (!j->ascii && c >= 0xa0))) {
		memcpy(out, s, n);
		return n;
	}
	if (c < 0x10000)
		return (size_t)snprintf(out, JSON_PIECE, "\\u%04x", c);
	c -= 0x10000;
	return (size_t)snprintf(out, JSON_PIECE, "\\u%04x\\u%04x",
	    0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

/* Returns the octets of a text that fit: all, or fewer and "...". */
static size_t
fitting(const struct json *j, const char *s, size_t len)
{
	char buf[JSON_PIECE];
	size_t i, used, n, total = 0, keep = 0;

	if (j->max == 0)
		return len;
	for (i = 0; i < len; i += used) {
		n = piece(j, s + i, len - i, buf, &used);
		total += n;
		if (total > j->max)
			return keep;
		if (total + 3 <= j->max)
			keep = i + used;
	}
	return len;
}

static void
string(struct json *j, const char *s, size_t len, size_t keep)
{
	char buf[JSON_PIECE];
	size_t i, used, n;

	put(j, "\"");
	for (i = 0; i < keep; i += used) {
		n = piece(j, s + i, len - i, buf, &used);
		j->put(j->arg, buf, n);
	}
	put(j, keep < len ? "...\"" : "\"");
}

static void
line(struct json *j)
{
	unsigned int i;

	if (!j->indent)
		return;
	put(j, "\n");
	for (i = 0; i < j->depth; i++)
		put(j, "  ");
}

/* Writes the comma, line and key before a value. */
static void
begin(struct json *j, const char *key)
{
	if (j->more)
		put(j, ",");
	if (j->depth > 0)
		line(j);
	if (key != NULL) {
		string(j, key, strlen(key), strlen(key));
		put(j, j->indent ? ": " : ":");
	}
	j->more = 1;
}

void
json_open(struct json *j, const char *key, const char *c)
{
	begin(j, key);
	put(j, c);
	j->depth++;
	j->more = 0;
}

void
json_close(struct json *j, const char *c)
{
	j->depth--;
	if (j->more)
		line(j);
	put(j, c);
	j->more = 1;
}

void
json_init(struct json *j, void (*fn)(void *, const char *, size_t), void *arg)
{
	memset(j, 0, sizeof(*j));
	j->put = fn;
	j->arg = arg;
}

void
json_text(struct json *j, const char *key, const char *s, size_t len)
{
	size_t keep = fitting(j, s, len);

	begin(j, key);
	string(j, s, len, keep);
	if (keep < len)
		j->cut = 1;
}

void
json_str(struct json *j, const char *key, const char *s)
{
	if (s == NULL)
		json_null(j, key);
	else
		json_text(j, key, s, strlen(s));
}

void
json_literal(struct json *j, const char *key, const char *s)
{
	begin(j, key);
	put(j, s);
}

void
json_int(struct json *j, const char *key, int64_t v)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%" PRId64, v);
	json_literal(j, key, buf);
}

void
json_ms(struct json *j, const char *key, uint64_t usec)
{
	char buf[40];

	snprintf(buf, sizeof(buf), "%" PRIu64 ".%03u", usec / 1000,
	    (unsigned int)(usec % 1000));
	json_literal(j, key, buf);
}

void
json_buf_put(void *arg, const char *s, size_t n)
{
	struct json_buf *b = arg;

	if (b->full || n > b->size - 1 - b->len) {
		b->full = 1;
		return;
	}
	memcpy(b->p + b->len, s, n);
	b->len += n;
	b->p[b->len] = '\0';
}
