/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include "proto/dnsmsg.h"
#include "regress/unit/check.h"

static uint8_t buf[70000];

/* A query that is encoded unchecked, and some octets more, decoded. */
static int
get_query(uint16_t type, const char *name, size_t len, int more)
{
	struct wbuf w;
	struct rbuf r;
	uint8_t *copy;
	int rv;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u16(&w, type);
	wbuf_blob(&w, name, len);
	/* A heap copy, so that sanitizers detect overruns. */
	len = (size_t)((int)w.len + more);
	copy = malloc(len == 0 ? 1 : len);
	memcpy(copy, buf, len);
	rbuf_init(&r, copy, len);
	rv = dnsmsg_get_query(&r, &type, &name, &len);
	free(copy);
	return rv;
}

static void
test_query(void)
{
	static const uint8_t want[] = "\0\20\0\6a.test";
	char label[64];
	const char *name;
	struct wbuf w;
	struct rbuf r;
	uint16_t type;
	size_t len;

	wbuf_init(&w, buf, sizeof(buf));
	check_int("dnsmsg-query-put",
	    dnsmsg_put_query(&w, DNS_T_TXT, "a.test", 6), 0);
	check_mem("dnsmsg-query-octets", buf, w.len, want, sizeof(want) - 1);
	rbuf_init(&r, buf, w.len);
	check_int("dnsmsg-query-get", dnsmsg_get_query(&r, &type, &name, &len),
	    0);
	check_int("dnsmsg-query-get-type", type, DNS_T_TXT);
	check_mem("dnsmsg-query-get-name", name, len, "a.test", 6);
	check_int("dnsmsg-query-put-type",
	    dnsmsg_put_query(&w, 99, "a.test", 6), -1);
	check_int("dnsmsg-query-put-name",
	    dnsmsg_put_query(&w, DNS_T_A, "a..test", 7), -1);
	wbuf_init(&w, buf, 9);
	check_int("dnsmsg-query-put-room",
	    dnsmsg_put_query(&w, DNS_T_A, "a.test", 6), -1);

	memset(label, 'x', sizeof(label));
	check_int("dnsmsg-query-good", get_query(1, "a.test", 6, 0), 0);
	check_int("dnsmsg-query-type", get_query(2, "a.test", 6, 0), -1);
	check_int("dnsmsg-query-empty", get_query(1, "", 0, 0), -1);
	check_int("dnsmsg-query-label-63", get_query(1, label, 63, 0), 0);
	check_int("dnsmsg-query-label-64", get_query(1, label, 64, 0), -1);
	check_int("dnsmsg-query-trailing", get_query(1, "a.test", 6, 1), -1);
	check_int("dnsmsg-query-short", get_query(1, "a.test", 6, -1), -1);
	check_int("dnsmsg-query-nothing", get_query(1, "", 0, -4), -1);
}

static struct dns_rr rrs[DNSMSG_MAXRR + 1];

static struct dns_answer
answer(uint8_t status, uint16_t type, uint16_t nrr)
{
	return (struct dns_answer){ .status = status,
		.secure = 1,
		.type = type,
		.ttl = 0x01020304,
		.usec = 0x05060708,
		.nrr = nrr,
		.rr = rrs };
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
	return (struct dns_rr){ (const uint8_t *)data, (uint16_t)len, aux };
}

/* A record to encode: its place, data (a literal), and extra number. */
#define RR(i, data, aux) rrs[i] = rr(data, sizeof(data) - 1, aux)

static void
comes_back(const char *name, uint8_t status, uint16_t type, uint16_t nrr)
{
	struct dns_answer a = answer(status, type, nrr);

	check_int(name, round_trip(&a), 0);
}

static void
test_answer(void)
{
	RR(0, "v=spf1 -all", 11);
	RR(1, "", 0);
	comes_back("dnsmsg-answer-txt", DNS_OK, DNS_T_TXT, 2);
	RR(0, "\300\0\2\1", 0);
	comes_back("dnsmsg-answer-a", DNS_OK, DNS_T_A, 1);
	RR(0, "0123456789abcdef", 0);
	comes_back("dnsmsg-answer-aaaa", DNS_OK, DNS_T_AAAA, 1);
	RR(0, "mx.test", 65535);
	RR(2, "\0", 10);
	comes_back("dnsmsg-answer-mx", DNS_OK, DNS_T_MX, 3);
	RR(0, "host.test", 0);
	comes_back("dnsmsg-answer-ptr", DNS_OK, DNS_T_PTR, 1);
	comes_back("dnsmsg-answer-nxdomain", DNS_NXDOMAIN, DNS_T_TXT, 0);
	comes_back("dnsmsg-answer-timeout", DNS_TIMEOUT, DNS_T_TXT, 0);
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
	size_t i;

	for (i = 0; i < NITEMS(bad); i++) {
		a = answer(bad[i].status, bad[i].type, bad[i].nrr);
		a.secure = bad[i].secure;
		a.cached = bad[i].cached;
		rrs[0] = rr(bad[i].data, bad[i].len, bad[i].aux);
		check_int(check_name("dnsmsg-put-refuses-%s", bad[i].name),
		    round_trip(&a), -1);
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

/* An answer: status, secure, cached, type, records; and one record. */
#define HEAD(st, sec, ca, ty, n) st sec ca "\0" ty "\0\0\0\1\0\0\0\2\0" n
#define A(st, n)		 HEAD(st, "\0", "\0", "\1", n)
#define DATA(len, data)		 "\0\0\0" len data
#define GET(name, p, maxrr, want) \
	check_int("dnsmsg-get-" name, get_raw(p, sizeof(p) - 1, maxrr), want)

static void
test_answer_get_refuses(void)
{
	GET("good", A("\1", "\1") DATA("\4", "1234"), 1, 0);
	GET("maxrr", A("\1", "\1") DATA("\4", "1234"), 0, -1);
	GET("trailing", A("\1", "\1") DATA("\4", "1234x"), 9, -1);
	GET("short", A("\1", "\1") DATA("\4", "123"), 9, -1);
	GET("fewer", A("\1", "\2") DATA("\4", "1234"), 9, -1);
	GET("length", A("\1", "\1") DATA("\5", "12345"), 9, -1);
	GET("status", A("\6", "\0"), 9, -1);
	GET("secure", HEAD("\3", "\2", "\0", "\1", "\0"), 9, -1);
	GET("ok-empty", A("\1", "\0"), 9, -1);
	GET("nodata-full", A("\3", "\1") DATA("\4", "1234"), 9, -1);
	GET("name", HEAD("\1", "\0", "\0", "\14", "\1") DATA("\4", "a..b"), 9,
	    -1);
	GET("nothing", "", 9, -1);
	GET("14", "\3\0\0\0\1\0\0\0\1\0\0\0\2\0", 9, -1);
}

int
main(void)
{
	test_query();
	test_answer();
	test_answer_limits();
	test_answer_put_refuses();
	test_answer_get_refuses();
	check_str("dnsmsg-names", dns_type_name(16), "TXT");
	check_str("dnsmsg-names-unknown", dns_type_name(99), "?");
	check_str("dnsmsg-names-status", dns_status_name[DNS_TIMEOUT],
	    "timeout");
	return check_exit();
}
