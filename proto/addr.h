/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_ADDR_H
#define PROTO_ADDR_H

#include <stddef.h>
#include <stdint.h>

/* An address in network order. family: 0 none, 4 or 6; IPv4 fills b[0..3]. */
struct addr {
	uint8_t family;
	uint8_t b[16];
};

/* A network: the first len bits of a count. */
struct cidr {
	struct addr a;
	uint8_t len;
};

#define ADDR_STRLEN 46

/*
 * Strict text to address: dotted quad without leading zeros, or RFC 4291
 * text without a zone. The text needs no NUL. 0, or -1 when it is neither.
 */
int addr_parse(struct addr *, const char *, size_t);
/* Canonical text (RFC 5952) into buf of at least ADDR_STRLEN; returns buf. */
char *addr_format(const struct addr *, char *, size_t);
/* ::ffff:a.b.c.d becomes a.b.c.d; everything else is copied as it is. */
void addr_unmap(struct addr *, const struct addr *);
int addr_equal(const struct addr *, const struct addr *);
/* 1 when the address is inside; families never match each other. */
int cidr_match(const struct cidr *, const struct addr *);
/* 1 when bits behind the prefix are set. cidr_mask() clears them. */
int cidr_hostbits(const struct cidr *);
void cidr_mask(struct cidr *);
/*
 * "addr", "addr/len", "addr/netmask", "addr/hostmask" (masks for IPv4).
 * Host bits are left as they are. 0, or -1.
 */
int cidr_parse(struct cidr *, const char *, size_t);
/* in-addr.arpa or ip6.arpa name without trailing dot; buf of at least 74. */
char *addr_ptrname(const struct addr *, char *, size_t);

#endif
