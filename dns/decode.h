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
	DECODE_TOO_LARGE /* no room for the records or their octets */
};

/*
 * Decodes a DNS message (RFC 1035 4) into status, type, ttl and records of an
 * answer; other fields are not changed. Follows the chain of CNAMEs from the
 * question's name, in the order of the message, and takes the records of qtype
 * and class IN that its last name owns. ttl is the least of the chain, or that
 * of a negative answer (RFC 2308 5). The caller provides rr and buf; records
 * point into buf or into the message. If the result is not DECODE_OK, status is
 * DNS_TEMPERROR and there are no records.
 */
enum dns_decoded dns_decode(const uint8_t *, size_t, uint16_t qtype,
    struct dns_answer *, struct dns_rr *, size_t maxrr, uint8_t *buf,
    size_t bufsize);

#endif
