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

uint8_t
rbuf_u8(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 1);

	return p == NULL ? 0 : p[0];
}

uint16_t
rbuf_u16(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 2);

	return p == NULL ? 0 : (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
rbuf_u32(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 4);

	return p == NULL ? 0 :
			   (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}

uint64_t
rbuf_u64(struct rbuf *r)
{
	uint64_t high = rbuf_u32(r);

	return high << 32 | rbuf_u32(r);
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
wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_bytes(w, &v, 1);
}

void
wbuf_u16(struct wbuf *w, uint16_t v)
{
	uint8_t b[2] = { v >> 8, v & 0xff };

	wbuf_bytes(w, b, sizeof(b));
}

void
wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t b[4] = { v >> 24, (v >> 16) & 0xff, (v >> 8) & 0xff, v & 0xff };

	wbuf_bytes(w, b, sizeof(b));
}

void
wbuf_u64(struct wbuf *w, uint64_t v)
{
	wbuf_u32(w, (uint32_t)(v >> 32));
	wbuf_u32(w, (uint32_t)v);
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
