/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spfctl/lint.h"

#define WIDE4	  16 /* report shorter prefixes */
#define WIDE6	  32
#define PAIRS_MAX 500 /* terms of a record to compare */

/* Clients have no such addresses (RFC 1918, RFC 1122, RFC 4193). */
static const struct cidr private_nets[] = {
	{ { 4, { 10 } }, 8 },
	{ { 4, { 172, 16 } }, 12 },
	{ { 4, { 192, 168 } }, 16 },
	{ { 4, { 127 } }, 8 },
	{ { 4, { 169, 254 } }, 16 },
	{ { 6, { 0xfc } }, 7 },
	{ { 6, { 0xfe, 0x80 } }, 10 },
};

void
lint_net_add(struct lint *l, const struct cidr *c)
{
	if (l->nnets == LINT_NETS_MAX) {
		l->uncounted = 1;
		return;
	}
	l->nets[l->nnets] = *c;
	cidr_mask(&l->nets[l->nnets++]);
}

static int
net_cmp(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;
	int c;

	if (x->a.family != y->a.family)
		return x->a.family < y->a.family ? -1 : 1;
	if ((c = memcmp(x->a.b, y->a.b, sizeof(x->a.b))) != 0)
		return c;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* Two networks are disjoint, or one contains the other. */
void
lint_net_sum(struct lint *l)
{
	const struct cidr *last = NULL, *c;
	size_t i;

	l->sum4 = l->sum6 = 0;
	l->whole6 = 0;
	if (l->nnets == 0)
		return;
	/* glibc's qsort(3) makes a system call that the sandbox forbids. */
	if (heapsort(l->nets, l->nnets, sizeof(*l->nets), net_cmp) == -1)
		return;
	for (i = 0; i < l->nnets; i++) {
		c = &l->nets[i];
		if (last != NULL && cidr_match(last, &c->a))
			continue;
		last = c;
		if (c->a.family == 4)
			l->sum4 += (unsigned __int128)1 << (32 - c->len);
		else if (c->len == 0)
			l->whole6 = 1;
		else
			l->sum6 += (unsigned __int128)1 << (128 - c->len);
	}
	/* The sum of two halves overflows to 0. */
	if (last != NULL && last->a.family == 6 && l->sum6 == 0)
		l->whole6 = 1;
}

const char *
lint_number(unsigned __int128 v, char buf[64])
{
	size_t i = 63;

	buf[i] = '\0';
	do {
		buf[--i] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v != 0);
	return buf + i;
}

static void
net_check(struct lint *l, struct lint_record *r, const struct spf_term *t)
{
	int v6 = t->net.a.family == 6, len = t->net.len;
	char text[ADDR_STRLEN];
	struct cidr c = t->net;
	size_t i;

	if (cidr_hostbits(&t->net)) {
		cidr_mask(&c);
		lint_add(l, r, LINT_NOTE, "host-bits", t,
		    "the network is %s/%d",
		    addr_format(&c.a, text, sizeof(text)), len);
	}
	for (i = 0; i < nitems(private_nets); i++)
		if (len >= private_nets[i].len &&
		    cidr_match(&private_nets[i], &t->net.a))
			lint_add(l, r, LINT_WARNING, "private", t,
			    "no receiver sees a client with such an address");
	if (!lint_passes(r, t))
		return;
	if (len == 0)
		lint_add(l, r, LINT_ERROR, "passes-all", t,
		    "every IPv%d address passes", v6 ? 6 : 4);
	else if (len < (v6 ? WIDE6 : WIDE4))
		lint_add(l, r, r->own ? LINT_WARNING : LINT_NOTE, "wide", t,
		    "this is a large network: 2^%d addresses pass",
		    (v6 ? 128 : 32) - len);
}

/* Returns 1 if two networks are the halves of a network, *whole. */
static int
halves(const struct cidr *a, const struct cidr *b, struct cidr *whole)
{
	struct cidr x = *a, y = *b;

	if (a->a.family != b->a.family || a->len != b->len || a->len == 0)
		return 0;
	x.len--;
	y.len--;
	cidr_mask(&x);
	cidr_mask(&y);
	*whole = x;
	return addr_equal(&x.a, &y.a);
}

static void
net_pair_check(struct lint *l, struct lint_record *r, const struct spf_term *a,
    const struct spf_term *b)
{
	char text[ADDR_STRLEN];
	struct cidr whole;

	if (a->qualifier != b->qualifier || a->kind != b->kind)
		return;
	if (a->net.len <= b->net.len && cidr_match(&a->net, &b->net.a))
		lint_add(l, r, LINT_NOTE, "covered", b,
		    "the earlier %.*s includes this",
		    a->len > 100 ? 100 : (int)a->len, a->text);
	else if (b->net.len < a->net.len && cidr_match(&b->net, &a->net.a))
		lint_add(l, r, LINT_NOTE, "covered", a,
		    "the later %.*s includes this",
		    b->len > 100 ? 100 : (int)b->len, b->text);
	else if (halves(&a->net, &b->net, &whole))
		lint_add(l, r, LINT_NOTE, "merge", b,
		    "this and %.*s are together ip%d:%s/%d",
		    a->len > 100 ? 100 : (int)a->len, a->text, whole.a.family,
		    addr_format(&whole.a, text, sizeof(text)), whole.len);
}

void
lint_net_record(struct lint *l, struct lint_record *r)
{
	struct spf_term *v;
	struct spf_syntax e;
	struct spf_scan sc;
	struct spf_term t;
	size_t i, j, n = 0;
	int rv;

	if ((v = arena_array(l->arena, PAIRS_MAX, sizeof(*v))) == NULL)
		return;
	spf_scan_start(&sc, r->rec, r->reclen);
	while ((rv = spf_scan_next(&sc, &t, &e)) != 0 && n < PAIRS_MAX) {
		if (rv == -1)
			continue;
		if (t.kind == SPF_T_ALL)
			break;
		if (t.kind == SPF_T_IP4 || t.kind == SPF_T_IP6)
			v[n++] = t;
	}
	for (j = 0; j < n; j++) {
		net_check(l, r, &v[j]);
		for (i = 0; i < j && r->own; i++)
			net_pair_check(l, r, &v[i], &v[j]);
	}
}
