/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzz target: payloads of QUERY and ANSWER. */

#include "proto/dnsmsg.h"
#include "proto/dname.h"
#include "regress/fuzz/fuzz.h"

static uint8_t again[70000];

/* A payload that is accepted must encode to the same octets. */
static void
one_query(const uint8_t *p, size_t len)
{
	const char *name;
	struct rbuf r;
	struct wbuf w;
	uint16_t type;
	size_t n;

	rbuf_init(&r, p, len);
	if (dnsmsg_get_query(&r, &type, &name, &n) == -1)
		return;
	wbuf_init(&w, again, sizeof(again));
	if (n > DNAME_MAX || dnsmsg_put_query(&w, type, name, n) == -1 ||
	    w.len != len || memcmp(again, p, len) != 0)
		abort();
}

static void
one_answer(const uint8_t *p, size_t len)
{
	static struct dns_rr rr[DNSMSG_MAXRR];
	struct dns_answer a;
	struct rbuf r;
	struct wbuf w;
	uint16_t i;

	rbuf_init(&r, p, len);
	if (dnsmsg_get_answer(&r, &a, rr, DNSMSG_MAXRR) == -1)
		return;
	for (i = 0; i < a.nrr; i++)
		if (rr[i].data < p || rr[i].data + rr[i].len > p + len)
			abort();
	wbuf_init(&w, again, sizeof(again));
	if (dnsmsg_put_answer(&w, &a) == -1 || w.len != len ||
	    memcmp(again, p, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len < 1 || len > 65536)
		return 0;
	if (p[0] == 'Q')
		one_query(p + 1, len - 1);
	else
		one_answer(p + 1, len - 1);
	return 0;
}
