/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Prints the system calls that a role may make with any arguments, by the
 * names of the architecture that it is built for: "calltable parent".
 */

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "privsep/child/role_table.h"
#include "privsep/sandbox/sandbox_private.h"

static unsigned int
role_bit(const char *name)
{
	const struct role_row *r;

	for (r = role_rows + 1; r < role_rows + SANDBOX_MAX; r++)
		if (strcmp(r->name, name) == 0)
			return 1U << (r - role_rows);
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct sandbox_rule *r;
	unsigned int bit;
	char *name;

	if (argc != 2 || (bit = role_bit(argv[1])) == 0) {
		fprintf(stderr, "usage: calltable ROLE\n");
		return 64;
	}
	for (r = sandbox_rules; r < sandbox_rules + sandbox_nrules; r++) {
		if ((r->roles & bit) == 0 || r->nargs != 0 ||
		    r->action != SCMP_ACT_ALLOW)
			continue;
		name =
		    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, r->nr);
		if (name == NULL)
			continue;
		puts(name);
		free(name);
	}
	return 0;
}
