/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <string.h>

#include "proto/wire.h"

void
rbuf_init(struct rbuf *r, const void *p, size_t len)
{
	r->p = p;
	r->left = len;
	r->err = 0;
}

const uint8_t *
rbuf_bytes(struct rbuf *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->err || r->left < n) {
		r->err = 1;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint64_t
rbuf_uint(struct rbuf *r, size_t n)
{
	const uint8_t *p = rbuf_bytes(r, n);
	uint64_t v = 0;

	for (; p != NULL && n > 0; n--)
		v = v << 8 | *p++;
	return v;
}

const uint8_t *
rbuf_blob(struct rbuf *r, size_t *len)
{
	const uint8_t *p;

	*len = rbuf_u16(r);
	if ((p = rbuf_bytes(r, *len)) == NULL)
		*len = 0;
	return p;
}

int
rbuf_done(const struct rbuf *r)
{
	return !r->err && r->left == 0;
}

void
wbuf_init(struct wbuf *w, void *p, size_t size)
{
	w->p = p;
	w->size = size;
	w->len = 0;
	w->err = 0;
}

void
wbuf_bytes(struct wbuf *w, const void *p, size_t n)
{
	if (w->err || w->size - w->len < n) {
		w->err = 1;
		return;
	}
	if (n != 0)
		memcpy(w->p + w->len, p, n);
	w->len += n;
}

void
wbuf_uint(struct wbuf *w, uint64_t v, size_t n)
{
	uint8_t b[sizeof(v)];
	size_t i;

	for (i = n; i > 0; v >>= 8)
		b[--i] = v & 0xff;
	wbuf_bytes(w, b, n);
}

void
wbuf_blob(struct wbuf *w, const void *p, size_t n)
{
	if (n > UINT16_MAX) {
		w->err = 1;
		return;
	}
	wbuf_u16(w, (uint16_t)n);
	wbuf_bytes(w, p, n);
}

int
wbuf_ok(const struct wbuf *w)
{
	return !w->err;
}
