/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Prints who may send what to whom, from the tables in the code, as
 * privsep/README shows it.
 */

#include <stdio.h>
#include <string.h>

#include "privsep/child/role_table.h"

/* The roles whose processes the parent starts. */
static unsigned int
children(void)
{
	const struct role_row *r;
	unsigned int bits = 0;

	for (r = role_rows; r < role_rows + SANDBOX_MAX; r++)
		if (r->number != ROLE_NUMBER_NONE)
			bits |= ROLE_BIT(r->role);
	return bits;
}

static void
roles(unsigned int bits)
{
	const char *sep = "";
	unsigned int r;

	if (bits == children()) {
		printf("children");
		return;
	}
	for (r = 1; r < ROLE_MAX; r++) {
		if ((bits & ROLE_BIT(r)) == 0)
			continue;
		printf("%s%s", sep, msg_role_name[r]);
		sep = ", ";
	}
}

int
main(void)
{
	static const char *const phase[] = { "", "start", "run", "any" };
	const struct msg_rule *m;
	char octets[24];
	unsigned int t;

	printf("%-13s %-8s %-3s %-5s %s\n", "message", "octets", "fd", "phase",
	    "from -> to");
	for (t = MSG_NONE + 1; t < MSG_TYPE_MAX; t++) {
		m = &msg_rules[t];
		if (m->min == m->max)
			snprintf(octets, sizeof(octets), "%u", m->min);
		else
			snprintf(octets, sizeof(octets), "%u-%u", m->min,
			    m->max);
		printf("%-13s %-8s %-3s %-5s ", m->name, octets,
		    m->fd == FD_ONE ? "one" : "-", phase[m->phase]);
		roles(m->senders);
		printf(" -> ");
		roles(m->receivers);
		putchar('\n');
	}
	return 0;
}
