/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl. Pure. */

/* resolv.conf(5): only the nameserver lines are read. */

#include <stdlib.h>
#include <string.h>

#include "conf/msgs.h"
#include "conf/text.h"
#include "proto/addr.h"

#define WORD "nameserver"

size_t
conf_resolvconf(const char *text, size_t len, struct conf_servers *out)
{
	struct addr a;
	const char *l;
	size_t n, i;

	conf_servers_free(out);
	out->v = conf_xcalloc(CONF_SERVERS_MAX, sizeof(*out->v));
	while (out->n < CONF_SERVERS_MAX && conf_line(&text, &len, &l, &n)) {
		/* As in glibc: the word begins the line, a blank ends it. */
		if (n <= sizeof(WORD) - 1 ||
		    memcmp(l, WORD, sizeof(WORD) - 1) != 0 ||
		    (l[sizeof(WORD) - 1] != ' ' && l[sizeof(WORD) - 1] != '\t'))
			continue;
		l += sizeof(WORD) - 1;
		n -= sizeof(WORD) - 1;
		while (n != 0 && (*l == ' ' || *l == '\t')) {
			l++;
			n--;
		}
		for (i = 0; i < n && strchr(" \t;#", l[i]) == NULL; i++)
			;
		/* This skips scoped addresses (fe80::1%eth0). */
		if (addr_parse(&a, l, i) == -1)
			continue;
		out->v[out->n].addr = a;
		out->v[out->n++].port = 53;
	}
	if (out->n == 0 && addr_parse(&a, "127.0.0.1", 9) == 0) {
		out->v[0].addr = a;
		out->v[out->n++].port = 53;
	}
	return out->n;
}
