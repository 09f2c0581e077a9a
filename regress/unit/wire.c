/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include "proto/wire.h"
#include "regress/unit/check.h"

static void
test_write(void)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 0, 2, 'a', 'b',
		'c', 8, 7, 6, 5, 4, 3, 2, 1 };
	uint8_t buf[20];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u8(&w, 0x01);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_blob(&w, "ab", 2);
	wbuf_bytes(&w, "c", 1);
	wbuf_u64(&w, 0x0807060504030201);
	check("wire-write-network-order",
	    wbuf_ok(&w) && w.len == 20 && memcmp(buf, want, 20) == 0);
	wbuf_bytes(&w, NULL, 0);
	check("wire-write-nothing-when-full", wbuf_ok(&w));
	wbuf_u8(&w, 9);
	check("wire-write-full", !wbuf_ok(&w) && w.len == 20);
}

/* After an overrun all later calls fail, even those that fit. */
static void
test_write_sticky(void)
{
	uint8_t *buf = malloc(3);
	struct wbuf w;

	wbuf_init(&w, buf, 3);
	wbuf_u32(&w, 1);
	wbuf_u8(&w, 1);
	check("wire-write-error-stays", !wbuf_ok(&w) && w.len == 0);
	free(buf);
}

static void
test_write_blob_limit(void)
{
	static uint8_t big[70000], buf[70000];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_blob(&w, big, 65535);
	check("wire-blob-65535",
	    wbuf_ok(&w) && w.len == 65537 && buf[0] == 0xff && buf[1] == 0xff);
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_blob(&w, big, 65536);
	check("wire-blob-65536-refused", !wbuf_ok(&w) && w.len == 0);
}

static void
test_read(void)
{
	static const uint8_t in[] = { 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9,
		8, 7, 6, 5, 4, 3, 2, 1, 0, 2, 'a', 'b', 'c' };
	const uint8_t *blob, *rest;
	struct rbuf r;
	size_t len;
	int done;

	rbuf_init(&r, in, sizeof(in));
	check_int("wire-read-u8", rbuf_u8(&r), 0xff);
	check_int("wire-read-u16", rbuf_u16(&r), 0xfefd);
	check_int("wire-read-u32", rbuf_u32(&r), 0xfcfbfaf9);
	check_int("wire-read-u64", rbuf_u64(&r), 0x0807060504030201);
	blob = rbuf_blob(&r, &len);
	check("wire-read-blob", blob == in + 17 && len == 2);
	done = rbuf_done(&r);
	rest = rbuf_bytes(&r, 1);
	check("wire-read-rest", !done && rest == in + 19 && rbuf_done(&r));
}

static void
test_read_short(void)
{
	uint8_t *in = malloc(3);
	const uint8_t *p;
	struct rbuf r;
	size_t len = 7;

	memcpy(in, "\0\2a", 3);
	rbuf_init(&r, in, 3);
	p = rbuf_blob(&r, &len);
	check("wire-read-blob-short", p == NULL && len == 0 && r.err);
	check("wire-read-error-stays",
	    rbuf_u8(&r) == 0 && rbuf_bytes(&r, 0) == NULL && !rbuf_done(&r));
	rbuf_init(&r, in, 3);
	check("wire-read-u32-short",
	    rbuf_u32(&r) == 0 && r.err && !rbuf_done(&r));
	rbuf_init(&r, in, 0);
	check("wire-read-empty-done", rbuf_done(&r));
	free(in);
}

int
main(void)
{
	test_write();
	test_write_sticky();
	test_write_blob_limit();
	test_read();
	test_read_short();
	return check_exit();
}
