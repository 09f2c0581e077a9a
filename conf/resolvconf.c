/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl. Pure. */

#include <string.h>

#include "conf/msgs.h"
#include "conf/text.h"
#include "proto/addr.h"

#define WORD "nameserver"

size_t
conf_resolvconf(const char *text, size_t len, struct conf_servers *out)
{
	const size_t word = sizeof(WORD) - 1;
	struct conf_server sv = { .port = 53 };
	const char *l;
	size_t n, k, end;

	conf_servers_free(out);
	while (out->n < CONF_SERVERS_MAX && conf_line(&text, &len, &l, &n)) {
		/* As in glibc: the word begins the line, a blank ends it. */
		if (n <= word || memcmp(l, WORD, word) != 0 ||
		    (l[word] != ' ' && l[word] != '\t'))
			continue;
		for (k = word; k < n && (l[k] == ' ' || l[k] == '\t'); k++)
			;
		for (end = k; end < n && strchr(" \t;#", l[end]) == NULL; end++)
			;
		/* Scoped addresses (fe80::1%eth0) fail here. */
		if (addr_parse(&sv.addr, l + k, end - k) == 0)
			conf_push(out, sv);
	}
	if (out->n == 0 && addr_parse(&sv.addr, "127.0.0.1", 9) == 0)
		conf_push(out, sv);
	return out->n;
}
