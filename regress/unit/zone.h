/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Records of a DNS in memory from the lines of a zone. */

#ifndef REGRESS_UNIT_ZONE_H
#define REGRESS_UNIT_ZONE_H

#include <err.h>
#include <string.h>

#include "regress/suite/memdns.h"

static struct memdns *dns;

/*
 * "OWNER TYPE DATA", up to a newline or the end. DATA "!TIMEOUT" or
 * "!TEMPERROR" is that status, of all types when TYPE is ANY; the first "|" of
 * a TXT record ends its first character-string. A line that begins with
 * "v=spf1" is the TXT record of d.test, as it is.
 */
static void
zone_line(const char *line)
{
	static const struct {
		const char *name;
		uint16_t type;
	} types[] = { { "TXT ", DNS_T_TXT }, { "MX ", DNS_T_MX },
		{ "PTR ", DNS_T_PTR }, { "CNAME ", DNS_T_CNAME },
		{ "A ", DNS_T_A }, { "AAAA ", DNS_T_AAAA }, { "ANY ", 0 } };
	size_t i, n = strcspn(line, " "), tn, len, first;
	const char *type = line + n + 1, *data;
	char text[65536];
	struct addr a;

	if (strncmp(line, "v=spf1", 6) == 0) {
		memdns_txt(dns, "d.test", line);
		return;
	}
	tn = strcspn(type, " ") + 1;
	data = type + tn;
	len = strcspn(data, "\n");
	for (i = 0; i < NITEMS(types); i++)
		if (strncmp(types[i].name, type, tn) == 0)
			break;
	if (i == NITEMS(types))
		errx(1, "bad zone line: %s", line);
	if (data[0] == '!') {
		memdns_fail(dns, line, n, types[i].type,
		    data[2] == 'I' ? DNS_TIMEOUT : DNS_TEMPERROR);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)len, data);
	first = strcspn(text, types[i].type == DNS_T_TXT ? "|" : "");
	if (first < len)
		memmove(text + first, text + first + 1, len-- - first);
	if ((types[i].type == DNS_T_A || types[i].type == DNS_T_AAAA) &&
	    addr_parse(&a, text, len) == 0)
		memdns_add(dns, line, n, types[i].type, a.b,
		    a.family == 4 ? 4 : 16, 0);
	else
		memdns_add(dns, line, n, types[i].type, text, len,
		    types[i].type == DNS_T_TXT ? (uint16_t)first : 0);
}

/* Lines, each with its newline. */
static inline void
zone_text(const char *text)
{
	for (; *text != '\0'; text = strchr(text, '\n') + 1)
		zone_line(text);
}

#endif
