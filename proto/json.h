/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include <stddef.h>
#include <stdint.h>

/*
 * A writer of JSON (RFC 8259), which sets the commas and passes its output to
 * put() in pieces. key is NULL inside an array and for the outermost value.
 * Text may hold any octets: control characters (C0, DEL, C1) become \uXXXX, and
 * each octet that is not UTF-8 becomes U+FFFD.
 */
struct json {
	void (*put)(void *, const char *, size_t);
	void *arg;
	/* options, set after json_init() */
	int indent; /* one value per line; otherwise all in one line */
	int ascii;  /* write characters outside ASCII as \uXXXX */
	size_t max; /* octets between quotes; 0: no limit */
	/* state */
	unsigned int depth;
	int more; /* the next value needs a comma */
	int cut;  /* a text was longer than max */
};

void json_init(struct json *, void (*put)(void *, const char *, size_t),
    void *);
/* Begin and end a value with this bracket. */
void json_open(struct json *, const char *key, const char *bracket);
void json_close(struct json *, const char *bracket);
#define json_object(j, key) json_open(j, key, "{")
#define json_object_end(j)  json_close(j, "}")
#define json_array(j, key)  json_open(j, key, "[")
#define json_array_end(j)   json_close(j, "]")
/* NULL becomes null. Text is cut at max, between characters, with "...". */
void json_str(struct json *, const char *key, const char *);
void json_text(struct json *, const char *key, const char *, size_t);
void json_int(struct json *, const char *key, int64_t);
/* usec as milliseconds with three decimals. */
void json_ms(struct json *, const char *key, uint64_t usec);
/* A value that is already JSON. */
void json_literal(struct json *, const char *key, const char *);
#define json_bool(j, key, v) json_literal(j, key, (v) ? "true" : "false")
#define json_null(j, key)    json_literal(j, key, "null")

/*
 * put() for a buffer, which is NUL-terminated. The first piece that does not
 * fit and all later ones are dropped, and full becomes 1.
 */
struct json_buf {
	char *p;
	size_t size, len;
	int full;
};

void json_buf_put(void *, const char *, size_t);

#endif
