/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure. */

#include <string.h>

#include "unpriv/spfctl/lint.h"

#define MANY_ADDRESSES (1U << 22)
#define REPLACE_MAX    4 /* addresses to replace a name */

static void
void_findings(struct lint *l, struct lint_record *top)
{
	unsigned int limit = (unsigned int)l->ctl->conf->void_limit;

	if (l->voids[0] > limit && l->voids[1] > limit)
		lint_add(l, top, LINT_ERROR, "too-many-voids", NULL,
		    "%u void lookups for IPv4 clients, %u for IPv6 clients; "
		    "more than %u are a permerror",
		    l->voids[0], l->voids[1], limit);
	else if (l->voids[0] > limit || l->voids[1] > limit)
		lint_add(l, top, LINT_WARNING, "too-many-voids", NULL,
		    "%u void lookups for IPv%d clients; more than %u are a "
		    "permerror",
		    l->voids[l->voids[1] > limit], l->voids[1] > limit ? 6 : 4,
		    limit);
}

/* Suggests ip4: and ip6: terms, which need no lookup, for a: terms. */
static void
suggest_addresses(struct lint *l, struct lint_record *top)
{
	char name[DNAME_MAX + 1], text[200], ip[ADDR_STRLEN];
	static const uint16_t types[] = { DNS_T_A, DNS_T_AAAA };
	const struct answers_question *q;
	struct spf_syntax e;
	struct spf_scan sc;
	struct spf_term t;
	struct addr a;
	size_t len, i, j, n;

	spf_scan_start(&sc, top->rec, top->reclen);
	while (spf_scan_next(&sc, &t, &e) == 1) {
		if (t.kind != SPF_T_A || t.len4 != 32 || t.len6 != 128 ||
		    lint_target(l, top, &t, name, &len) != 1)
			continue;
		text[0] = '\0';
		for (i = n = 0; i < 2; i++) {
			q = answers_find(l->answers, types[i], name, len);
			if (q == NULL || q->state != ANSWERS_DONE)
				continue;
			n += q->answer.nrr;
			if (n > REPLACE_MAX)
				continue;
			for (j = 0; j < q->answer.nrr; j++) {
				memset(&a, 0, sizeof(a));
				a.family = i == 0 ? 4 : 6;
				memcpy(a.b, q->answer.rr[j].data,
				    i == 0 ? 4 : 16);
				strlcat(text,
				    i == 0 ? " ip4:" : " ip6:", sizeof(text));
				strlcat(text, addr_format(&a, ip, sizeof(ip)),
				    sizeof(text));
			}
		}
		if (n > 0 && n <= REPLACE_MAX)
			lint_add(l, top, LINT_NOTE, "replace", &t,
			    "saves a lookup, as long as the address stays:%s",
			    text);
	}
}

void
lint_tree(struct lint *l)
{
	struct lint_record *top = STAILQ_FIRST(&l->records), *r;

	if (l->lookups > SPF_MAX_TERMS) {
		lint_add(l, top, LINT_ERROR, "too-many-lookups", NULL,
		    "%s%u lookups; more than ten are a permerror",
		    l->lookups > LINT_TERMS_MAX ? "more than " : "",
		    l->lookups > LINT_TERMS_MAX ? LINT_TERMS_MAX : l->lookups);
		if (top->rec != NULL)
			suggest_addresses(l, top);
	} else if (l->lookups == SPF_MAX_TERMS)
		lint_add(l, top, LINT_NOTE, "many-lookups", NULL,
		    "ten lookups: one more in an included record is a "
		    "permerror");
	void_findings(l, top);
	lint_net_sum(l);
	STAILQ_FOREACH(r, &l->records, entry)
		if (r->all_pass) {
			l->sum4 = (unsigned __int128)1 << 32;
			l->whole6 = 1;
		}
	if (l->sum4 > MANY_ADDRESSES && l->sum4 >> 32 == 0)
		lint_add(l, top, LINT_WARNING, "many-addresses", NULL,
		    "%llu IPv4 addresses pass", (unsigned long long)l->sum4);
}
