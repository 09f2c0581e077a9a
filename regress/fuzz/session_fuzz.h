/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: fuzz targets. A connection without a socket: one input in pieces
 * of odd lengths to a session, whose answers are kept for the target to look
 * at.
 */

#ifndef SESSION_FUZZ_H
#define SESSION_FUZZ_H

#include "regress/fuzz/fuzz.h"
#include "regress/unit/session_stubs.h"
#include "unpriv/worker/session.h"

struct conn {
	const struct session_ops *ops;
	void *session;
	uint8_t *out;
	size_t len, size;
	int failed;
};

void
conn_send(struct conn *c, const void *p, size_t n)
{
	if (c->size - c->len < n) {
		c->size = (c->len + n) * 2;
		if ((c->out = realloc(c->out, c->size)) == NULL)
			abort();
	}
	memcpy(c->out + c->len, p, n);
	c->len += n;
}

int
conn_fail(struct conn *c, const char *why)
{
	if (why == NULL)
		abort();
	c->failed = 1;
	return -1;
}

void
conn_progress(struct conn *c)
{
}

void
conn_resume(struct conn *c)
{
}

/* Ends what the session waits for; 0 when it would wait for ever. */
static int
fuzz_unwait(struct conn *c)
{
	size_t i;

	for (i = 0; i < 64; i++)
		if (stub_asked[i].ev != NULL) {
			stub_answer(-1, 0, (void *)(uintptr_t)i);
			return 1;
		}
	if (stub_pending == NULL)
		return 0;
	stub_later(-1, 0, stub_pending);
	return 1;
}

/*
 * The first octet chooses the piece's length. What a session leaves is given
 * again with more behind it, in memory that ends where the input ends.
 */
static void
fuzz_run(struct conn *c, const struct session_ops *ops, struct conn_env *env,
    const uint8_t *data, size_t n)
{
	size_t piece, have = 0, off = 0;
	uint8_t *copy;
	ssize_t k;

	memset(c, 0, sizeof(*c));
	c->ops = ops;
	if ((c->session = ops->start(c, env)) == NULL)
		abort();
	piece = n == 0 || data[0] == 0 ? n : data[0];
	stub_log[0] = '\0';
	while (off < n) {
		have = have + piece > n - off ? n - off : have + piece;
		if ((copy = malloc(have)) == NULL)
			abort();
		memcpy(copy, data + off, have);
		k = ops->input(c->session, copy, have);
		free(copy);
		if (k == -1)
			break;
		while (ops->state(c->session) == SESSION_BUSY && fuzz_unwait(c))
			;
		if (ops->state(c->session) == SESSION_BUSY)
			abort();
		off += (size_t)k;
		have -= (size_t)k;
		if (k == 0 && have == n - off)
			break;
	}
	ops->end(c->session);
	for (k = 0; k < 64; k++)
		if (stub_asked[k].ev != NULL)
			abort(); /* a question that nobody waits for */
	if (stub_pending != NULL)
		abort();
}

#endif
