/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include <stdlib.h>
#include <string.h>

#include "proto/dnsmsg.h"
#include "regress/unit/check.h"

static uint8_t buf[70000];

/* Encodes a query unchecked; returns the length, or 0. */
static size_t
raw_query(uint16_t type, const char *name, size_t len)
{
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u16(&w, type);
	wbuf_blob(&w, name, len);
	return w.len;
}

static int
get_query(size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	const char *name;
	struct rbuf r;
	uint16_t type;
	size_t nlen;
	int rv;

	/* A heap copy, so that sanitizers detect overruns. */
	memcpy(copy, buf, len);
	rbuf_init(&r, copy, len);
	rv = dnsmsg_get_query(&r, &type, &name, &nlen);
	free(copy);
	return rv;
}

static void
test_query(void)
{
	static const uint8_t want[] = { 0, 16, 0, 6, 'a', '.', 't', 'e', 's',
		't' };
	char label[64];
	const char *name;
	struct wbuf w;
	struct rbuf r;
	uint16_t type;
	size_t len;
	int rv;

	wbuf_init(&w, buf, sizeof(buf));
	rv = dnsmsg_put_query(&w, DNS_T_TXT, "a.test", 6);
	check("dnsmsg-query-put",
	    rv == 0 && w.len == sizeof(want) &&
		memcmp(buf, want, sizeof(want)) == 0);
	rbuf_init(&r, buf, w.len);
	rv = dnsmsg_get_query(&r, &type, &name, &len);
	check("dnsmsg-query-get",
	    rv == 0 && type == DNS_T_TXT && len == 6 &&
		memcmp(name, "a.test", 6) == 0);

	rv = dnsmsg_put_query(&w, 99, "a.test", 6);
	check_int("dnsmsg-query-put-type", rv, -1);
	rv = dnsmsg_put_query(&w, DNS_T_A, "a..test", 7);
	check_int("dnsmsg-query-put-name", rv, -1);
	wbuf_init(&w, buf, 9);
	rv = dnsmsg_put_query(&w, DNS_T_A, "a.test", 6);
	check_int("dnsmsg-query-put-room", rv, -1);

	memset(label, 'x', sizeof(label));
	check_int("dnsmsg-query-good", get_query(raw_query(1, "a.test", 6)), 0);
	check_int("dnsmsg-query-type", get_query(raw_query(2, "a.test", 6)),
	    -1);
	check_int("dnsmsg-query-empty", get_query(raw_query(1, "", 0)), -1);
	check_int("dnsmsg-query-label-63", get_query(raw_query(1, label, 63)),
	    0);
	check_int("dnsmsg-query-label-64", get_query(raw_query(1, label, 64)),
	    -1);
	check_int("dnsmsg-query-trailing",
	    get_query(raw_query(1, "a.test", 6) + 1), -1);
	check_int("dnsmsg-query-short",
	    get_query(raw_query(1, "a.test", 6) - 1), -1);
	check_int("dnsmsg-query-nothing", get_query(0), -1);
}

static struct dns_rr rrs[DNSMSG_MAXRR + 1];

static struct dns_answer
answer(uint8_t status, uint16_t type, uint16_t nrr)
{
	struct dns_answer a = { .status = status,
		.secure = 1,
		.cached = 0,
		.type = type,
		.ttl = 0x01020304,
		.usec = 0x05060708,
		.nrr = nrr,
		.rr = rrs };

	return a;
}

/* Encodes and decodes. 0 when the result is the same. */
static int
round_trip(const struct dns_answer *a)
{
	static struct dns_rr got[DNSMSG_MAXRR];
	struct dns_answer b;
	struct wbuf w;
	struct rbuf r;
	uint16_t i;

	wbuf_init(&w, buf, DNSMSG_ANSWER_MAX);
	if (dnsmsg_put_answer(&w, a) == -1)
		return -1;
	rbuf_init(&r, buf, w.len);
	if (dnsmsg_get_answer(&r, &b, got, DNSMSG_MAXRR) == -1)
		return -2;
	if (a->status != b.status || a->secure != b.secure ||
	    a->cached != b.cached || a->type != b.type || a->ttl != b.ttl ||
	    a->usec != b.usec || a->nrr != b.nrr)
		return -3;
	for (i = 0; i < a->nrr; i++)
		if (a->rr[i].len != b.rr[i].len ||
		    a->rr[i].aux != b.rr[i].aux ||
		    memcmp(a->rr[i].data, b.rr[i].data, b.rr[i].len) != 0)
			return -4;
	return 0;
}

static struct dns_rr
rr(const char *data, size_t len, uint16_t aux)
{
	struct dns_rr x = { (const uint8_t *)data, (uint16_t)len, aux };

	return x;
}

static void
test_answer(void)
{
	struct dns_answer a;

	rrs[0] = rr("v=spf1 -all", 11, 11);
	rrs[1] = rr("", 0, 0);
	a = answer(DNS_OK, DNS_T_TXT, 2);
	check_int("dnsmsg-answer-txt", round_trip(&a), 0);
	rrs[0] = rr("\xc0\0\2\1", 4, 0);
	a = answer(DNS_OK, DNS_T_A, 1);
	check_int("dnsmsg-answer-a", round_trip(&a), 0);
	rrs[0] = rr("0123456789abcdef", 16, 0);
	a = answer(DNS_OK, DNS_T_AAAA, 1);
	check_int("dnsmsg-answer-aaaa", round_trip(&a), 0);
	rrs[0] = rr("mx.test", 7, 65535);
	rrs[1] = rr("", 0, 0);
	rrs[2] = rr("\0", 1, 10);
	a = answer(DNS_OK, DNS_T_MX, 3);
	check_int("dnsmsg-answer-mx", round_trip(&a), 0);
	rrs[0] = rr("host.test", 9, 0);
	a = answer(DNS_OK, DNS_T_PTR, 1);
	check_int("dnsmsg-answer-ptr", round_trip(&a), 0);
	a = answer(DNS_NXDOMAIN, DNS_T_TXT, 0);
	check_int("dnsmsg-answer-nxdomain", round_trip(&a), 0);
	a = answer(DNS_TIMEOUT, DNS_T_TXT, 0);
	check_int("dnsmsg-answer-timeout", round_trip(&a), 0);
}

static void
test_answer_limits(void)
{
	static char text[65000];
	struct dns_answer a;
	size_t i;

	for (i = 0; i < DNSMSG_MAXRR + 1; i++)
		rrs[i] = rr("\1\2\3\4", 4, 0);
	a = answer(DNS_OK, DNS_T_A, DNSMSG_MAXRR);
	check_int("dnsmsg-answer-maxrr", round_trip(&a), 0);
	a = answer(DNS_OK, DNS_T_A, DNSMSG_MAXRR + 1);
	check_int("dnsmsg-answer-over-maxrr", round_trip(&a), -1);
	rrs[0] = rr(text, 65000 - 15 - 4, 255);
	a = answer(DNS_OK, DNS_T_TXT, 1);
	check_int("dnsmsg-answer-largest", round_trip(&a), 0);
	rrs[0].len++;
	check_int("dnsmsg-answer-too-large", round_trip(&a), -1);
}

/* Answers that the encoder must refuse. */
static void
test_answer_put_refuses(void)
{
	static const struct {
		const char *name;
		uint8_t status, secure, cached;
		uint16_t type, nrr;
		const char *data;
		uint16_t len, aux;
	} bad[] = {
		{ "status-0", DNS_NONE, 0, 0, 1, 0, "", 0, 0 },
		{ "status-max", DNS_STATUS_MAX, 0, 0, 1, 0, "", 0, 0 },
		{ "secure-2", DNS_NODATA, 2, 0, 1, 0, "", 0, 0 },
		{ "cached-2", DNS_NODATA, 0, 2, 1, 0, "", 0, 0 },
		{ "type", DNS_NODATA, 0, 0, 2, 0, "", 0, 0 },
		{ "ok-empty", DNS_OK, 0, 0, 1, 0, "", 0, 0 },
		{ "nodata-full", DNS_NODATA, 0, 0, 1, 1, "1234", 4, 0 },
		{ "a-3", DNS_OK, 0, 0, 1, 1, "123", 3, 0 },
		{ "a-aux", DNS_OK, 0, 0, 1, 1, "1234", 4, 1 },
		{ "aaaa-4", DNS_OK, 0, 0, 28, 1, "1234", 4, 0 },
		{ "txt-aux", DNS_OK, 0, 0, 16, 1, "1234", 4, 5 },
		{ "ptr-name", DNS_OK, 0, 0, 12, 1, "a..b", 4, 0 },
		{ "ptr-aux", DNS_OK, 0, 0, 12, 1, "a.b", 3, 1 },
		{ "mx-name", DNS_OK, 0, 0, 15, 1, ".", 1, 0 },
	};
	struct dns_answer a;
	char name[64];
	size_t i;

	for (i = 0; i < NITEMS(bad); i++) {
		a = answer(bad[i].status, bad[i].type, bad[i].nrr);
		a.secure = bad[i].secure;
		a.cached = bad[i].cached;
		rrs[0] = rr(bad[i].data, bad[i].len, bad[i].aux);
		snprintf(name, sizeof(name), "dnsmsg-put-refuses-%s",
		    bad[i].name);
		check_int(name, round_trip(&a), -1);
	}
}

static int
get_raw(const char *p, size_t len, size_t maxrr)
{
	static struct dns_rr got[DNSMSG_MAXRR];
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct dns_answer a;
	struct rbuf r;
	int rv;

	memcpy(copy, p, len);
	rbuf_init(&r, copy, len);
	rv = dnsmsg_get_answer(&r, &a, got, maxrr);
	free(copy);
	return rv;
}

#define HEAD(st, sec, ca, ty, n) st sec ca "\0" ty "\0\0\0\1\0\0\0\2\0" n
#define GET(p, maxrr)		 get_raw(p, sizeof(p) - 1, maxrr)

static void
test_answer_get_refuses(void)
{
	check_int("dnsmsg-get-good",
	    GET(HEAD("\1", "\0", "\0", "\1", "\1") "\0\0\0\4"
						   "1234",
		1),
	    0);
	check_int("dnsmsg-get-maxrr",
	    GET(HEAD("\1", "\0", "\0", "\1", "\1") "\0\0\0\4"
						   "1234",
		0),
	    -1);
	check_int("dnsmsg-get-trailing",
	    GET(HEAD("\1", "\0", "\0", "\1", "\1") "\0\0\0\4"
						   "1234x",
		9),
	    -1);
	check_int("dnsmsg-get-short",
	    GET(HEAD("\1", "\0", "\0", "\1", "\1") "\0\0\0\4"
						   "123",
		9),
	    -1);
	check_int("dnsmsg-get-fewer",
	    GET(HEAD("\1", "\0", "\0", "\1", "\2") "\0\0\0\4"
						   "1234",
		9),
	    -1);
	check_int("dnsmsg-get-length",
	    GET(HEAD("\1", "\0", "\0", "\1", "\1") "\0\0\0\5"
						   "12345",
		9),
	    -1);
	check_int("dnsmsg-get-status",
	    GET(HEAD("\6", "\0", "\0", "\1", "\0"), 9), -1);
	check_int("dnsmsg-get-secure",
	    GET(HEAD("\3", "\2", "\0", "\1", "\0"), 9), -1);
	check_int("dnsmsg-get-ok-empty",
	    GET(HEAD("\1", "\0", "\0", "\1", "\0"), 9), -1);
	check_int("dnsmsg-get-nodata-full",
	    GET(HEAD("\3", "\0", "\0", "\1", "\1") "\0\0\0\4"
						   "1234",
		9),
	    -1);
	check_int("dnsmsg-get-name",
	    GET(HEAD("\1", "\0", "\0", "\14", "\1") "\0\0\0\4"
						    "a..b",
		9),
	    -1);
	check_int("dnsmsg-get-nothing", GET("", 9), -1);
	check_int("dnsmsg-get-14", GET("\3\0\0\0\1\0\0\0\1\0\0\0\2\0", 9), -1);
}

int
main(void)
{
	test_query();
	test_answer();
	test_answer_limits();
	test_answer_put_refuses();
	test_answer_get_refuses();
	check("dnsmsg-names",
	    strcmp(dns_type_name(16), "TXT") == 0 &&
		strcmp(dns_type_name(99), "?") == 0 &&
		strcmp(dns_status_name[DNS_TIMEOUT], "timeout") == 0);
	return check_exit();
}
