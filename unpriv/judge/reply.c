/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/python.h"
#include "proto/text.h"
#include "unpriv/judge/header.h"
#include "unpriv/judge/reply.h"

/* A template with its fields filled in, or NULL. */
static const char *
expand(struct arena *a, const char *template, const struct python_field *f,
    size_t nf)
{
	char *out = arena_alloc(a, 2 * REPLY_MAX);

	if (out != NULL)
		python_format(out, 2 * REPLY_MAX, template, f, nf);
	return out;
}

/*
 * RFC 5321 4.2: a reply's text is printable. As in spf-engine, UTF-8 that the
 * administrator wrote stays. Cuts between characters.
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
reply_text(struct arena *a, const char *message, const char *reason_url,
    const struct reply_parts *r)
{
	struct python_field url[] = { { "scope", r->scope },
		{ "id", header_show(a, r->id, r->utf8, 4 * REPLY_MAX) },
		{ "ip", header_show(a, r->ip, 0, REPLY_MAX) },
		{ "rcpt", header_show(a, r->rcpt, r->utf8, 4 * REPLY_MAX) } };
	struct python_field text[] = { { "rejectdefer", r->rejectdefer },
		{ "spf", header_show(a, r->spf, r->utf8, 4 * REPLY_MAX) },
		{ "url", NULL } };
	size_t i;

	for (i = 0; i < sizeof(url) / sizeof(url[0]); i++)
		if (url[i].value == NULL)
			return NULL;
	text[2].value = expand(a, reason_url, url, 4);
	if (text[1].value == NULL || text[2].value == NULL)
		return NULL;
	return tidy(a, expand(a, message, text, 3), REPLY_MAX);
}
