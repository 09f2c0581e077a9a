/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzz target: payloads of SHADOW_COPY and SHADOW_RESULT. */

#include "proto/shadowmsg.h"
#include "regress/fuzz/fuzz.h"

static uint8_t again[4096];

/* A payload that is accepted must encode to the same octets. */
static void
one_copy(const uint8_t *p, size_t len)
{
	struct shadow_copy c;
	struct rbuf r;
	struct wbuf w;

	memset(&c, 0xaa, sizeof(c));
	rbuf_init(&r, p, len);
	if (shadowmsg_get_copy(&r, &c) == -1)
		return;
	wbuf_init(&w, again, sizeof(again));
	if (len < SHADOWMSG_COPY_MIN || len > SHADOWMSG_COPY_MAX ||
	    shadowmsg_put_copy(&w, &c) == -1 || w.len != len ||
	    memcmp(again, p, len) != 0)
		abort();
}

static void
one_opinion(const uint8_t *p, size_t len)
{
	struct shadow_opinion o;
	struct rbuf r;
	struct wbuf w;

	memset(&o, 0xaa, sizeof(o));
	rbuf_init(&r, p, len);
	if (shadowmsg_get_opinion(&r, &o) == -1)
		return;
	wbuf_init(&w, again, sizeof(again));
	if (len < SHADOWMSG_RESULT_MIN || len > SHADOWMSG_RESULT_MAX ||
	    shadowmsg_put_opinion(&w, &o) == -1 || w.len != len ||
	    memcmp(again, p, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len < 1)
		return 0;
	if (p[0] == 'C')
		one_copy(p + 1, len - 1);
	else
		one_opinion(p + 1, len - 1);
	return 0;
}
