/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; pure. */

#include <string.h>

#include "proto/dname.h"
#include "unpriv/milter/hosts.h"

enum hosts_match
hosts_addr(const struct conf_hosts *hosts, const struct addr *client)
{
	enum hosts_match by_addr = HOSTS_UNKNOWN, by_net = HOSTS_UNKNOWN;
	const struct conf_host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		if (h->kind != HOST_NET || !cidr_match(&h->net, client))
			continue;
		if (h->is_addr)
			by_addr = h->negated ? HOSTS_NO : HOSTS_YES;
		else
			by_net = h->negated ? HOSTS_NO : HOSTS_YES;
	}
	return by_addr != HOSTS_UNKNOWN ? by_addr : by_net;
}

enum hosts_match
hosts_name(const struct conf_hosts *hosts, const char *name, size_t len)
{
	enum hosts_match exact = HOSTS_UNKNOWN, below = HOSTS_UNKNOWN;
	const struct conf_host *h;
	size_t i, hlen;
	int same;

	len = dname_undot(name, len);
	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		if (h->kind == HOST_NET)
			continue;
		hlen = dname_undot(h->name, strlen(h->name));
		same = dname_equal(name, len, h->name, hlen);
		if (h->kind == HOST_NAME && same)
			exact = h->negated ? HOSTS_NO : HOSTS_YES;
		if (h->kind == HOST_DOMAIN && !same &&
		    dname_is_below(name, len, h->name, hlen))
			below = h->negated ? HOSTS_NO : HOSTS_YES;
	}
	return exact != HOSTS_UNKNOWN ? exact : below;
}

int
hosts_has_names(const struct conf_hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (hosts->v[i].kind != HOST_NET)
			return 1;
	return 0;
}

/* 1 when the entry matches this value; NULL: the macro is missing. */
static int
hosts_macro_matches(const struct conf_macro *m, const char *value)
{
	size_t i;

	if (value == NULL)
		return 0;
	for (i = 0; i < m->values.n; i++)
		if (strcmp(m->values.v[i], value) == 0)
			return 1;
	return m->values.n == 0;
}

int
hosts_macros(const struct conf_macros *list,
    const char *(*get)(const char *, void *), void *arg, int *external)
{
	size_t i, failed = 0, matched = 0;

	for (i = 0; i < list->n; i++)
		if (hosts_macro_matches(&list->v[i], get(list->v[i].name, arg)))
			matched++;
		else
			failed++;
	/* With a mixed result mail is checked, but logged as INTERNAL. */
	*external = failed == 0;
	return failed == 0 || matched != 0;
}
