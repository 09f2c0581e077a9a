/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Templates in the manner of Python's str.format(), as far as texts go:
 * {name}, {name!r}, {name:spec} with spec [[fill]align][0][width][.most][s].
 * conf_template_clean() makes of any text one that conf_template() can
 * fill: what is no field becomes plain text.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../proto/text.h"
#include "local.h"

#define WIDTH_MAX	450	/* a reply is never longer */

struct field {			/* what stands between braces */
	const char	*name;
	size_t		 len;
	int		 conv;		/* 'r', 's', 'a' or 0 */
	const char	*fill;		/* one character */
	size_t		 fill_len;
	int		 align;		/* '<', '>' or '^' */
	size_t		 width;
	size_t		 most;		/* SIZE_MAX: all */
};

struct out {
	char		*p;
	size_t		 size, len;	/* of the terminated text */
	int		 full;		/* nothing goes behind a cut */
};

static int	field_parse(struct field *, const char *, size_t);
static int	spec_parse(struct field *, const char *, size_t);
static const char *meant(const char *, size_t, const char *const *);
static int	number(const char **, const char *, size_t *);
static size_t	char_len(const char *, size_t);
static size_t	count(const char *, size_t);
static void	put(struct out *, const char *, size_t);
static void	put_fill(struct out *, const struct field *, size_t);
static void	put_field(struct out *, const struct field *, const char *);
static void	repr(struct out *, const char *, int);

/* Legal UTF-8 counts as one character, any other octet as itself. */
static size_t
char_len(const char *s, size_t n)
{
	size_t k;

	k = utf8_len(s, n);
	return k == 0 ? 1 : k;
}

static size_t
count(const char *s, size_t n)
{
	size_t i, k = 0;

	for (i = 0; i < n; i += char_len(s + i, n - i))
		k++;
	return k;
}

static int
number(const char **s, const char *end, size_t *out)
{
	size_t v = 0;

	for (; *s < end && **s >= '0' && **s <= '9'; (*s)++)
		if ((v = v * 10 + (size_t)(**s - '0')) > WIDTH_MAX)
			return -1;
	*out = v;
	return 0;
}

static int
spec_parse(struct field *f, const char *s, size_t n)
{
	const char *end = s + n, *was;
	size_t k;

	if (n != 0 && (k = char_len(s, n)) < n &&
	    strchr("<>^", s[k]) != NULL && s[k] != '\0') {
		f->fill = s;
		f->fill_len = k;
		f->align = s[k];
		s += k + 1;
	} else if (n != 0 && strchr("<>^", *s) != NULL)
		f->align = *s++;
	if (s < end && *s == '0') {
		if (f->fill_len == 0) {
			f->fill = s;
			f->fill_len = 1;
		}
		s++;
	}
	if (number(&s, end, &f->width) == -1)
		return -1;
	if (s < end && *s == '.') {
		was = ++s;
		if (number(&s, end, &f->most) == -1 || s == was)
			return -1;
	}
	if (s < end && *s == 's')
		s++;
	return s == end ? 0 : -1;
}

static int
field_parse(struct field *f, const char *s, size_t n)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	f->most = SIZE_MAX;
	f->align = '<';
	for (i = 0; i < n && s[i] != '!' && s[i] != ':'; i++)
		;
	f->name = s;
	f->len = i;
	if (i < n && s[i] == '!') {
		if (n - i < 2 || strchr("rsa", s[i + 1]) == NULL ||
		    s[i + 1] == '\0')
			return -1;
		f->conv = s[i + 1];
		i += 2;
	}
	if (i == n)
		return 0;
	if (s[i] != ':')
		return -1;
	return spec_parse(f, s + i + 1, n - i - 1);
}

/* The name that was meant, in any case and with blanks round it. */
static const char *
meant(const char *s, size_t n, const char *const *vars)
{
	size_t i;

	for (; n != 0 && *s == ' '; s++)
		n--;
	while (n != 0 && s[n - 1] == ' ')
		n--;
	for (i = 0; vars[i] != NULL; i++)
		if (strlen(vars[i]) == n && strncasecmp(vars[i], s, n) == 0)
			return vars[i];
	return NULL;
}

char *
conf_template_clean(const char *s, const char *const *vars, int *changed)
{
	struct field f;
	const char *end, *name;
	char *out = NULL;
	size_t n, size = 0;
	FILE *o;

	if ((o = open_memstream(&out, &size)) == NULL)
		abort();
	for (; *s != '\0'; s++) {
		if (*s != '{' && *s != '}') {
			putc(*s, o);
			continue;
		}
		if (s[1] == s[0]) {
			fprintf(o, "%c%c", *s, *s);
			s++;
			continue;
		}
		end = s + 1 + strcspn(s + 1, "{}");
		if (*s == '}' || *end != '}') {
			/* A lone brace stands for itself. */
			fprintf(o, "%c%c", *s, *s);
			*changed = 1;
			continue;
		}
		n = (size_t)(end - s) - 1;
		name = NULL;
		if (field_parse(&f, s + 1, n) == 0)
			name = meant(f.name, f.len, vars);
		if (name == NULL) {
			fprintf(o, "{{%.*s}}", (int)n, s + 1);
			*changed = 1;
		} else {
			fprintf(o, "{%s%.*s}", name, (int)(n - f.len),
			    f.name + f.len);
			if (strlen(name) != f.len ||
			    memcmp(name, f.name, f.len) != 0)
				*changed = 1;
		}
		s = end;
	}
	if (fclose(o) != 0)
		abort();
	return out;
}

/* Whole characters only; the first that does not fit ends the text. */
static void
put(struct out *o, const char *s, size_t n)
{
	size_t i, k;

	for (i = 0; i < n && !o->full; i += k) {
		k = char_len(s + i, n - i);
		if (o->size - o->len <= k) {
			o->full = 1;
			return;
		}
		memcpy(o->p + o->len, s + i, k);
		o->len += k;
	}
}

static void
put_fill(struct out *o, const struct field *f, size_t n)
{
	while (n-- > 0)
		put(o, f->fill_len != 0 ? f->fill : " ",
		    f->fill_len != 0 ? f->fill_len : 1);
}

/* Python's repr(): the quote that need not be escaped, if there is one. */
static void
repr(struct out *o, const char *s, int ascii)
{
	char quote, tmp[16];
	const unsigned char *u;
	unsigned int cp;
	size_t i, k, n = strlen(s);

	quote = strchr(s, '\'') != NULL && strchr(s, '"') == NULL ? '"' : '\'';
	put(o, &quote, 1);
	for (i = 0; i < n; i += k) {
		u = (const unsigned char *)s + i;
		k = char_len(s + i, n - i);
		cp = *u;
		if (k == 2)
			cp = (u[0] & 0x1fU) << 6 | (u[1] & 0x3fU);
		else if (k == 3)
			cp = (u[0] & 0x0fU) << 12 | (u[1] & 0x3fU) << 6 |
			    (u[2] & 0x3fU);
		else if (k == 4)
			cp = (u[0] & 0x07U) << 18 | (u[1] & 0x3fU) << 12 |
			    (u[2] & 0x3fU) << 6 | (u[3] & 0x3fU);
		if (cp == (unsigned char)quote || cp == '\\')
			snprintf(tmp, sizeof(tmp), "\\%c", (int)cp);
		else if (cp == '\n' || cp == '\r' || cp == '\t')
			snprintf(tmp, sizeof(tmp), "\\%c", cp == '\n' ? 'n' :
			    cp == '\r' ? 'r' : 't');
		else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa1) ||
		    (ascii && cp >= 0x7f && cp < 0x100))
			snprintf(tmp, sizeof(tmp), "\\x%02x", cp);
		else if (ascii && cp >= 0x100)
			snprintf(tmp, sizeof(tmp), cp < 0x10000 ? "\\u%04x" :
			    "\\U%08x", cp);
		else {
			put(o, s + i, k);
			continue;
		}
		put(o, tmp, strlen(tmp));
	}
	put(o, &quote, 1);
}

static void
put_field(struct out *o, const struct field *f, const char *value)
{
	struct out r;
	size_t n, k, shown, pad, left;

	memset(&r, 0, sizeof(r));
	if (f->conv == 'r' || f->conv == 'a') {
		/* An octet becomes four at most, U+10FFFF ten of four. */
		r.size = strlen(value) * 4 + 3;
		r.p = conf_xcalloc(1, r.size);
		repr(&r, value, f->conv == 'a');
		value = r.p;
	}
	n = strlen(value);
	for (k = 0, shown = 0; k < n && shown < f->most; shown++)
		k += char_len(value + k, n - k);
	shown = count(value, k);
	pad = f->width > shown ? f->width - shown : 0;
	left = f->align == '>' ? pad : f->align == '^' ? pad / 2 : 0;
	put_fill(o, f, left);
	put(o, value, k);
	put_fill(o, f, pad - left);
	free(r.p);
}

size_t
conf_template(char *buf, size_t size, const char *s,
    const struct conf_var *vars, size_t nvars)
{
	struct out o = { buf, size, 0, 0 };
	struct field f;
	const char *end;
	size_t i;

	if (size == 0)
		return 0;
	for (; *s != '\0' && !o.full; s++) {
		end = s + 1 + strcspn(s + 1, "{}");
		if ((*s == '{' || *s == '}') && s[1] == s[0]) {
			put(&o, s++, 1);
		} else if (*s == '{' && *end == '}' &&
		    field_parse(&f, s + 1, (size_t)(end - s) - 1) == 0) {
			for (i = 0; i < nvars; i++)
				if (strlen(vars[i].name) == f.len &&
				    memcmp(vars[i].name, f.name, f.len) == 0)
					put_field(&o, &f, vars[i].value);
			s = end;
		} else {
			end = *s == '{' || *s == '}' ? s + 1 :
			    s + strcspn(s, "{}");
			put(&o, s, (size_t)(end - s));
			s = end - 1;
		}
	}
	buf[o.len] = '\0';
	return o.len;
}
