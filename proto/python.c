/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include <string.h>

#include "proto/python.h"
#include "proto/text.h"

#define WIDTH_MAX 450 /* of a format; more digits do not count */

struct python_out {
	char *p;
	size_t left; /* with the NUL */
};

/* {name!conversion:format} of str.format(), for strings. */
struct spec {
	char conversion; /* 0, 's' or 'r' */
	char fill;
	char align; /* '<', '^' or '>' */
	size_t width;
	size_t precision; /* (size_t)-1: none */
};

/* Length of the white space character of Unicode at s; or 0. */
static size_t
space_len(const char *s, size_t n)
{
	uint32_t c;
	size_t len = utf8_decode(s, n, &c);

	if (len == 1)
		return *s != '\0' && strchr(PYTHON_SPACES, *s) != NULL;
	if (len == 0 ||
	    (c != 0x85 && c != 0xa0 && c != 0x1680 &&
		(c < 0x2000 || c > 0x200a) && c != 0x2028 && c != 0x2029 &&
		c != 0x202f && c != 0x205f && c != 0x3000))
		return 0;
	return len;
}

/* Length of the white space character at the end of s; or 0. */
static size_t
space_len_back(const char *s, size_t n)
{
	size_t k;

	for (k = 1; k <= 3 && k <= n; k++)
		if (space_len(s + n - k, k) == k)
			return k;
	return 0;
}

void
python_strip(const char **s, size_t *n)
{
	size_t k;

	while ((k = space_len(*s, *n)) != 0) {
		*s += k;
		*n -= k;
	}
	while ((k = space_len_back(*s, *n)) != 0)
		*n -= k;
}

int
python_has_space(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (space_len(s + i, n - i) != 0)
			return 1;
	return 0;
}

static void
put(struct python_out *o, char c)
{
	if (o->left > 1) {
		*o->p++ = c;
		o->left--;
	}
}

/* The quote that repr() puts round a text. */
static char
quote_of(const char *s)
{
	return strchr(s, '\'') != NULL && strchr(s, '"') == NULL ? '"' : '\'';
}

void
python_repr(char *out, size_t size, const char *s)
{
	struct python_out o = { out, size };
	char q = quote_of(s);

	put(&o, q);
	for (; *s != '\0'; s++) {
		if (*s == q || *s == '\\')
			put(&o, '\\');
		put(&o, *s);
	}
	put(&o, q);
	*o.p = '\0';
}

static const char *
spec_number(const char *p, size_t *n)
{
	for (*n = 0; *p >= '0' && *p <= '9'; p++) {
		if (*n < WIDTH_MAX)
			*n = *n * 10 + (size_t)(*p - '0');
	}
	return p;
}

/* Parses from the end of a field's name to its '}'. -1: malformed. */
static int
spec_parse(const char *p, const char *end, struct spec *s)
{
	memset(s, 0, sizeof(*s));
	s->fill = ' ';
	s->align = '<';
	s->precision = (size_t)-1;
	if (*p == '!') {
		if (p[1] != 's' && p[1] != 'r')
			return -1;
		s->conversion = p[1];
		p += 2;
	}
	if (p == end)
		return 0;
	if (*p++ != ':')
		return -1;
	if (end - p > 1 && strchr("<^>", p[1]) != NULL) {
		s->fill = *p;
		s->align = p[1];
		p += 2;
	} else if (p < end && strchr("<^>", *p) != NULL)
		s->align = *p++;
	p = spec_number(p, &s->width);
	if (*p == '.')
		p = spec_number(p + 1, &s->precision);
	if (*p == 's')
		p++;
	return p == end ? 0 : -1;
}

static void
put_value(struct python_out *o, const char *value, const struct spec *s)
{
	char quote = s->conversion == 'r' ? quote_of(value) : '\0';
	size_t len = strlen(value) + (quote != '\0' ? 2 : 0), pad, left, i;

	if (len > s->precision)
		len = s->precision;
	pad = s->width > len ? s->width - len : 0;
	left = s->align == '<' ? 0 : s->align == '>' ? pad : pad / 2;
	for (i = 0; i < left; i++)
		put(o, s->fill);
	if (quote != '\0' && len > 0) {
		put(o, quote);
		len--;
	}
	for (i = 0; i < len && value[i] != '\0'; i++)
		put(o, value[i]);
	if (quote != '\0' && i < len)
		put(o, quote);
	for (i = left; i < pad; i++)
		put(o, s->fill);
}

/* Writes the field that begins at *p with '{'. Returns 0 when it is none. */
static int
put_field(struct python_out *o, const char **p, const struct python_field *f,
    size_t nf)
{
	const char *end, *name = *p + 1;
	struct spec s;
	size_t i, n;

	if ((end = strchr(name, '}')) == NULL)
		return 0;
	n = strcspn(name, "!:}");
	for (i = 0; i < nf; i++)
		if (strlen(f[i].name) == n && memcmp(f[i].name, name, n) == 0)
			break;
	if (i == nf || spec_parse(name + n, end, &s) == -1)
		return 0;
	put_value(o, f[i].value, &s);
	*p = end;
	return 1;
}

void
python_format(char *out, size_t size, const char *template,
    const struct python_field *f, size_t nf)
{
	struct python_out o = { out, size };
	const char *p;

	for (p = template; *p != '\0'; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p)
			put(&o, *p++);
		else if (*p != '{' || !put_field(&o, &p, f, nf))
			put(&o, *p);
	}
	*o.p = '\0';
}
