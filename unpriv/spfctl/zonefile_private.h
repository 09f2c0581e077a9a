/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Between the zone file's parts. */

#ifndef UNPRIV_SPFCTL_ZONEFILE_PRIVATE_H
#define UNPRIV_SPFCTL_ZONEFILE_PRIVATE_H

#include <sys/tree.h>

#include "unpriv/spfctl/zonefile.h"

#define ZONE_NOTES_MAX 100

struct zone_item {
	struct zone_item *next;
	uint16_t type;
	uint32_t ttl;
	struct dns_rr rr;
};

struct zone_node {
	RB_ENTRY(zone_node) entry;
	const char *name; /* lower case */
	size_t len;
	struct zone_item *first, **tail;
	const char *cname;
	uint32_t cname_ttl;
	int has_ns;
	int other; /* records beside a CNAME */
};
RB_HEAD(zone_nodes, zone_node);

struct zonefile {
	struct arena *arena;
	struct zone_nodes nodes;
	size_t nnodes;
	char apex[DNAME_MAX + 1];
	size_t apexlen;
	int has_apex;
	struct zonefile_note notes[ZONE_NOTES_MAX];
	size_t nnotes;
	struct dns_rr rr[DNSMSG_MAXRR]; /* of the last answer */
};

/* By its name in lower case; NULL: there is none. */
struct zone_node *zonefile_node(struct zonefile *, const char *, size_t);

#endif
