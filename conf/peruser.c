/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/*
 * Settings by recipient. A line of the file is "user,key=value|key=value"; the
 * first line for a user counts. Each entry has a whole configuration; the
 * fields that it does not set point to the same memory as in the global one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"

/* An entry's configuration; conf_user.conf points to its first member. */
struct overlay {
	struct conf conf;
	uint64_t own; /* a bit for each row whose field it owns */
	unsigned int line;
};

static struct overlay *
overlay_of(const struct conf_user *u)
{
	return (struct overlay *)(void *)u->conf;
}

static int
overlay_owns(const struct overlay *o, size_t i)
{
	return (o->own & UINT64_C(1) << i) != 0;
}

static void
overlay_free(struct overlay *o)
{
	const struct conf_row *row;
	size_t i;

	for (i = 0; (row = conf_row_at(i)) != NULL; i++)
		if (overlay_owns(o, i))
			conf_row_free(&o->conf, row);
	free(o);
}

/* On -1, the overlay can only be freed. */
static int
overlay_set(struct conf_ctx *x, struct overlay *o, const struct conf_row *row,
    const char *value)
{
	size_t i = conf_row_index(row);

	/* The global configuration owns the value so far: do not free it. */
	if (!overlay_owns(o, i))
		memset(conf_field(&o->conf, row), 0, row->ops->size);
	if (conf_row_set(x, &o->conf, row, value) == -1)
		return -1;
	o->own |= UINT64_C(1) << i;
	return 0;
}

/* Copies the fields that are not its own from the global configuration. */
static void
overlay_sync(struct overlay *o, const struct conf *c)
{
	const struct conf_row *row;
	struct conf own = o->conf;
	size_t i;

	o->conf = *c;
	memset(&o->conf.users, 0, sizeof(o->conf.users));
	for (i = 0; (row = conf_row_at(i)) != NULL; i++)
		if (overlay_owns(o, i))
			memcpy(conf_field(&o->conf, row), conf_field(&own, row),
			    row->ops->size);
}

static int
no_setting(struct conf_ctx *x)
{
	x->key = NULL;
	conf_warn(x, "each setting must be key=value; line ignored");
	return -1;
}

/* Reads one "key=value". 0: set, or ignored with a warning; -1: bad line. */
static int
setting(struct conf_ctx *x, struct overlay *o, const char *s, size_t n,
    unsigned int *flags)
{
	const struct conf_row *row;
	const char *eq;
	char *name, *value;
	size_t was = n;
	int rv = 0;

	x->key = NULL;
	python_strip(&s, &n);
	if ((eq = memchr(s, '=', n)) == NULL ||
	    memchr(eq + 1, '=', n - (size_t)(eq - s) - 1) != NULL)
		return no_setting(x);
	if (conf_split(s, n, eq, &name, &value) + 1 != was)
		*flags |= ENTRY_BLANK;
	if ((row = conf_row_find(name)) == NULL)
		conf_unknown_key(x, name, " in settings by recipient");
	else {
		x->key = row->pub.name;
		if (!row->pub.per_user)
			conf_warn(x, "cannot be set by recipient");
		else if ((rv = overlay_set(x, o, row, value)) == -1)
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
	unsigned int flags = 0;
	size_t k;

	/* A line without settings is legal. */
	while (n != 0) {
		bar = memchr(s, '|', n);
		k = bar != NULL ? (size_t)(bar - s) : n;
		if (setting(x, o, s, k, &flags) == -1)
			return -1;
		if (bar == NULL)
			break;
		s += k + 1;
		n -= k + 1;
		if (n == 0)
			return no_setting(x);
	}
	x->key = NULL;
	if (flags != 0)
		conf_warn(x, "blanks around '=' and '|' are ignored");
	return 0;
}

void
conf_users_line(struct conf_ctx *x, struct conf *c, const char *s, size_t n)
{
	struct conf_user u;
	struct overlay *o;
	const char *comma, *v;
	size_t un, vn;
	struct conf_place *places = x->places;

	x->key = NULL;
	if (conf_dirty(s, n) != NULL) {
		conf_warn(x,
		    "not UTF-8 or with control characters; line ignored");
		return;
	}
	comma = memchr(s, ',', n);
	un = comma != NULL ? (size_t)(comma - s) : 0;
	v = comma != NULL ? comma + 1 : s;
	vn = comma != NULL ? n - un - 1 : 0;
	python_strip(&s, &un);
	python_strip(&v, &vn);
	if (comma == NULL || un == 0) {
		conf_warn(x, "not user,key=value|...; line ignored");
		return;
	}
	o = conf_xcalloc(1, sizeof(*o));
	o->conf = *c;
	memset(&o->conf.users, 0, sizeof(o->conf.users));
	o->line = x->line;
	x->per_user = 1;
	x->places = NULL;
	if (settings(x, o, v, vn) == -1)
		overlay_free(o);
	else {
		u.conf = &o->conf;
		u.user = conf_xstrndup(s, un);
		conf_lower(u.user);
		conf_append(&c->users, u);
	}
	x->per_user = 0;
	x->foreign = 0;
	x->places = places;
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
	int rv = by_user(a, b);

	if (rv != 0)
		return rv;
	return overlay_of(a)->line < overlay_of(b)->line ? -1 : 1;
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
		if (n == 0 || by_user(&l->v[n - 1], &l->v[i]) != 0) {
			l->v[n++] = l->v[i];
			continue;
		}
		x->line = overlay_of(&l->v[i])->line;
		conf_warn(x, "%s is already in line %u; line ignored",
		    conf_show(l->v[i].user), overlay_of(&l->v[n - 1])->line);
		overlay_free(overlay_of(&l->v[i]));
		free(l->v[i].user);
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
			if (!overlay_owns(o, j))
				continue;
			fprintf(f, "%s%s=", sep, row->pub.name);
			conf_row_print(f, &o->conf, row);
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

/* spf-engine's policy service changes the recipient to lower case. */
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
