/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure; bounded memory. */

#include <string.h>

#include "unpriv/spfctl/zonefile_private.h"

#define HOPS_MAX 16 /* CNAMEs in a row */

static int
in_zone(const struct zonefile *z, const char *name, size_t len)
{
	return z->has_apex && dname_is_below(name, len, z->apex, z->apexlen);
}

/* 1 when the name is at or below a delegation of the zone. */
static int
is_delegated(struct zonefile *z, const char *name, size_t len)
{
	const struct zonefile_node *n;
	const char *dot;

	while (len > z->apexlen) {
		n = zonefile_find(z, name, len);
		if (n != NULL && n->has_ns)
			return 1;
		if ((dot = memchr(name, '.', len)) == NULL)
			return 0;
		len -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
	return 0;
}

/* RFC 4592 3.3.1: finds "*" below the closest existing name above. */
static struct zonefile_node *
wildcard(struct zonefile *z, const char *name, size_t len)
{
	char star[DNAME_MAX + 3];
	const char *dot;

	while ((dot = memchr(name, '.', len)) != NULL) {
		len -= (size_t)(dot + 1 - name);
		name = dot + 1;
		if (zonefile_find(z, name, len) == NULL)
			continue;
		if (len > DNAME_MAX - 2)
			return NULL;
		memcpy(star, "*.", 2);
		memcpy(star + 2, name, len);
		return zonefile_find(z, star, len + 2);
	}
	return NULL;
}

/* Takes the records of one type: 1 when there are any. */
static int
fill(struct zonefile *z, const struct zonefile_node *n, uint16_t type,
    struct dns_answer *a)
{
	const struct zonefile_rr *it;

	a->nrr = 0;
	for (it = n->first; it != NULL; it = it->next) {
		if (it->type != type || a->nrr == DNSMSG_MAXRR)
			continue;
		z->rr[a->nrr++] = it->rr;
		if (it->ttl < a->ttl)
			a->ttl = it->ttl;
	}
	a->rr = z->rr;
	return a->nrr > 0;
}

static int
settle(struct dns_answer *a, enum dns_status status)
{
	a->status = (uint8_t)status;
	if (status != DNS_OK)
		a->ttl = 0;
	return 1;
}

int
zonefile_answer(struct zonefile *z, uint16_t type, const char *qname,
    size_t qlen, struct dns_answer *a, char alias[DNAME_MAX + 1])
{
	char name[DNAME_MAX + 1];
	struct zonefile_node *n;
	size_t len = qlen;
	int hops, inside;

	alias[0] = '\0';
	memset(a, 0, sizeof(*a));
	a->type = type;
	a->ttl = UINT32_MAX;
	if (qlen > DNAME_MAX)
		return 0;
	memcpy(name, qname, qlen);
	name[qlen] = '\0';
	dname_lower(name, qlen);
	for (hops = 0; hops < HOPS_MAX; hops++) {
		if (hops > 0)
			memcpy(alias, name, len + 1);
		inside = in_zone(z, name, len);
		if (inside && is_delegated(z, name, len))
			return 0;
		if ((n = zonefile_find(z, name, len)) == NULL)
			n = wildcard(z, name, len);
		if (n == NULL)
			return inside ? settle(a, DNS_NXDOMAIN) : 0;
		if (fill(z, n, type, a))
			return settle(a, DNS_OK);
		if (n->cname == NULL)
			return inside ? settle(a, DNS_NODATA) : 0;
		if (n->cname_ttl < a->ttl)
			a->ttl = n->cname_ttl;
		len = strlcpy(name, n->cname, sizeof(name));
	}
	return settle(a, DNS_TEMPERROR);
}
