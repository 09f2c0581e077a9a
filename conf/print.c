/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl. Pure. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "conf/peruser.h"

/*
 * One line for each key, in the order of the table. A child also gets the keys
 * of the other program: it cannot find out the host name for Authserv_Id.
 */
char *
conf_print(const struct conf *c, int for_child)
{
	const struct conf_row *row;
	const char *l, *nl;
	char *out = NULL;
	size_t i, size = 0;
	long at;
	FILE *f;

	if ((f = open_memstream(&out, &size)) == NULL)
		abort();
	for (i = 0; (row = conf_row_at(i)) != NULL; i++) {
		if (!for_child &&
		    (row->pub.programs & (unsigned int)c->program) == 0)
			continue;
		fprintf(f, "%s = ", row->pub.name);
		at = ftell(f);
		conf_row_print(f, c, row);
		/* Remove the blank before an empty value. */
		if (ftell(f) == at)
			fseek(f, -1, SEEK_CUR);
		putc('\n', f);
	}
	if (for_child) {
		for (l = c->trust_anchor_text; *l != '\0'; l = nl + 1) {
			nl = strchrnul(l, '\n');
			fprintf(f, "@trust_anchor %.*s\n", (int)(nl - l), l);
			if (*nl == '\0')
				break;
		}
		conf_users_print(f, c);
	}
	if (fclose(f) != 0)
		abort();
	return out;
}
