/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, worker and everything that asks. Pure. */

#ifndef PROTO_DNSMSG_H
#define PROTO_DNSMSG_H

#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

/* Query types, by their numbers on the wire (RFC 1035, RFC 3596). */
enum dns_type {
	DNS_T_A = 1,
	DNS_T_PTR = 12,
	DNS_T_MX = 15,
	DNS_T_TXT = 16,
	DNS_T_AAAA = 28
};

enum dns_status {
	DNS_NONE = 0,
	DNS_OK,	       /* one record or more */
	DNS_NXDOMAIN,  /* rcode 3 */
	DNS_NODATA,    /* rcode 0 without a record of the type */
	DNS_TEMPERROR, /* other rcodes, no server, bogus */
	DNS_TIMEOUT,   /* the deadline passed */
	DNS_STATUS_MAX
};

/*
 * A decoded record. TXT: the character-strings joined, aux is the length of
 * the first. A: 4 octets. AAAA: 16. MX: the exchange as a name (proto/dname.h),
 * aux is the preference. PTR: a name. A name that this form cannot express (a
 * label has '.' or NUL) becomes the single octet NUL.
 */
struct dns_rr {
	const uint8_t *data;
	uint16_t len;
	uint16_t aux;
};

struct dns_answer {
	uint8_t status; /* enum dns_status */
	uint8_t secure; /* DNSSEC validated */
	uint8_t cached; /* from the cache of dns */
	uint16_t type;
	uint32_t ttl;  /* seconds; 0 when unknown */
	uint32_t usec; /* time in dns, in microseconds */
	uint16_t nrr;
	struct dns_rr *rr;
};

#define DNSMSG_MAXRR	  2048
#define DNSMSG_QUERY_MAX  (2 + 2 + 253)
#define DNSMSG_ANSWER_MAX 65000
#define DNS_TYPE_OK(t)                                            \
	((t) == DNS_T_A || (t) == DNS_T_PTR || (t) == DNS_T_MX || \
	    (t) == DNS_T_TXT || (t) == DNS_T_AAAA)

extern const char *const dns_status_name[DNS_STATUS_MAX];
/* "TXT", "A", ...; "?" for others. */
const char *dns_type_name(uint16_t);

/*
 * The payload of QUERY: u16 type, blob name. The decoder gives pointers into
 * the buffer. 0; -1 for another type, a name that is not dname_valid(), and
 * octets left over.
 */
int dnsmsg_put_query(struct wbuf *, uint16_t, const char *, size_t);
int dnsmsg_get_query(struct rbuf *, uint16_t *, const char **, size_t *);

/*
 * The payload of ANSWER: u8 status, u8 secure, u8 cached, u16 type, u32 ttl,
 * u32 usec, u16 count, then for each record u16 aux and a blob. The decoder
 * fills rr (room for maxrr) with pointers into the buffer. Both check that
 * count > 0 exactly when status is OK, and each record against its type:
 * lengths of addresses; dname_valid(), "" or NUL for names. 0, or -1.
 */
int dnsmsg_put_answer(struct wbuf *, const struct dns_answer *);
int dnsmsg_get_answer(struct rbuf *, struct dns_answer *, struct dns_rr *,
    size_t);

#endif
