/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; the children of a parent read no files. */

/*
 * Settings by recipient. A line of the file is "user,key=value|key=value";
 * the first line for a user counts. Each entry is a whole configuration that
 * shares the fields that it does not set with the global one, and must be
 * freed before it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"

struct overlay {
	struct conf conf;  /* first: conf_user.conf points here */
	uint64_t own;	   /* by row, a bit for each field that it owns */
	unsigned int line; /* of the file, to sort by */
};

static struct overlay *
overlay_of(const struct conf_user *u)
{
	return (struct overlay *)(void *)u->conf;
}

static void
overlay_free(struct overlay *o)
{
	const struct conf_row *row;
	size_t i;

	for (i = 0; (row = conf_row_at(i)) != NULL; i++)
		if ((o->own & UINT64_C(1) << i) != 0 && row->ops->free != NULL)
			row->ops->free(row, &o->conf);
	free(o);
}

/*
 * A field's first setting must not free the value that it shares with the
 * global configuration.
 */
static int
overlay_set(struct conf_ctx *x, struct overlay *o, const struct conf_row *row,
    const char *value)
{
	uint64_t bit = UINT64_C(1) << conf_row_index(row);
	struct conf *c = &o->conf, saved;

	saved = *c;
	if ((o->own & bit) == 0) {
		memset((char *)c + row->off, 0, row->ops->size);
		if (row->off2 != 0)
			*(char **)(void *)((char *)c + row->off2) = NULL;
	}
	if (conf_row_set(x, c, row, value) == -1) {
		*c = saved;
		return -1;
	}
	o->own |= bit;
	return 0;
}

/* Copies the shared fields once the global ones are complete. */
static void
overlay_sync(struct overlay *o, const struct conf *c)
{
	const struct conf_row *row;
	struct conf own = o->conf;
	size_t i;

	o->conf = *c;
	memset(&o->conf.users, 0, sizeof(o->conf.users));
	for (i = 0; (row = conf_row_at(i)) != NULL; i++) {
		if ((o->own & UINT64_C(1) << i) == 0)
			continue;
		memcpy((char *)&o->conf + row->off, (char *)&own + row->off,
		    row->ops->size);
		if (row->off2 != 0)
			*(char **)(void *)((char *)&o->conf + row->off2) =
			    *(char **)(void *)((char *)&own + row->off2);
	}
}

/*
 * One "key=value". 0: set, or skipped with a warning; -1: the line is bad.
 */
static int
setting(struct conf_ctx *x, struct overlay *o, const char *s, size_t n,
    unsigned int *odd)
{
	const struct conf_row *row;
	const char *eq;
	char *name, *value;
	size_t was;
	int rv = -1;

	x->key = NULL;
	was = n;
	python_strip(&s, &n);
	if ((eq = memchr(s, '=', n)) == NULL ||
	    memchr(eq + 1, '=', n - (size_t)(eq - s) - 1) != NULL) {
		conf_warn(x, "each setting is key=value; line ignored");
		return -1;
	}
	if (conf_split(s, n, eq, &name, &value) + 1 != was)
		*odd |= ENTRY_BLANK;
	if ((row = conf_row_find(name)) == NULL) {
		rv = 0;
		conf_unknown_key(x, name, " in settings by recipient");
	} else if (!row->pub.per_user) {
		rv = 0;
		x->key = row->pub.name;
		conf_warn(x, "cannot be set by recipient");
	} else {
		x->key = row->pub.name;
		if ((rv = overlay_set(x, o, row, value)) == -1)
			conf_warn(x, "line ignored");
	}
	free(name);
	free(value);
	return rv;
}

static int
settings(struct conf_ctx *x, struct overlay *o, const char *s, size_t n)
{
	const char *bar;
	unsigned int odd = 0;
	size_t k;

	/* A user without settings has the global ones. */
	while (n != 0) {
		bar = memchr(s, '|', n);
		k = bar != NULL ? (size_t)(bar - s) : n;
		if (setting(x, o, s, k, &odd) == -1)
			return -1;
		if (bar == NULL)
			break;
		s += k + 1;
		n -= k + 1;
		if (n == 0) {
			x->key = NULL;
			conf_warn(x,
			    "each setting is key=value; "
			    "line ignored");
			return -1;
		}
	}
	x->key = NULL;
	if (odd != 0)
		conf_warn(x, "blanks round '=' and '|' are left out");
	return 0;
}

void
conf_users_line(struct conf_ctx *x, struct conf *c, const char *s, size_t n)
{
	struct conf_user *u;
	struct overlay *o;
	const char *comma, *why, *v;
	size_t un, vn;
	unsigned int *lines = x->lines;

	x->key = NULL;
	if (memchr(s, '\0', n) != NULL || (why = conf_dirty(s, n)) != NULL) {
		conf_warn(x, "the line is not clean text; line ignored");
		return;
	}
	comma = memchr(s, ',', n);
	un = comma != NULL ? (size_t)(comma - s) : 0;
	v = comma != NULL ? comma + 1 : s;
	vn = comma != NULL ? n - un - 1 : 0;
	python_strip(&s, &un);
	python_strip(&v, &vn);
	if (comma == NULL || un == 0) {
		conf_warn(x, "a line is user,key=value|...; line ignored");
		return;
	}
	o = conf_xcalloc(1, sizeof(*o));
	o->conf = *c;
	memset(&o->conf.users, 0, sizeof(o->conf.users));
	o->line = x->line;
	x->per_user = 1;
	x->lines = NULL;
	if (settings(x, o, v, vn) == -1)
		overlay_free(o);
	else {
		c->users.v =
		    conf_xgrow(c->users.v, c->users.n, sizeof(*c->users.v));
		u = &c->users.v[c->users.n++];
		u->conf = &o->conf;
		u->user = conf_xstrndup(s, un);
		conf_lower(u->user);
	}
	x->per_user = 0;
	x->foreign = 0;
	x->lines = lines;
	x->key = NULL;
}

void
conf_users_parse(struct conf_ctx *x, struct conf *c, const char *text,
    size_t len)
{
	const char *l, *hash;
	size_t n;

	x->file = c->per_user_path;
	x->line = 0;
	(void)conf_skip_bom(&text, &len);
	while (conf_line(&text, &len, &l, &n)) {
		x->line++;
		if ((hash = memchr(l, '#', n)) != NULL)
			n = (size_t)(hash - l);
		python_strip(&l, &n);
		if (n != 0)
			conf_users_line(x, c, l, n);
	}
}

static int
by_user(const void *a, const void *b)
{
	const struct conf_user *ua = a, *ub = b;

	return strcmp(ua->user, ub->user);
}

static int
by_user_line(const void *a, const void *b)
{
	const struct conf_user *ua = a, *ub = b;
	int rv;

	if ((rv = strcmp(ua->user, ub->user)) != 0)
		return rv;
	return overlay_of(ua)->line < overlay_of(ub)->line ? -1 : 1;
}

void
conf_users_done(struct conf_ctx *x, struct conf *c)
{
	struct conf_users *l = &c->users;
	size_t i, n = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_user_line);
	for (i = 0; i < l->n; i++) {
		if (n != 0 && strcmp(l->v[n - 1].user, l->v[i].user) == 0) {
			x->line = overlay_of(&l->v[i])->line;
			conf_warn(x, "%s is already in line %u; line ignored",
			    conf_show(l->v[i].user),
			    overlay_of(&l->v[n - 1])->line);
			overlay_free(overlay_of(&l->v[i]));
			free(l->v[i].user);
			continue;
		}
		l->v[n++] = l->v[i];
	}
	l->n = n;
	for (i = 0; i < n; i++)
		overlay_sync(overlay_of(&l->v[i]), c);
}

void
conf_users_print(FILE *f, const struct conf *c)
{
	const struct conf_row *row;
	const struct overlay *o;
	const char *sep;
	size_t i, j;

	for (i = 0; i < c->users.n; i++) {
		o = overlay_of(&c->users.v[i]);
		fprintf(f, "@user %s,", c->users.v[i].user);
		sep = "";
		for (j = 0; (row = conf_row_at(j)) != NULL; j++) {
			if ((o->own & UINT64_C(1) << j) == 0)
				continue;
			fprintf(f, "%s%s=", sep, row->pub.name);
			row->ops->print(f, row, &o->conf);
			sep = "|";
		}
		putc('\n', f);
	}
}

void
conf_users_free(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->users.n; i++) {
		free(c->users.v[i].user);
		overlay_free(overlay_of(&c->users.v[i]));
	}
	free(c->users.v);
	memset(&c->users, 0, sizeof(c->users));
}

/*
 * Compares the whole address without regard to ASCII case: spf-engine's
 * policy service lower-cases the recipient.
 */
const struct conf *
conf_for(const struct conf *c, const char *recipient)
{
	struct conf_user key, *u;

	if (c->users.n == 0)
		return c;
	key.user = conf_xstrndup(recipient, strlen(recipient));
	conf_lower(key.user);
	u = bsearch(&key, c->users.v, c->users.n, sizeof(*u), by_user);
	free(key.user);
	return u != NULL ? u->conf : c;
}
