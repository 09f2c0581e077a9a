/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/*
 * InternalHosts and MacroList: the value is a list, with or without "csl:", or
 * names a file ("/path", "file:", "refile:"). The effective configuration has
 * the entries, not the name of the file.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"
#include "proto/addr.h"
#include "proto/text.h"

#define NAME_LEN 253

/* One kind of dataset. */
struct conf_dataset {
	/* 0: added, or ignored with a warning; -1: refused. */
	int (*add)(struct conf_ctx *, void *, const char *, size_t);
	/* 1 for an entry whose colons do not separate; NULL: no such entry. */
	int (*whole)(const char *, size_t);
};

/* Colons separate entries, except inside an IPv6 address. */
static int
from_word(struct conf_ctx *x, const char *s, size_t n,
    const struct conf_dataset *k, void *field)
{
	const char *colon, *e;
	size_t i;

	if (k->whole != NULL && k->whole(s, n))
		return k->add(x, field, s, n);
	for (;;) {
		colon = memchr(s, ':', n);
		e = s;
		i = colon != NULL ? (size_t)(colon - s) : n;
		python_strip(&e, &i);
		if (i != 0 && k->add(x, field, e, i) == -1)
			return -1;
		if (colon == NULL)
			return 0;
		n -= (size_t)(colon - s) + 1;
		s = colon + 1;
	}
}

/* One word a line; spf-engine ignores most of what follows it. */
static int
from_line(struct conf_ctx *x, const char *l, size_t n,
    const struct conf_dataset *k, void *field)
{
	const char *why, *e, *s;
	char *copy;
	unsigned int flags = 0;
	int rv = 0;

	if (memchr(l, '\0', n) != NULL)
		return conf_refuse(x, "the line holds a NUL");
	if ((why = conf_dirty(l, n)) != NULL)
		return conf_refuse(x, "the line %s", why);
	copy = conf_xstrndup(l, n);
	s = copy;
	if (strchr(copy, ',') != NULL) {
		conf_warn(x, "a list in a line: each entry counts");
		while (rv == 0 && conf_entry(&s, &e, &n, 1, &flags))
			if (n != 0)
				rv = from_word(x, e, n, k, field);
	} else {
		if (strpbrk(copy, " \t") != NULL)
			conf_warn(x, "only the first word counts");
		rv = from_word(x, copy, strcspn(copy, " \t"), k, field);
	}
	free(copy);
	return rv;
}

static int
from_list(struct conf_ctx *x, const char *s, const struct conf_dataset *k,
    void *field)
{
	const char *e;
	size_t n;
	unsigned int flags = 0;

	if (*s == '\0')
		return 0;
	while (conf_entry(&s, &e, &n, 0, &flags))
		if (n != 0 && k->add(x, field, e, n) == -1)
			return -1;
	if ((flags & ENTRY_EMPTY) != 0)
		conf_warn(x, "empty entries are ignored");
	return 0;
}

static int
from_file(struct conf_ctx *x, const char *path, const struct conf_dataset *k,
    void *field)
{
	const char *text, *l, *hash, *old_file = x->file;
	unsigned int old_line = x->line, count = 0;
	char *buf;
	size_t len, n;
	int rv = 0;

	if ((buf = conf_read(x, path, &len)) == NULL)
		return conf_refuse(x, "%s: %s", path, strerror(errno));
	x->file = path;
	x->line = 0;
	for (text = buf; rv == 0 && conf_line(&text, &len, &l, &n);) {
		x->line++;
		if ((hash = memchr(l, '#', n)) != NULL)
			n = (size_t)(hash - l);
		python_strip(&l, &n);
		if (n == 0)
			continue;
		count++;
		rv = from_line(x, l, n, k, field);
	}
	x->file = old_file;
	x->line = old_line;
	free(buf);
	if (rv == 0 && count == 0)
		conf_warn(x, "%s has no entries", path);
	return rv;
}

static int
dataset(struct conf_ctx *x, const char *s, const struct conf_dataset *k,
    void *field)
{
	if (strncmp(s, "file:", 5) == 0)
		return from_file(x, s + 5, k, field);
	if (strncmp(s, "refile:", 7) == 0)
		return from_file(x, s + 7, k, field);
	if (*s == '/')
		return from_file(x, s, k, field);
	return from_list(x, strncmp(s, "csl:", 4) == 0 ? s + 4 : s, k, field);
}

/* InternalHosts. */

/* A host or domain name, in ASCII or UTF-8. */
static int
name_ok(const char *s, size_t n)
{
	size_t i, digits = 0;
	char c, last = '.';

	if (n == 0 || n > NAME_LEN || python_has_space(s, n))
		return 0;
	for (i = 0; i < n; i++) {
		c = s[i];
		if ((c == '.' && last == '.') ||
		    ((c & 0x80) == 0 && !ascii_is_ldh(c) && c != '_' &&
			c != '.'))
			return 0;
		digits += c == '.' || ascii_is_digit(c);
		last = c;
	}
	return digits != n && last != '.';
}

/* "addr", "addr/len", with or without brackets around the address. */
static int
host_net(struct conf_host *h, const char *s, size_t n)
{
	const char *end;
	char buf[128];
	int len;

	if (n == 0 || n >= sizeof(buf))
		return -1;
	if (*s == '[' && (end = memchr(s, ']', n)) != NULL) {
		len = snprintf(buf, sizeof(buf), "%.*s%.*s", (int)(end - s) - 1,
		    s + 1, (int)(n - (size_t)(end - s)) - 1, end + 1);
		s = buf;
		n = (size_t)len;
	}
	if (cidr_parse(&h->net, s, n) == -1)
		return -1;
	h->kind = HOST_NET;
	h->is_addr = memchr(s, '/', n) == NULL;
	return 0;
}

static int
host_whole(const char *s, size_t n)
{
	struct conf_host h;

	while (n != 0 && *s == '!') {
		s++;
		n--;
	}
	if (host_net(&h, s, n) == 0)
		return 1;
	/* Two colons: a malformed IPv6 address. Do not split it. */
	return memmem(s, n, "::", 2) != NULL;
}

/* 0: a name; 1: ignored with a warning; -1: refused. */
static int
host_name(struct conf_ctx *x, struct conf_host *h, const char *s, size_t n,
    const char *entry)
{
	h->kind = n != 0 && *s == '.' ? HOST_DOMAIN : HOST_NAME;
	if (h->kind == HOST_DOMAIN) {
		s++;
		n--;
	}
	if (n != 0 && s[n - 1] == '.')
		n--;
	if (!name_ok(s, n)) {
		/* If ignored, clients that it excludes are internal. */
		if (h->negated)
			return conf_refuse(x,
			    "%s is neither a network nor a name",
			    conf_show(entry));
		conf_warn(x, "%s is neither a network nor a name; ignored",
		    conf_show(entry));
		return 1;
	}
	if (memchr(s, '.', n) == NULL && h->kind == HOST_NAME)
		conf_warn(x, "%s is read as a host name without a domain",
		    conf_show(entry));
	h->name = conf_xstrndup(s, n);
	conf_lower(h->name);
	return 0;
}

static int
host_add(struct conf_ctx *x, void *field, const char *s, size_t n)
{
	struct conf_hosts *l = field;
	struct conf_host h;
	char *entry;
	int rv = 0;

	memset(&h, 0, sizeof(h));
	entry = conf_xstrndup(s, n);
	if (n != 0 && *s == '!') {
		h.negated = 1;
		s++;
		n--;
		python_strip(&s, &n);
	}
	if (host_net(&h, s, n) == -1)
		rv = host_name(x, &h, s, n, entry);
	else
		conf_clear_hostbits(x, &h.net, entry);
	if (rv == 0)
		conf_append(l, h);
	free(entry);
	return rv == -1 ? -1 : 0;
}

static int
set_hosts(struct conf_ctx *x, void *field, const char *s)
{
	static const struct conf_dataset kind = { host_add, host_whole };

	if (*s == '\0')
		conf_warn(x, "is empty: no client is internal");
	return dataset(x, s, &kind, field);
}

static void
print_hosts(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_hosts *l = field;
	const struct conf_host *h;
	size_t i;

	if (l->n == 0)
		fputs("csl:", f);
	for (i = 0; i < l->n; i++) {
		h = &l->v[i];
		fprintf(f, "%s%s", i == 0 ? "" : ",", h->negated ? "!" : "");
		if (h->kind != HOST_NET) {
			fprintf(f, "%s%s", h->kind == HOST_DOMAIN ? "." : "",
			    h->name);
			continue;
		}
		conf_print_net(f, &h->net);
		/* A network of one address ranks below the plain address. */
		if (!h->is_addr &&
		    h->net.len == (h->net.a.family == 4 ? 32 : 128))
			fprintf(f, "/%u", h->net.len);
	}
}

static void
free_hosts(void *field)
{
	struct conf_hosts *l = field;
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
}

/* MacroList: name[|value[|value...]]. */

static int
macro_add(struct conf_ctx *x, void *field, const char *s, size_t n)
{
	struct conf_macros *l = field;
	struct conf_macro m;
	const char *bar, *e;
	char *entry;
	size_t nn, k;

	memset(&m, 0, sizeof(m));
	entry = conf_xstrndup(s, n);
	bar = memchr(s, '|', n);
	nn = bar != NULL ? (size_t)(bar - s) : n;
	if (nn > 2 && s[0] == '{' && s[nn - 1] == '}') {
		conf_warn(x, "%s: the name is written without braces",
		    conf_show(entry));
		m.name = conf_xstrndup(s + 1, nn - 2);
	} else
		m.name = conf_xstrndup(s, nn);
	if (!name_ok(m.name, strlen(m.name)) || strchr(entry, '=') != NULL) {
		conf_refuse(x, "%s is not name[|value...]", conf_show(entry));
		free(m.name);
		free(entry);
		return -1;
	}
	for (e = bar; e != NULL; e = bar) {
		e++;
		bar = memchr(e, '|', n - (size_t)(e - s));
		k = bar != NULL ? (size_t)(bar - e) : n - (size_t)(e - s);
		conf_append(&m.values, conf_xstrndup(e, k));
	}
	conf_append(l, m);
	free(entry);
	return 0;
}

static int
set_macros(struct conf_ctx *x, void *field, const char *s)
{
	static const struct conf_dataset kind = { macro_add, NULL };

	return dataset(x, s, &kind, field);
}

static void
print_macros(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_macros *l = field;
	size_t i, j;

	for (i = 0; i < l->n; i++) {
		fprintf(f, "%s%s", i == 0 ? "" : ",", l->v[i].name);
		for (j = 0; j < l->v[i].values.n; j++)
			fprintf(f, "|%s", l->v[i].values.v[j]);
	}
}

static void
free_macros(void *field)
{
	struct conf_macros *l = field;
	size_t i;

	for (i = 0; i < l->n; i++) {
		conf_strs_free(&l->v[i].values);
		free(l->v[i].name);
	}
	free(l->v);
}

const struct conf_ops conf_op_hosts = { set_hosts, print_hosts, free_hosts,
	sizeof(struct conf_hosts) },
		      conf_op_macros = { set_macros, print_macros, free_macros,
			      sizeof(struct conf_macros) };
