/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Readers and writers of a caller's buffer. Integers are in network order. The
 * first overrun sets err; later calls do nothing and return zeros. So it is
 * enough to test once at the end: rbuf_done(), wbuf_ok().
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
/* n octets in the buffer, or NULL when fewer are left. */
const uint8_t *rbuf_bytes(struct rbuf *, size_t);
/* u16 length, then so many octets in the buffer. NULL on error. */
const uint8_t *rbuf_blob(struct rbuf *, size_t *);
/* 1 when there was no error and all octets are read. */
int rbuf_done(const struct rbuf *);

void wbuf_init(struct wbuf *, void *, size_t);
void wbuf_u8(struct wbuf *, uint8_t);
void wbuf_u16(struct wbuf *, uint16_t);
void wbuf_u32(struct wbuf *, uint32_t);
void wbuf_u64(struct wbuf *, uint64_t);
void wbuf_bytes(struct wbuf *, const void *, size_t);
/* u16 length, then the octets; more than 65535 are an error. */
void wbuf_blob(struct wbuf *, const void *, size_t);
int wbuf_ok(const struct wbuf *);

#endif
