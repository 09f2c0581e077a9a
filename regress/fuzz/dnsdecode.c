/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzz target: a DNS message, after one octet that picks the type. */

#include "dns/decode.h"
#include "regress/fuzz/fuzz.h"

static const uint16_t types[] = { DNS_T_A, DNS_T_PTR, DNS_T_MX, DNS_T_TXT,
	DNS_T_AAAA };

static int
inside(const uint8_t *p, size_t n, const uint8_t *from, size_t size)
{
	return p >= from && (size_t)(p - from) <= size &&
	    size - (size_t)(p - from) >= n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct dns_rr rr[DNSMSG_MAXRR], rr2[DNSMSG_MAXRR];
	static uint8_t out[2 * 65536];
	uint8_t *buf;
	size_t bufsize;
	struct dns_answer a, b;
	struct wbuf w;
	struct rbuf r;
	enum dns_decoded rv;
	uint16_t i, type;

	if (len < 1 || len > 65536)
		return 0;
	type = types[p[0] % (NITEMS(types))];
	bufsize = p[0] & 0x80 ? 64 : 65536;
	p++;
	len--;
	buf = malloc(bufsize);
	memset(&a, 0, sizeof(a));
	rv = dns_decode(p, len, type, &a, rr, DNSMSG_MAXRR, buf, bufsize);
	if (rv != DECODE_OK && (a.status != DNS_TEMPERROR || a.nrr != 0))
		abort();
	for (i = 0; i < a.nrr; i++)
		if (!inside(rr[i].data, rr[i].len, buf, bufsize) &&
		    !inside(rr[i].data, rr[i].len, p, len))
			abort();
	/* Workers must accept each answer that dns makes. */
	wbuf_init(&w, out, sizeof(out));
	if (dnsmsg_put_answer(&w, &a) == -1)
		abort();
	rbuf_init(&r, out, w.len);
	if (dnsmsg_get_answer(&r, &b, rr2, DNSMSG_MAXRR) == -1 ||
	    b.nrr != a.nrr)
		abort();
	free(buf);
	return 0;
}
