/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/text.h"
#include "unpriv/judge/header.h"
#include "unpriv/judge/reply.h"

/* A name that a template knows, and its text. */
struct field {
	const char *name;
	const char *value;
};

/* {name!conversion:format} of Python's str.format(), for strings. */
struct spec {
	char conversion; /* 0, 's' or 'r' */
	char fill;
	char align; /* '<', '^' or '>' */
	size_t width;
	size_t precision; /* (size_t)-1: none */
};

static const char *spec_number(const char *, size_t *);
static int spec_parse(const char *, const char *, struct spec *);
static const struct field *field_find(const struct field *, size_t,
    const char *, size_t);
static void put_field(struct hbuf *, const char *, const struct spec *);
static int put_braces(struct hbuf *, const char **, const struct field *,
    size_t);
static const char *expand(struct arena *, const char *, const struct field *,
    size_t, size_t);
static const char *tidy(struct arena *, const char *, size_t);

static const char *
spec_number(const char *p, size_t *n)
{
	for (*n = 0; *p >= '0' && *p <= '9'; p++) {
		if (*n < REPLY_MAX)
			*n = *n * 10 + (size_t)(*p - '0');
	}
	return p;
}

/* What stands between a field's name and its '}'. -1: not understood. */
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

static const struct field *
field_find(const struct field *f, size_t nf, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < nf; i++) {
		if (strlen(f[i].name) == len &&
		    strncmp(f[i].name, name, len) == 0)
			return &f[i];
	}
	return NULL;
}

static void
put_field(struct hbuf *h, const char *value, const struct spec *s)
{
	size_t len = strlen(value), pad, left, i;
	const char *quote = "";

	if (s->conversion == 'r') {
		quote =
		    strchr(value, '\'') != NULL && strchr(value, '"') == NULL ?
		    "\"" :
		    "'";
		len += 2;
	}
	if (len > s->precision)
		len = s->precision;
	pad = s->width > len ? s->width - len : 0;
	left = s->align == '<' ? 0 : s->align == '>' ? pad : pad / 2;
	for (i = 0; i < left; i++)
		hbuf_char(h, s->fill);
	if (*quote != '\0' && len > 0) {
		hbuf_char(h, *quote);
		len--;
	}
	for (i = 0; i < len && value[i] != '\0'; i++)
		hbuf_char(h, value[i]);
	if (*quote != '\0' && i < len)
		hbuf_char(h, *quote);
	for (i = left; i < pad; i++)
		hbuf_char(h, s->fill);
}

/* A field at *p, which is '{'; 0 when there is none. */
static int
put_braces(struct hbuf *h, const char **p, const struct field *f, size_t nf)
{
	const char *end, *name = *p + 1;
	const struct field *found;
	struct spec s;
	size_t n;

	if ((end = strchr(name, '}')) == NULL)
		return 0;
	n = strcspn(name, "!:}");
	if ((found = field_find(f, nf, name, n)) == NULL ||
	    spec_parse(name + n, end, &s) == -1)
		return 0;
	put_field(h, found->value, &s);
	*p = end;
	return 1;
}

static const char *
expand(struct arena *a, const char *template, const struct field *f, size_t nf,
    size_t max)
{
	const char *p;
	struct hbuf h;

	hbuf_init(&h, a, max);
	for (p = template; *p != '\0'; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p)
			hbuf_char(&h, *p++);
		else if (*p != '{' || !put_braces(&h, &p, f, nf))
			hbuf_char(&h, *p);
	}
	return hbuf_done(&h);
}

/*
 * RFC 5321 4.2: a reply's text is printable. UTF-8 that the administrator
 * wrote stays, as in the original; a character cut in two goes.
 */
static const char *
tidy(struct arena *a, const char *s, size_t max)
{
	size_t len, k, n;
	char *out;

	if (s == NULL || (out = arena_strndup(a, s, strlen(s))) == NULL)
		return NULL;
	len = strlen(out);
	for (n = 0; n < len; n += k) {
		k = utf8_len(out + n, len - n);
		if (n + (k == 0 ? 1 : k) > max)
			break;
		if (k == 0 || !utf8_clean(out + n, k)) {
			memset(out + n, '?', k == 0 ? 1 : k);
			k = 1;
		}
	}
	out[n] = '\0';
	return out;
}

const char *
reply_text(struct arena *a, const char *message, const char *why_url,
    const struct reply_parts *r)
{
	struct field url[] = { { "scope", r->scope },
		{ "id", header_show(a, r->id, r->utf8, 4 * REPLY_MAX) },
		{ "ip", header_show(a, r->ip, 0, REPLY_MAX) },
		{ "rcpt", header_show(a, r->rcpt, r->utf8, 4 * REPLY_MAX) } };
	struct field text[] = { { "rejectdefer", r->rejectdefer },
		{ "spf", header_show(a, r->spf, r->utf8, 4 * REPLY_MAX) },
		{ "url", NULL } };
	size_t i;

	for (i = 0; i < sizeof(url) / sizeof(url[0]); i++) {
		if (url[i].value == NULL)
			return NULL;
	}
	text[2].value = expand(a, why_url, url, 4, 2 * REPLY_MAX);
	if (text[1].value == NULL || text[2].value == NULL)
		return NULL;
	return tidy(a, expand(a, message, text, 3, 2 * REPLY_MAX), REPLY_MAX);
}
