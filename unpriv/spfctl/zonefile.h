/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure; bounded memory. */

#ifndef UNPRIV_SPFCTL_ZONEFILE_H
#define UNPRIV_SPFCTL_ZONEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/dname.h"
#include "proto/dnsmsg.h"

/*
 * A master file (RFC 1035 5.1), as far as SPF needs it: $ORIGIN, $TTL,
 * comments, parentheses, quoted strings, \X and \DDD, omitted owners, @, TTL
 * (also 1h30m), class IN; A, AAAA, MX, PTR, TXT, CNAME and wildcards (RFC
 * 4592). A record of another type only makes its name exist; NS below the apex
 * delegates its name and all names below it.
 *
 * With an origin (an argument, $ORIGIN, or the owner of an SOA) the file is a
 * zone: a name at or below the apex that it does not hold does not exist.
 * Without an origin, the lines "name TYPE data" have full names and override
 * DNS: for a name and type in the file they are the answer; DNS is asked for
 * all others.
 */
#define ZONEFILE_MAX (8UL << 20) /* octets of text */

struct zonefile;

/* A mistake that does not end the parsing. */
struct zonefile_note {
	unsigned int line;
	const char *owner; /* a name, NUL-terminated */
	const char *code;  /* a constant word: "long-string" */
	const char *text;  /* a constant sentence */
	int serious;	   /* a server refuses or changes the record */
};

/* origin may be NULL. On an error, returns NULL, with "line N: why" in err. */
struct zonefile *zonefile_parse(const char *, size_t, const char *origin,
    char *err, size_t);
void zonefile_free(struct zonefile *);
/*
 * Looks a question up. Returns 1 with an answer, whose records point into the
 * zone until the next call; or 0 for a question to the DNS. Then alias is the
 * name to ask for instead, if a CNAME in the file leads there, or "".
 */
int zonefile_answer(struct zonefile *, uint16_t, const char *, size_t,
    struct dns_answer *, char alias[DNAME_MAX + 1]);
/* Returns note i, or NULL at the end. */
const struct zonefile_note *zonefile_note_at(const struct zonefile *, size_t);

#endif
