/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Readers and writers of a caller's buffer. Integers are in network order. The
 * first overrun sets err; later calls do nothing and return zeros. So one test
 * at the end is enough: rbuf_done(), wbuf_ok().
 */
struct rbuf {
	const uint8_t *p;
	size_t left;
	int err;
};

struct wbuf {
	uint8_t *p;
	size_t size;
	size_t len;
	int err;
};

void rbuf_init(struct rbuf *, const void *, size_t);
/* An integer of n octets, at most 8. */
uint64_t rbuf_uint(struct rbuf *, size_t n);
#define rbuf_u8(r)  ((uint8_t)rbuf_uint(r, 1))
#define rbuf_u16(r) ((uint16_t)rbuf_uint(r, 2))
#define rbuf_u32(r) ((uint32_t)rbuf_uint(r, 4))
#define rbuf_u64(r) rbuf_uint(r, 8)
/* n octets in the buffer, or NULL when fewer are left. */
const uint8_t *rbuf_bytes(struct rbuf *, size_t);
/* A u16 length and that many octets in the buffer. NULL on error. */
const uint8_t *rbuf_blob(struct rbuf *, size_t *);
/* 1 when there was no error and all octets are read. */
int rbuf_done(const struct rbuf *);

void wbuf_init(struct wbuf *, void *, size_t);
/* The lowest n octets of an integer, at most 8. */
void wbuf_uint(struct wbuf *, uint64_t, size_t n);
#define wbuf_u8(w, v)  wbuf_uint(w, v, 1)
#define wbuf_u16(w, v) wbuf_uint(w, v, 2)
#define wbuf_u32(w, v) wbuf_uint(w, v, 4)
#define wbuf_u64(w, v) wbuf_uint(w, v, 8)
void wbuf_bytes(struct wbuf *, const void *, size_t);
/* A u16 length and the octets; more than 65535 are an error. */
void wbuf_blob(struct wbuf *, const void *, size_t);
int wbuf_ok(const struct wbuf *);

#endif
