/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include <stddef.h>
#include <stdint.h>

/*
 * A writer of JSON (RFC 8259), which sets the commas; output goes to put() in
 * pieces. key is NULL inside an array and for the outermost value. Text is any
 * octets: control characters, C1 too, become \uXXXX; each octet that is not
 * UTF-8 becomes U+FFFD.
 */
struct json {
	void (*put)(void *, const char *, size_t);
	void *arg;
	/* options, set after json_init() */
	int indent; /* one value a line; otherwise all in one line */
	int ascii;  /* other characters as \uXXXX */
	size_t max; /* octets between quotes; 0: no limit */
	/* state */
	unsigned int depth;
	int more; /* the next value needs a comma */
	int cut;  /* a text was longer than max */
};

void json_init(struct json *, void (*put)(void *, const char *, size_t),
    void *);
void json_object(struct json *, const char *key);
void json_object_end(struct json *);
void json_array(struct json *, const char *key);
void json_array_end(struct json *);
/* NULL becomes null. Text is cut at max, between characters, with "...". */
void json_str(struct json *, const char *key, const char *);
void json_text(struct json *, const char *key, const char *, size_t);
void json_int(struct json *, const char *key, int64_t);
/* usec as milliseconds with three decimals. */
void json_ms(struct json *, const char *key, uint64_t usec);
void json_bool(struct json *, const char *key, int);
void json_null(struct json *, const char *key);

/*
 * put() for a buffer, which is NUL-terminated. A piece that does not fit is
 * dropped with all that follow, and full becomes 1.
 */
struct json_buf {
	char *p;
	size_t size, len;
	int full;
};

void json_buf_put(void *, const char *, size_t);

#endif
