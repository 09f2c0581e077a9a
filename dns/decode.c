/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, after sandbox_enter(). Pure: no system calls, no allocation. */

#include <string.h>

#include "dns/decode.h"
#include "proto/text.h"

#define FLAG_QR	       0x8000
#define FLAG_TC	       0x0200
#define RCODE_MASK     0x000f
#define RCODE_NOERROR  0
#define RCODE_NXDOMAIN 3
#define CLASS_IN       1
#define TYPE_CNAME     5
#define TYPE_SOA       6
#define LABEL_MAX      63
#define WIRE_NAME_MAX  255 /* RFC 1035 2.3.4 */
#define NAME_HOPS      127 /* compression pointers of one name */

/* A position in the message; pos is never beyond len. */
struct msg {
	const uint8_t *p;
	size_t len;
	size_t pos;
};

/* Walks the labels of a name, compressed or not. */
struct walk {
	size_t pos;
	size_t total; /* octets of the uncompressed name */
	unsigned int hops;
};

struct record {
	size_t owner; /* offset of its name */
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t data; /* offset of its data */
	uint16_t len;
};

/* Room for decoded data. */
struct out {
	struct dns_rr *rr;
	size_t maxrr;
	uint8_t *buf;
	size_t left;
};

static int
msg_u16(struct msg *m, uint16_t *v)
{
	if (m->len - m->pos < 2)
		return -1;
	*v = (uint16_t)(m->p[m->pos] << 8 | m->p[m->pos + 1]);
	m->pos += 2;
	return 0;
}

static int
msg_u32(struct msg *m, uint32_t *v)
{
	uint16_t hi, lo;

	if (msg_u16(m, &hi) == -1 || msg_u16(m, &lo) == -1)
		return -1;
	*v = (uint32_t)hi << 16 | lo;
	return 0;
}

/* Skips a name as it is written: to the root label or the first pointer. */
static int
msg_skip_name(struct msg *m)
{
	uint8_t n;

	for (;;) {
		if (m->len - m->pos < 1)
			return -1;
		n = m->p[m->pos];
		if ((n & 0xc0) == 0xc0) {
			if (m->len - m->pos < 2)
				return -1;
			m->pos += 2;
			return 0;
		}
		if (n > LABEL_MAX || m->len - m->pos < (size_t)n + 1)
			return -1;
		m->pos += (size_t)n + 1;
		if (n == 0)
			return 0;
	}
}

static int
msg_record(struct msg *m, struct record *r)
{
	r->owner = m->pos;
	if (msg_skip_name(m) == -1 || msg_u16(m, &r->type) == -1 ||
	    msg_u16(m, &r->class) == -1 || msg_u32(m, &r->ttl) == -1 ||
	    msg_u16(m, &r->len) == -1 || m->len - m->pos < r->len)
		return -1;
	/* RFC 2181 8 */
	if (r->ttl > INT32_MAX)
		r->ttl = 0;
	r->data = m->pos;
	m->pos += r->len;
	return 0;
}

/*
 * Returns the length of a name's next label and sets its octets; 0 at the
 * root, -1 when the name is malformed. A pointer must lead backwards (RFC 1035
 * 4.1.4), so there is no loop even without the limit of hops.
 */
static int
walk_label(const struct msg *m, struct walk *w, const uint8_t **label)
{
	size_t to;
	uint8_t n;

	for (;;) {
		if (m->len - w->pos < 1)
			return -1;
		n = m->p[w->pos];
		if ((n & 0xc0) != 0xc0)
			break;
		if (m->len - w->pos < 2 || ++w->hops > NAME_HOPS)
			return -1;
		to = (size_t)(n & 0x3f) << 8 | m->p[w->pos + 1];
		if (to >= w->pos)
			return -1;
		w->pos = to;
	}
	if (n > LABEL_MAX || m->len - w->pos < (size_t)n + 1)
		return -1;
	w->total += (size_t)n + 1;
	if (w->total > WIRE_NAME_MAX)
		return -1;
	*label = m->p + w->pos + 1;
	w->pos += (size_t)n + 1;
	return n;
}

/* 1 when two names are equal (RFC 4343), 0 if not, -1 if one is malformed. */
static int
name_equal(const struct msg *m, size_t a, size_t b)
{
	struct walk wa = { .pos = a }, wb = { .pos = b };
	const uint8_t *la, *lb;
	int na, nb, i;

	for (;;) {
		na = walk_label(m, &wa, &la);
		nb = walk_label(m, &wb, &lb);
		if (na == -1 || nb == -1)
			return -1;
		if (na != nb)
			return 0;
		if (na == 0)
			return 1;
		for (i = 0; i < na; i++)
			if (ascii_lower(la[i]) != ascii_lower(lb[i]))
				return 0;
	}
}

static uint8_t *
out_room(struct out *o, size_t n)
{
	uint8_t *p = o->buf;

	if (o->left < n)
		return NULL;
	o->buf += n;
	o->left -= n;
	return p;
}

/*
 * Decodes a name in the data of a record, which must end at end. A name with
 * '.' or NUL inside a label becomes the single octet NUL.
 */
static enum dns_decoded
decode_name(const struct msg *m, size_t pos, size_t end, struct out *o,
    struct dns_rr *rr)
{
	struct msg at = { m->p, m->len, pos };
	struct walk w = { .pos = pos };
	uint8_t name[WIRE_NAME_MAX], *p;
	const uint8_t *label;
	size_t len = 0;
	int n, no_text = 0;

	if (msg_skip_name(&at) == -1 || at.pos != end)
		return DECODE_MALFORMED;
	while ((n = walk_label(m, &w, &label)) > 0) {
		if (memchr(label, '.', n) != NULL ||
		    memchr(label, '\0', n) != NULL)
			no_text = 1;
		/* walk_label() keeps the whole within WIRE_NAME_MAX. */
		if (len != 0)
			name[len++] = '.';
		memcpy(name + len, label, n);
		len += (size_t)n;
	}
	if (n == -1)
		return DECODE_MALFORMED;
	if (no_text) {
		name[0] = '\0';
		len = 1;
	}
	if ((p = out_room(o, len)) == NULL)
		return DECODE_TOO_LARGE;
	if (len != 0)
		memcpy(p, name, len);
	rr->data = p;
	rr->len = (uint16_t)len;
	return DECODE_OK;
}

/* The character-strings of a TXT record, joined (RFC 7208 3.3). */
static enum dns_decoded
decode_txt(const struct msg *m, const struct record *r, struct out *o,
    struct dns_rr *rr)
{
	const uint8_t *p = m->p + r->data;
	size_t left = r->len, len = 0;
	uint8_t *to;

	/* RFC 1035 3.3.14: one string or more */
	if (left == 0)
		return DECODE_MALFORMED;
	if ((to = out_room(o, left)) == NULL)
		return DECODE_TOO_LARGE;
	rr->aux = p[0];
	rr->data = to;
	while (left > 0) {
		if (left - 1 < p[0])
			return DECODE_MALFORMED;
		memcpy(to + len, p + 1, p[0]);
		len += p[0];
		left -= (size_t)p[0] + 1;
		p += (size_t)p[0] + 1;
	}
	rr->len = (uint16_t)len;
	return DECODE_OK;
}

static enum dns_decoded
decode_address(const struct msg *m, const struct record *r, size_t len,
    struct dns_rr *rr)
{
	if (r->len != len)
		return DECODE_MALFORMED;
	rr->data = m->p + r->data;
	rr->len = (uint16_t)len;
	return DECODE_OK;
}

static enum dns_decoded
decode_record(const struct msg *m, const struct record *r, struct out *o,
    struct dns_rr *rr)
{
	struct msg at = { m->p, m->len, r->data };
	size_t end = r->data + r->len;

	memset(rr, 0, sizeof(*rr));
	switch (r->type) {
	case DNS_T_A:
		return decode_address(m, r, 4, rr);
	case DNS_T_AAAA:
		return decode_address(m, r, 16, rr);
	case DNS_T_TXT:
		return decode_txt(m, r, o, rr);
	case DNS_T_PTR:
		return decode_name(m, r->data, end, o, rr);
	case DNS_T_MX:
		if (r->len < 3 || msg_u16(&at, &rr->aux) == -1)
			return DECODE_MALFORMED;
		return decode_name(m, at.pos, end, o, rr);
	}
	return DECODE_MALFORMED;
}

/* The TTL of a negative answer: the SOA's TTL or MINIMUM (RFC 2308 5). */
static enum dns_decoded
decode_negative_ttl(struct msg *m, uint16_t nscount, uint32_t *ttl)
{
	struct record r;
	struct msg at;
	uint32_t minimum = 0, least = 0;
	int found = 0;

	while (nscount-- > 0) {
		if (msg_record(m, &r) == -1)
			return DECODE_MALFORMED;
		if (r.type != TYPE_SOA || r.class != CLASS_IN || r.len < 20)
			continue;
		at = *m;
		at.pos = r.data + r.len - 4;
		(void)msg_u32(&at, &minimum);
		if (minimum < r.ttl)
			r.ttl = minimum;
		if (!found || r.ttl < least)
			least = r.ttl;
		found = 1;
	}
	if (!found || least < *ttl)
		*ttl = least;
	return DECODE_OK;
}

/* 1 when the data of a CNAME is one name and nothing else. */
static int
cname_ok(const struct msg *m, const struct record *r)
{
	struct msg at = { m->p, m->len, r->data };

	return msg_skip_name(&at) == 0 && at.pos == r->data + r->len;
}

/* The answer section: a chain of CNAMEs, then the records of its last name. */
static enum dns_decoded
decode_answers(struct msg *m, uint16_t qtype, size_t owner, uint16_t ancount,
    struct dns_answer *a, struct out *o)
{
	struct record r;
	enum dns_decoded rv;
	int same;

	while (ancount-- > 0) {
		if (msg_record(m, &r) == -1)
			return DECODE_MALFORMED;
		/* Skip DNAME, RRSIG and others. */
		if (r.class != CLASS_IN ||
		    (r.type != TYPE_CNAME && r.type != qtype))
			continue;
		if ((same = name_equal(m, owner, r.owner)) == -1)
			return DECODE_MALFORMED;
		if (!same)
			continue;
		if (r.ttl < a->ttl)
			a->ttl = r.ttl;
		if (r.type == TYPE_CNAME) {
			if (!cname_ok(m, &r))
				return DECODE_MALFORMED;
			owner = r.data;
			continue;
		}
		if (a->nrr >= o->maxrr)
			return DECODE_TOO_LARGE;
		rv = decode_record(m, &r, o, &o->rr[a->nrr]);
		if (rv != DECODE_OK)
			return rv;
		a->nrr++;
	}
	return DECODE_OK;
}

static enum dns_decoded
decode_body(struct msg *m, uint16_t qtype, struct dns_answer *a, struct out *o)
{
	uint16_t id, flags, qdcount, ancount, nscount, arcount, type, class;
	size_t qname;
	enum dns_decoded rv;

	if (msg_u16(m, &id) == -1 || msg_u16(m, &flags) == -1 ||
	    msg_u16(m, &qdcount) == -1 || msg_u16(m, &ancount) == -1 ||
	    msg_u16(m, &nscount) == -1 || msg_u16(m, &arcount) == -1)
		return DECODE_MALFORMED;
	/* refuse a truncated answer: the rest might change the verdict */
	if ((flags & FLAG_QR) == 0 || (flags & FLAG_TC) != 0 || qdcount != 1)
		return DECODE_MALFORMED;
	qname = m->pos;
	if (msg_skip_name(m) == -1 || msg_u16(m, &type) == -1 ||
	    msg_u16(m, &class) == -1 || type != qtype || class != CLASS_IN)
		return DECODE_MALFORMED;

	if ((flags & RCODE_MASK) != RCODE_NOERROR &&
	    (flags & RCODE_MASK) != RCODE_NXDOMAIN) {
		a->status = DNS_TEMPERROR;
		a->ttl = 0;
		return DECODE_OK;
	}
	rv = decode_answers(m, qtype, qname, ancount, a, o);
	if (rv != DECODE_OK)
		return rv;
	if ((flags & RCODE_MASK) == RCODE_NXDOMAIN) {
		/* RFC 6604 3: the rcode is for the last name of the chain. */
		a->status = DNS_NXDOMAIN;
		a->nrr = 0;
	} else
		a->status = a->nrr > 0 ? DNS_OK : DNS_NODATA;
	if (a->status == DNS_OK)
		return DECODE_OK;
	return decode_negative_ttl(m, nscount, &a->ttl);
}

enum dns_decoded
dns_decode(const uint8_t *pkt, size_t len, uint16_t qtype, struct dns_answer *a,
    struct dns_rr *rr, size_t maxrr, uint8_t *buf, size_t bufsize)
{
	struct msg m = { pkt, len, 0 };
	struct out o = { rr, maxrr, buf, bufsize };
	enum dns_decoded rv;

	a->type = qtype;
	a->nrr = 0;
	a->rr = rr;
	a->ttl = UINT32_MAX;
	if (maxrr > DNSMSG_MAXRR)
		o.maxrr = DNSMSG_MAXRR;
	rv = decode_body(&m, qtype, a, &o);
	if (rv != DECODE_OK) {
		a->status = DNS_TEMPERROR;
		a->nrr = 0;
		a->ttl = 0;
	}
	return rv;
}
