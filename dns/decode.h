/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, after sandbox_enter(). Pure: no system calls, no allocation. */

#ifndef DNS_DECODE_H
#define DNS_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/dnsmsg.h"

enum dns_decoded {
	DECODE_OK = 0,
	DECODE_MALFORMED,
	DECODE_TOO_LARGE /* more records or octets than there is room */
};

/*
 * A DNS message (RFC 1035 4) to status, type, ttl and records of an answer;
 * the other fields are not touched. The chain of CNAMEs is followed from the
 * question's name, in the order in which a resolver gives it; only records
 * of qtype, class IN, owned by the chain's last name are taken. ttl is the
 * least of the chain, or how long a negative answer holds (RFC 2308 5).
 * rr and buf are the caller's; records point into buf or into the message.
 * Unless DECODE_OK comes back, the status is DNS_TEMPERROR without records.
 */
enum dns_decoded dns_decode(const uint8_t *, size_t, uint16_t qtype,
    struct dns_answer *, struct dns_rr *, size_t maxrr, uint8_t *buf,
    size_t bufsize);

#endif
