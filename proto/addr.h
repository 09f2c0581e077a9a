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

/* A network: the first len bits of a are its prefix. */
struct cidr {
	struct addr a;
	uint8_t len;
};

#define ADDR_STRLEN 46

/*
 * Reads an address as inet_pton(3) does: a dotted quad without leading zeros,
 * or RFC 4291 2.2 text without a zone. The text needs no NUL at its end. 0, or
 * -1 when it is neither or holds a NUL; the address is then of family 0.
 */
int addr_parse(struct addr *, const char *, size_t);
/*
 * Writes the text of RFC 5952 into buf of at least ADDR_STRLEN octets, ""
 * for family 0. IPv4 notation inside IPv6 is only for ::ffff:0:0/96.
 * Returns buf.
 */
char *addr_format(const struct addr *, char *buf, size_t);
/* ::ffff:a.b.c.d becomes a.b.c.d; other addresses are copied. */
void addr_unmap(struct addr *dst, const struct addr *src);
int addr_equal(const struct addr *, const struct addr *);
/* 1 when the network holds the address; families never match each other. */
int cidr_match(const struct cidr *, const struct addr *);
/* 1 when bits after the prefix are set. cidr_mask() clears them. */
int cidr_hostbits(const struct cidr *);
void cidr_mask(struct cidr *);
/*
 * Reads "addr", "addr/len", "addr/netmask" or "addr/hostmask"; masks are for
 * IPv4. Keeps host bits. 0, or -1.
 */
int cidr_parse(struct cidr *, const char *, size_t);
/*
 * Writes the name below in-addr.arpa or ip6.arpa, without a trailing dot,
 * into buf of at least 74 octets. Returns buf.
 */
char *addr_ptrname(const struct addr *, char *buf, size_t);

#endif
