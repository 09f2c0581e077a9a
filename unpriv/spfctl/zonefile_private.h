/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). For zonefile*.c only. */

#ifndef UNPRIV_SPFCTL_ZONEFILE_PRIVATE_H
#define UNPRIV_SPFCTL_ZONEFILE_PRIVATE_H

#include <sys/tree.h>

#include "unpriv/spfctl/zonefile.h"

#define ZONEFILE_NOTES_MAX 100

struct zonefile_rr {
	struct zonefile_rr *next;
	uint16_t type;
	uint32_t ttl;
	struct dns_rr rr;
};

struct zonefile_node {
	RB_ENTRY(zonefile_node) entry;
	const char *name; /* lower case */
	size_t len;
	struct zonefile_rr *first, **tail;
	const char *cname;
	uint32_t cname_ttl;
	int has_ns;
	int other; /* records beside a CNAME */
};
RB_HEAD(zonefile_nodes, zonefile_node);

struct zonefile {
	struct arena *arena;
	struct zonefile_nodes nodes;
	size_t nnodes;
	char apex[DNAME_MAX + 1];
	size_t apexlen;
	int has_apex;
	struct zonefile_note notes[ZONEFILE_NOTES_MAX];
	size_t nnotes;
	struct dns_rr rr[DNSMSG_MAXRR]; /* of the last answer */
};

/* Finds a node by its name in lower case, or NULL. */
struct zonefile_node *zonefile_find(struct zonefile *, const char *, size_t);

#endif
