/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include "proto/wire.h"
#include "regress/unit/check.h"

static void
test_write(void)
{
	static const char want[] = "\1\2\3\4\5\6\7\0\2abc\10\7\6\5\4\3\2\1";
	uint8_t buf[20], *three = malloc(3);
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u8(&w, 0x01);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_blob(&w, "ab", 2);
	wbuf_bytes(&w, "c", 1);
	wbuf_u64(&w, 0x0807060504030201);
	check("wire-write-fits", wbuf_ok(&w));
	check_mem("wire-write-network-order", buf, w.len, want, 20);
	wbuf_bytes(&w, NULL, 0);
	check("wire-write-nothing-when-full", wbuf_ok(&w));
	wbuf_u8(&w, 9);
	check("wire-write-full", !wbuf_ok(&w));
	check_int("wire-write-full-length", w.len, 20);

	/* After an overrun all later calls fail, even those that fit. */
	wbuf_init(&w, three, 3);
	wbuf_u32(&w, 1);
	wbuf_u8(&w, 1);
	check("wire-write-error-stays", !wbuf_ok(&w));
	check_int("wire-write-error-length", w.len, 0);
	free(three);
}

static void
test_write_blob_limit(void)
{
	static uint8_t big[70000], buf[70000];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_blob(&w, big, 65535);
	check_int("wire-blob-65535", wbuf_ok(&w) ? w.len : 0, 65537);
	check_mem("wire-blob-65535-length", buf, 2, "\377\377", 2);
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_blob(&w, big, 65536);
	check("wire-blob-65536-refused", !wbuf_ok(&w));
	check_int("wire-blob-65536-length", w.len, 0);
}

static void
test_read(void)
{
	static const char in[] =
	    "\377\376\375\374\373\372\371\10\7\6\5\4\3\2\1\0\2abc";
	const uint8_t *p;
	struct rbuf r;
	size_t len;

	rbuf_init(&r, in, sizeof(in) - 1);
	check_int("wire-read-u8", rbuf_u8(&r), 0xff);
	check_int("wire-read-u16", rbuf_u16(&r), 0xfefd);
	check_int("wire-read-u32", rbuf_u32(&r), 0xfcfbfaf9);
	check_int("wire-read-u64", rbuf_u64(&r), 0x0807060504030201);
	p = rbuf_blob(&r, &len);
	check_mem("wire-read-blob", p, len, "ab", 2);
	check("wire-read-not-done", !rbuf_done(&r));
	check_mem("wire-read-rest", rbuf_bytes(&r, 1), 1, "c", 1);
	check("wire-read-done", rbuf_done(&r));
}

static void
test_read_short(void)
{
	uint8_t *in = malloc(3);
	struct rbuf r;
	size_t len = 7;

	memcpy(in, "\0\2a", 3);
	rbuf_init(&r, in, 3);
	check("wire-read-blob-short", rbuf_blob(&r, &len) == NULL && r.err);
	check_int("wire-read-blob-length", len, 0);
	check_int("wire-read-error-stays", rbuf_u8(&r), 0);
	check("wire-read-error-stays-for-octets", rbuf_bytes(&r, 0) == NULL);
	check("wire-read-error-is-not-done", !rbuf_done(&r));
	rbuf_init(&r, in, 3);
	check_int("wire-read-u32-short", rbuf_u32(&r), 0);
	check("wire-read-u32-error", r.err && !rbuf_done(&r));
	rbuf_init(&r, in, 0);
	check("wire-read-empty-done", rbuf_done(&r));
	free(in);
}

int
main(void)
{
	test_write();
	test_write_blob_limit();
	test_read();
	test_read_short();
	return check_exit();
}
