/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests of the engine. */

#include <stdlib.h>
#include <string.h>

#include "proto/dname.h"
#include "regress/suite/memdns.h"

#define MAX_CNAMES 10
#define MAX_ROUNDS 1000

struct record {
	struct record *next;
	uint16_t type; /* 0: the name alone */
	uint16_t aux;
	enum dns_status fail;
	size_t namelen, len;
	char name[256];
	uint8_t data[];
};

struct memdns {
	struct record *first, **last;
};

struct memdns *
memdns_new(void)
{
	struct memdns *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		abort();
	m->last = &m->first;
	return m;
}

void
memdns_clear(struct memdns *m)
{
	struct record *r, *next;

	for (r = m->first; r != NULL; r = next) {
		next = r->next;
		free(r);
	}
	m->first = NULL;
	m->last = &m->first;
}

void
memdns_free(struct memdns *m)
{
	memdns_clear(m);
	free(m);
}

static struct record *
record_new(struct memdns *m, const char *name, size_t namelen, uint16_t type,
    const void *data, size_t len)
{
	struct record *r;

	if ((r = calloc(1, sizeof(*r) + len)) == NULL)
		abort();
	namelen = dname_undot(name, namelen);
	if (namelen >= sizeof(r->name))
		namelen = sizeof(r->name) - 1;
	memcpy(r->name, name, namelen);
	r->namelen = namelen;
	r->type = type;
	r->len = len;
	if (len > 0)
		memcpy(r->data, data, len);
	*m->last = r;
	m->last = &r->next;
	return r;
}

void
memdns_name(struct memdns *m, const char *name, size_t len)
{
	(void)record_new(m, name, len, 0, NULL, 0);
}

void
memdns_add(struct memdns *m, const char *name, size_t namelen, uint16_t type,
    const void *data, size_t len, uint16_t aux)
{
	if (type == DNS_T_MX || type == DNS_T_PTR || type == DNS_T_CNAME)
		len = dname_undot(data, len);
	record_new(m, name, namelen, type, data, len)->aux = aux;
}

void
memdns_addr(struct memdns *m, const char *name, const char *text)
{
	struct addr a;

	if (addr_parse(&a, text, strlen(text)) == -1)
		abort();
	memdns_add(m, name, strlen(name), a.family == 4 ? DNS_T_A : DNS_T_AAAA,
	    a.b, a.family == 4 ? 4 : 16, 0);
}

void
memdns_txt(struct memdns *m, const char *name, const char *text)
{
	memdns_add(m, name, strlen(name), DNS_T_TXT, text, strlen(text), 0);
}

void
memdns_fail(struct memdns *m, const char *name, size_t len, uint16_t type,
    enum dns_status status)
{
	record_new(m, name, len, type, NULL, 0)->fail = status;
}

static int
record_is(const struct record *r, const char *name, size_t len)
{
	return dname_equal(r->name, r->namelen, name, len);
}

void
memdns_answer(struct memdns *m, struct answers *a, struct answers_question *q)
{
	static struct dns_rr rr[DNSMSG_MAXRR];
	struct dns_answer ans;
	const struct record *r, *cname;
	const char *name = q->name;
	size_t len = q->namelen;
	int i, exists = 0, fail_all;

	memset(&ans, 0, sizeof(ans));
	ans.status = DNS_TEMPERROR; /* when the chain is too long */
	for (i = 0; i <= MAX_CNAMES; i++) {
		cname = NULL;
		fail_all = DNS_NONE;
		exists = 0;
		for (r = m->first; r != NULL; r = r->next) {
			if (!record_is(r, name, len))
				continue;
			exists = 1;
			if (r->fail != DNS_NONE && r->type == q->type) {
				ans.status = (uint8_t)r->fail;
				ans.nrr = 0;
				goto done;
			}
			if (r->fail != DNS_NONE && r->type == 0)
				fail_all = r->fail;
			else if (r->type == q->type && ans.nrr < DNSMSG_MAXRR) {
				rr[ans.nrr].data = r->data;
				rr[ans.nrr].len = (uint16_t)r->len;
				rr[ans.nrr++].aux = r->aux;
			} else if (r->type == DNS_T_CNAME)
				cname = r;
		}
		if (ans.nrr > 0)
			ans.status = DNS_OK;
		else if (fail_all != DNS_NONE)
			ans.status = (uint8_t)fail_all;
		else if (cname != NULL) {
			name = (const char *)cname->data;
			len = cname->len;
			continue;
		} else
			ans.status = exists ? DNS_NODATA : DNS_NXDOMAIN;
		break;
	}
done:
	ans.rr = rr;
	(void)answers_put(a, q, &ans);
}

static unsigned int
next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16 & 0x7fff;
}

/* Moves the questions to answer now to the front; returns their number. */
static size_t
choose(struct answers_question **q, size_t n, unsigned int order,
    unsigned int *seed)
{
	struct answers_question *t;
	size_t i, j, k;

	if (order == MEMDNS_ALL)
		return n;
	if (order == MEMDNS_NEEDED) {
		for (i = k = 0; i < n; i++)
			if (q[i]->wanted) {
				t = q[i];
				q[i] = q[k];
				q[k++] = t;
			}
		return k;
	}
	for (i = n; i > 1; i--) {
		j = next_random(seed) % i;
		t = q[j];
		q[j] = q[i - 1];
		q[i - 1] = t;
	}
	return 1 + next_random(seed) % n;
}

void
memdns_check(struct memdns *m, const struct spf_request *req,
    unsigned int order, struct answers *a, struct arena *arena,
    struct spf_verdict *v, struct memdns_run *run)
{
	struct answers_question *out[ANSWERS_MAX], *q;
	unsigned int seed = order * 2654435761U;
	size_t i, n = 0, k;

	memset(run, 0, sizeof(*run));
	answers_reset(a);
	for (;;) {
		answers_begin(a);
		arena_reset(arena);
		if (spf_check(req, a, arena, v) == SPF_DONE)
			return;
		while (n < ANSWERS_MAX && (q = answers_next(a)) != NULL)
			out[n++] = q;
		k = n == 0 ? 0 : choose(out, n, order, &seed);
		if (k == 0 || ++run->rounds > MAX_ROUNDS ||
		    answers_missing(a) == 0) {
			run->stuck = 1;
			return;
		}
		for (i = 0; i < k; i++)
			memdns_answer(m, a, out[i]);
		run->questions += (unsigned int)k;
		memmove(out, out + k, (n - k) * sizeof(out[0]));
		n -= k;
	}
}

static int
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

int
memdns_same(const struct spf_verdict *a, const struct spf_verdict *b)
{
	return a->result == b->result && same_text(a->reason, b->reason) &&
	    same_text(a->explanation, b->explanation) &&
	    same_text(a->matched, b->matched) && a->lookups == b->lookups &&
	    a->voids == b->voids;
}
