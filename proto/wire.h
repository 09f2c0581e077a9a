/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Cursors over a caller's buffer. Integers are in network order. The first
 * overrun sets err, and every later call is a no-op that returns zeros, so
 * that a decoder tests once, at its end: rbuf_done(), wbuf_ok().
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
uint8_t rbuf_u8(struct rbuf *);
uint16_t rbuf_u16(struct rbuf *);
uint32_t rbuf_u32(struct rbuf *);
uint64_t rbuf_u64(struct rbuf *);
/* n octets inside the buffer, or NULL (and err) when fewer are left. */
const uint8_t *rbuf_bytes(struct rbuf *, size_t);
/* u16 length and octets; the octets stay in the buffer. NULL on error. */
const uint8_t *rbuf_blob(struct rbuf *, size_t *);
/* 1: no error and everything consumed. */
int rbuf_done(const struct rbuf *);

void wbuf_init(struct wbuf *, void *, size_t);
void wbuf_u8(struct wbuf *, uint8_t);
void wbuf_u16(struct wbuf *, uint16_t);
void wbuf_u32(struct wbuf *, uint32_t);
void wbuf_u64(struct wbuf *, uint64_t);
void wbuf_bytes(struct wbuf *, const void *, size_t);
/* u16 length and octets; more than 65535 octets is an error. */
void wbuf_blob(struct wbuf *, const void *, size_t);
int wbuf_ok(const struct wbuf *);

#endif
