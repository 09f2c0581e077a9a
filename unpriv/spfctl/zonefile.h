/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure; bounded memory. */

#ifndef UNPRIV_SPFCTL_ZONEFILE_H
#define UNPRIV_SPFCTL_ZONEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/dname.h"
#include "proto/dnsmsg.h"

/*
 * A master file (RFC 1035 5.1) as far as SPF goes: $ORIGIN, $TTL, comments,
 * parentheses, quoted strings, \X and \DDD, the owner left out, @, TTL
 * (also 1h30m), class IN; A, AAAA, MX, PTR, TXT, CNAME and wildcards (RFC
 * 4592). Records of other types say only that their name exists; NS below
 * the apex gives that name and all below it away.
 *
 * With an origin (given, $ORIGIN, or the owner of an SOA) the file is a zone:
 * for its apex and all below it, what it does not hold does not exist.
 * Without one, the lines "name TYPE data" have whole names and lie over the
 * DNS: a type of a name that the file has is answered from it, all else is
 * asked of DNS.
 */
#define ZONEFILE_MAX (8UL << 20) /* octets of text */

struct zonefile;

/* What a server would refuse or nobody reads, but is no reason to stop. */
struct zonefile_note {
	unsigned int line;
	const char *owner; /* as a name, NUL-terminated */
	const char *code;  /* constants: a word, */
	const char *text;  /* and a sentence */
	int serious;	   /* the record is lost or another */
};

enum zonefile_where {
	ZONEFILE_HERE = 0, /* the answer is filled in */
	ZONEFILE_DNS	   /* to be asked of DNS */
};

/* origin may be NULL. NULL with "line N: why" in err. */
struct zonefile *zonefile_parse(const char *, size_t, const char *origin,
    char *err, size_t);
void zonefile_free(struct zonefile *);
/*
 * Records point into the zone; those of one answer are valid until the next
 * call. *alias is empty, or for ZONEFILE_DNS the name that a CNAME here leads
 * to, which is to be asked for instead.
 */
enum zonefile_where zonefile_answer(struct zonefile *, uint16_t, const char *,
    size_t, struct dns_answer *, char alias[DNAME_MAX + 1]);
/* Note i, or NULL at the end. */
const struct zonefile_note *zonefile_note_at(const struct zonefile *, size_t);

#endif
