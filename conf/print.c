/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl. Pure. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "conf/peruser.h"

/*
 * One line a key, in the order of the table. The administrator sees the keys
 * of the program; a child gets all of them, since it cannot work all of them
 * out (Authserv_Id needs a system call).
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
		row->ops->print(f, row, c);
		/* Take back the blank after "=" of an empty value. */
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
