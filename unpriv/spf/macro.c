/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/macro.h"

int
spf_syntax_error(struct spf_syntax *e, const char *what, const char *arg,
    size_t len)
{
	*e = (struct spf_syntax){ what, arg, len };
	return -1;
}

/*
 * RFC 7208 7.1:
 * macro-expand = ( "%{" macro-letter transformers *delimiter "}" )
 *	/ "%%" / "%_" / "%-"
 * transformers = *DIGIT [ "r" ]
 */
static size_t
macro_expand(const char *s, size_t len, struct spf_macro *m)
{
	static const struct {
		char c;
		const char *text;
	} plain[] = { { '%', "%" }, { '_', " " }, { '-', "%20" } };
	const char *d;
	size_t i;

	if (len < 2)
		return 0;
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (s[1] == plain[i].c) {
			m->text = plain[i].text;
			m->textlen = strlen(m->text);
			return 2;
		}
	if (s[1] != '{' || len < 4 || s[2] == '\0' ||
	    strchr("slodipvhcrt", ascii_lower(s[2])) == NULL)
		return 0;
	m->letter = (char)ascii_lower(s[2]);
	m->url = m->letter != s[2];
	for (i = 3; i < len && ascii_is_digit(s[i]); i++)
		if (m->digits < 100000)
			m->digits = m->digits * 10 + (unsigned int)(s[i] - '0');
	/* RFC 7208 7.1: DIGIT, if specified, is not zero */
	if (i > 3 && m->digits == 0)
		return 0;
	if (i < len && ascii_lower(s[i]) == 'r') {
		m->reverse = 1;
		i++;
	}
	for (; i < len && s[i] != '}'; i++) {
		if (s[i] == '\0' || (d = strchr(SPF_DELIMITERS, s[i])) == NULL)
			return 0;
		m->delims |= 1U << (d - SPF_DELIMITERS);
	}
	return i < len ? i + 1 : 0;
}

size_t
spf_macro_next(const char *s, size_t len, struct spf_macro *m)
{
	const char *p;

	memset(m, 0, sizeof(*m));
	if (len == 0)
		return 0;
	if (s[0] == '%')
		return macro_expand(s, len, m);
	p = memchr(s, '%', len);
	m->text = s;
	m->textlen = p == NULL ? len : (size_t)(p - s);
	return m->textlen;
}

/* Describes the syntax error at s[at], a percent sign. */
static int
macro_bad(const char *s, size_t len, size_t at, struct spf_syntax *e)
{
	const char *end = NULL;
	size_t from = at, to = at;

	if (at + 1 < len && s[at + 1] == '{')
		end = memchr(s + at, '}', len - at);
	if (end != NULL)
		return spf_syntax_error(e,
		    "Unknown Macro Encountered: ", s + at,
		    (size_t)(end - s) + 1 - at);
	while (from > 0 && s[from - 1] != '.' && s[from - 1] != '}')
		from--;
	while (to < len && s[to] != '.')
		to++;
	return spf_syntax_error(e, "invalid-macro-char : ", s + from,
	    to - from);
}

int
spf_macro_check(const char *s, size_t len, int flags, size_t *end,
    struct spf_syntax *e)
{
	int exp = (flags & SPF_MACRO_EXP) != 0;
	struct spf_macro m;
	size_t i, j, n;

	*end = 0;
	for (i = 0; i < len; i += n) {
		if ((n = spf_macro_next(s + i, len - i, &m)) == 0)
			return macro_bad(s, len, i, e);
		if (s[i] == '%')
			*end = i + n;
		for (j = i; s[i] != '%' && j < i + n; j++)
			if (!ascii_is_print(s[j]) || (s[j] == ' ' && !exp))
				return spf_syntax_error(e,
				    "Invalid character found: ", s, len);
		/* RFC 7208 7.2 */
		if (!exp &&
		    (m.letter == 'c' || m.letter == 'r' || m.letter == 't'))
			return spf_syntax_error(e,
			    "c,r,t macros allowed in exp= text only: ", s + i,
			    n);
	}
	return 0;
}

int
spf_macro_local(const char *s, size_t len)
{
	struct spf_macro m;
	size_t n;

	while ((n = spf_macro_next(s, len, &m)) != 0) {
		if (m.letter == 's' || m.letter == 'l')
			return 1;
		s += n;
		len -= n;
	}
	return 0;
}
