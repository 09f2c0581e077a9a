/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, worker and everything that asks. Pure. */

#include <string.h>

#include "proto/dname.h"
#include "proto/dnsmsg.h"

const char *const dns_status_name[DNS_STATUS_MAX] = { "none", "ok", "nxdomain",
	"nodata", "temperror", "timeout" };

static const struct rr_type {
	uint16_t type;
	const char *name;
	uint16_t len; /* of an address */
	int has_aux;
} rr_types[] = {
	{ DNS_T_A, "A", 4, 0 },
	{ DNS_T_PTR, "PTR", 0, 0 },
	{ DNS_T_MX, "MX", 0, 1 },
	{ DNS_T_TXT, "TXT", 0, 1 },
	{ DNS_T_AAAA, "AAAA", 16, 0 },
};

static const struct rr_type *
rr_type_find(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(rr_types) / sizeof(rr_types[0]); i++)
		if (rr_types[i].type == type)
			return &rr_types[i];
	return NULL;
}

const char *
dns_type_name(uint16_t type)
{
	const struct rr_type *t = rr_type_find(type);

	return t == NULL ? "?" : t->name;
}

int
dnsmsg_put_query(struct wbuf *w, uint16_t type, const char *name, size_t len)
{
	if (!DNS_TYPE_OK(type) || len == 0 || !dname_valid(name, len))
		return -1;
	wbuf_u16(w, type);
	wbuf_blob(w, name, len);
	return wbuf_ok(w) ? 0 : -1;
}

int
dnsmsg_get_query(struct rbuf *r, uint16_t *type, const char **name, size_t *len)
{
	*type = rbuf_u16(r);
	*name = (const char *)rbuf_blob(r, len);
	if (!rbuf_done(r) || !DNS_TYPE_OK(*type) || *len == 0 ||
	    !dname_valid(*name, *len))
		return -1;
	return 0;
}

static int
dnsmsg_rr_ok(uint16_t type, const struct dns_rr *rr)
{
	const struct rr_type *t = rr_type_find(type);

	if (t == NULL || (rr->aux != 0 && !t->has_aux))
		return 0;
	if (t->len != 0)
		return rr->len == t->len;
	if (type == DNS_T_TXT)
		return rr->aux <= rr->len;
	return rr->len == 0 || (rr->len == 1 && rr->data[0] == '\0') ||
	    dname_valid((const char *)rr->data, rr->len);
}

static int
dnsmsg_answer_ok(const struct dns_answer *a)
{
	return a->status > DNS_NONE && a->status < DNS_STATUS_MAX &&
	    a->secure <= 1 && a->cached <= 1 && DNS_TYPE_OK(a->type) &&
	    a->nrr <= DNSMSG_MAXRR && (a->nrr > 0) == (a->status == DNS_OK);
}

int
dnsmsg_put_answer(struct wbuf *w, const struct dns_answer *a)
{
	uint16_t i;

	if (!dnsmsg_answer_ok(a))
		return -1;
	wbuf_u8(w, a->status);
	wbuf_u8(w, a->secure);
	wbuf_u8(w, a->cached);
	wbuf_u16(w, a->type);
	wbuf_u32(w, a->ttl);
	wbuf_u32(w, a->usec);
	wbuf_u16(w, a->nrr);
	for (i = 0; i < a->nrr; i++) {
		if (!dnsmsg_rr_ok(a->type, &a->rr[i]))
			return -1;
		wbuf_u16(w, a->rr[i].aux);
		wbuf_blob(w, a->rr[i].data, a->rr[i].len);
	}
	return wbuf_ok(w) ? 0 : -1;
}

int
dnsmsg_get_answer(struct rbuf *r, struct dns_answer *a, struct dns_rr *rr,
    size_t maxrr)
{
	uint16_t i;
	size_t len;

	a->status = rbuf_u8(r);
	a->secure = rbuf_u8(r);
	a->cached = rbuf_u8(r);
	a->type = rbuf_u16(r);
	a->ttl = rbuf_u32(r);
	a->usec = rbuf_u32(r);
	a->nrr = rbuf_u16(r);
	a->rr = rr;
	if (r->err || !dnsmsg_answer_ok(a) || a->nrr > maxrr)
		return -1;
	for (i = 0; i < a->nrr; i++) {
		rr[i].aux = rbuf_u16(r);
		rr[i].data = rbuf_blob(r, &len);
		rr[i].len = (uint16_t)len;
		if (r->err || !dnsmsg_rr_ok(a->type, &rr[i]))
			return -1;
	}
	return rbuf_done(r) ? 0 : -1;
}
