/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include <stddef.h>
#include <stdint.h>

/*
 * A writer of JSON (RFC 8259) that cannot forget a comma; what it writes goes
 * to put() piece by piece. key is NULL inside an array and for the outermost
 * value. Text is any octets: controls (C1 too) come as \uXXXX, what is no
 * UTF-8 as U+FFFD, one for each octet.
 */
struct json {
	void (*put)(void *, const char *, size_t);
	void *arg;
	/* set between json_init() and the first value, as it suits */
	int indent; /* a line a value; else all in one */
	int ascii;  /* characters beyond it as \uXXXX */
	size_t max; /* octets between quotes; 0: any */
	/* its own */
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
/* NULL becomes null. Cut at max, at a whole character, it ends in "...". */
void json_str(struct json *, const char *key, const char *);
void json_text(struct json *, const char *key, const char *, size_t);
void json_int(struct json *, const char *key, int64_t);
/* usec as milliseconds with three digits. */
void json_ms(struct json *, const char *key, uint64_t usec);
void json_bool(struct json *, const char *key, int);
void json_null(struct json *, const char *key);

/*
 * put() for a buffer of one's own: NUL-terminated; what does not fit is left
 * out and full becomes 1.
 */
struct json_buf {
	char *p;
	size_t size, len;
	int full;
};

void json_buf_put(void *, const char *, size_t);

#endif
