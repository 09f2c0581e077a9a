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
 * Decodes a DNS message (RFC 1035 4) into the status, type, ttl and records of
 * an answer; leaves its other fields. Follows the chain of CNAMEs from the
 * question's name, which must be in order, and takes the records of qtype and
 * class IN at its end. ttl is the smallest of the chain and the records, and of
 * the SOA in a negative answer (RFC 2308 5). The caller provides rr and buf;
 * the records point into buf or into the message. On any result but DECODE_OK
 * the status is DNS_TEMPERROR and there are no records.
 */
enum dns_decoded dns_decode(const uint8_t *, size_t, uint16_t qtype,
    struct dns_answer *, struct dns_rr *, size_t maxrr, uint8_t *buf,
    size_t bufsize);

#endif
