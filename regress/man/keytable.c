/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. The table of keys as tab-separated lines. */

#include <stdio.h>

#include "conf/conf.h"

/* name, type, default, programs, per user, added, range ("-": any) */
int
main(void)
{
	const struct conf_key *k;
	size_t i;

	for (i = 0; (k = conf_key_at(i)) != NULL; i++)
		printf("%s\t%s\t%s\t%u\t%d\t%d\t%s\n", k->name, k->type, k->def,
		    k->programs, k->per_user, k->added,
		    k->range != NULL ? k->range : "-");
	return fflush(stdout) == 0 ? 0 : 1;
}
