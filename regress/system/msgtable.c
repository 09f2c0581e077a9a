/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Prints who may send what to whom, from the tables in the code, as README
 * shows it.
 */

#include <stdio.h>
#include <string.h>

#include "proto/msg.h"

static void
roles(unsigned int bits, char *buf, size_t size)
{
	unsigned int r;

	buf[0] = '\0';
	for (r = 1; r < ROLE_MAX; r++) {
		if ((bits & ROLE_BIT(r)) == 0)
			continue;
		if (buf[0] != '\0')
			strlcat(buf, ", ", size);
		strlcat(buf, msg_role_name[r], size);
	}
}

int
main(void)
{
	static const char *const phase[] = { "", "start", "run", "any" };
	char from[128], to[128];
	const struct msg_rule *m;
	unsigned int t;

	printf("%-12s %-31s %-31s %-13s %-4s %s\n", "message", "from", "to",
	    "octets", "fd", "phase");
	for (t = MSG_NONE + 1; t < MSG_TYPE_MAX; t++) {
		m = &msg_rules[t];
		roles(m->senders, from, sizeof(from));
		roles(m->receivers, to, sizeof(to));
		printf("%-12s %-31s %-31s %5u-%-7u %-4s %s\n", m->name, from,
		    to, m->min, m->max, m->fd == FD_ONE ? "one" : "-",
		    phase[m->phase]);
	}
	return 0;
}
