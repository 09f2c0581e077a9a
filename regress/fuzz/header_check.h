/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * A strict reader of the fields that unpriv/judge/header.c writes, made from
 * the grammars of RFC 5322, 7208 9.1 and 8601 2.2 and from nothing of ours; and
 * the same fields as readers see them that know less. For the unit test and
 * the fuzz target.
 */

#ifndef REGRESS_FUZZ_HEADER_CHECK_H
#define REGRESS_FUZZ_HEADER_CHECK_H

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RD_MAX 4096

/* What a reader understood. */
struct rd {
	const char *p;
	int utf8;
	char id[RD_MAX], method[RD_MAX], result[RD_MAX];
	char prop[RD_MAX], value[RD_MAX];
	char key[5][64], val[5][RD_MAX];
	int comments;
};

static inline int
rd_ctl(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* One line; octets above ASCII only as legal UTF-8 and only if allowed. */
static inline const char *
rd_line(const char *s, size_t max, int utf8)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n, more;

	if (strlen(s) > max)
		return "too long";
	for (n = 0; p[n] != '\0'; n++) {
		if (rd_ctl(p[n]))
			return "control";
		if (p[n] < 0x80)
			continue;
		if (!utf8)
			return "octet above ASCII";
		more = p[n] >= 0xf0 ? 3 : p[n] >= 0xe0 ? 2 : 1;
		if (p[n] < 0xc2 || p[n] > 0xf4)
			return "no UTF-8";
		if (p[n] == 0xc2 && p[n + 1] < 0xa0)
			return "C1 control";
		for (; more > 0; more--)
			if ((p[++n] & 0xc0) != 0x80)
				return "no UTF-8";
	}
	return NULL;
}

/* RFC 5322 3.2.2: [CFWS]; comments may nest. -1: not balanced. */
static inline int
rd_cfws(struct rd *r)
{
	int depth = 0;

	for (; *r->p != '\0'; r->p++) {
		if (*r->p == '(') {
			depth++;
			r->comments++;
		} else if (depth > 0 && *r->p == ')')
			depth--;
		else if (depth > 0 && *r->p == '\\') {
			if (*++r->p == '\0')
				return -1;
		} else if (depth == 0 && *r->p != ' ')
			break;
	}
	return depth == 0 ? 0 : -1;
}

static inline int
rd_is_atext(const struct rd *r, unsigned char c)
{
	return isalnum(c) || (c >= 0x80 && r->utf8) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 5322 3.2.4, its content without the quoting. */
static inline int
rd_quoted(struct rd *r, char *out)
{
	if (*r->p++ != '"')
		return -1;
	for (; *r->p != '"'; *out++ = *r->p++) {
		if (*r->p == '\\')
			r->p++;
		if (*r->p == '\0')
			return -1;
	}
	*out = '\0';
	r->p++;
	return 0;
}

/* RFC 5322 3.2.3 dot-atom-text / quoted-string, as RFC 7208 9.1 has it. */
static inline int
rd_dot_atom(struct rd *r, char *out)
{
	if (*r->p == '"')
		return rd_quoted(r, out);
	for (;;) {
		if (!rd_is_atext(r, *r->p))
			return -1;
		while (rd_is_atext(r, *r->p))
			*out++ = *r->p++;
		if (*r->p != '.')
			break;
		*out++ = *r->p++;
	}
	*out = '\0';
	return 0;
}

/* RFC 2045 token / quoted-string; U-labels where they are legal. */
static inline int
rd_value(struct rd *r, char *out)
{
	const char *start = r->p;

	if (*r->p == '"')
		return rd_quoted(r, out);
	while ((unsigned char)*r->p > ' ' && *r->p != 0x7f &&
	    ((unsigned char)*r->p < 0x80 || r->utf8) &&
	    strchr("()<>@,;:\\\"/[]?=", *r->p) == NULL)
		*out++ = *r->p++;
	*out = '\0';
	return r->p == start ? -1 : 0;
}

static inline int
rd_word(struct rd *r, char *out)
{
	const char *start = r->p;

	while (isalnum((unsigned char)*r->p) || *r->p == '-' || *r->p == '.')
		*out++ = *r->p++;
	*out = '\0';
	return r->p == start ? -1 : 0;
}

static inline int
rd_char(struct rd *r, char c)
{
	return *r->p++ == c ? 0 : -1;
}

/* RFC 8601 2.2: "id; none" or "id; spf=result smtp.x=value", once. */
static inline const char *
rd_ar(struct rd *r, const char *s, int utf8)
{
	memset(r, 0, sizeof(*r));
	r->p = s;
	r->utf8 = utf8;
	if (rd_cfws(r) == -1 || rd_value(r, r->id) == -1)
		return "authserv-id";
	if (rd_cfws(r) == -1 || rd_char(r, ';') == -1 || rd_cfws(r) == -1 ||
	    rd_word(r, r->method) == -1 || rd_cfws(r) == -1)
		return "method";
	if (strcmp(r->method, "none") == 0)
		return *r->p == '\0' ? NULL : "text behind none";
	if (strcmp(r->method, "spf") != 0 || rd_char(r, '=') == -1 ||
	    rd_cfws(r) == -1 || rd_word(r, r->result) == -1)
		return "result";
	if (rd_cfws(r) == -1 || rd_word(r, r->prop) == -1 || rd_cfws(r) == -1 ||
	    rd_char(r, '=') == -1 || rd_cfws(r) == -1 ||
	    rd_value(r, r->value) == -1)
		return "property";
	if (rd_cfws(r) == -1)
		return "comment";
	return *r->p == '\0' ? NULL : "text at the end";
}

/* RFC 7208 9.1, with our five pairs in our order. */
static inline const char *
rd_received_spf(struct rd *r, const char *s, int utf8)
{
	static const char *const keys[] = { "identity", "client-ip", "helo",
		"envelope-from", "receiver" };
	int i;

	memset(r, 0, sizeof(*r));
	r->p = s;
	r->utf8 = utf8;
	if (rd_word(r, r->result) == -1 || *r->p != ' ' || rd_cfws(r) == -1 ||
	    r->comments != 1)
		return "result";
	for (i = 0; i < 5; i++) {
		if (i > 0 && (rd_cfws(r) == -1 || rd_char(r, ';') == -1))
			return "separator";
		if (rd_cfws(r) == -1 || rd_word(r, r->key[i]) == -1 ||
		    strcmp(r->key[i], keys[i]) != 0 || rd_char(r, '=') == -1 ||
		    rd_dot_atom(r, r->val[i]) == -1)
			return keys[i];
	}
	if (rd_cfws(r) == -1)
		return "comment";
	return *r->p == '\0' ? NULL : "text at the end";
}

/*
 * OpenDMARC 1.4.2: knows escapes and comments, but '=' and ';' are
 * structure inside quoted-strings too.
 */
static inline const char *
rd_naive_pairs(const char *s)
{
	int depth = 0, equals = 0, semicolons = 0;

	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == '(')
			depth++;
		else if (*s == ')' && depth > 0)
			depth--;
		else if (depth == 0) {
			equals += *s == '=';
			semicolons += *s == ';';
		}
	}
	if (depth != 0)
		return "comment is open for a naive reader";
	return equals == 5 && semicolons == 4 ?
	    NULL :
	    "pairs differ for a naive reader";
}

/* How often word, blanks, '=' occur: what a regular expression finds. */
static inline int
rd_count(const char *s, const char *word)
{
	size_t n = strlen(word);
	const char *q;
	int found = 0;

	for (; *s != '\0'; s++) {
		if (strncasecmp(s, word, n) != 0)
			continue;
		for (q = s + n; *q == ' '; q++)
			;
		found += *q == '=';
	}
	return found;
}

/* SpamAssassin: blind to comments and quotes. */
static inline const char *
rd_naive_ar(const char *s)
{
	const char *spf, *end, *smtp;

	if (rd_count(s, "spf") != 1)
		return "more than one spf= for a naive reader";
	if (rd_count(s, "dkim") + rd_count(s, "dmarc") + rd_count(s, "arc"))
		return "another method for a naive reader";
	spf = strstr(s, "; spf=");
	end = spf == NULL ? NULL : strchr(spf + 1, ';');
	smtp = spf == NULL ? NULL : strstr(spf, " smtp.");
	if (smtp == NULL || (end != NULL && smtp > end))
		return "property out of reach of a naive reader";
	for (; spf < smtp; spf++)
		if (strncasecmp(spf, "smtp.", 5) == 0)
			return "another property for a naive reader";
	return NULL;
}

/*
 * A folded value: lines of at most 998 octets with something in them, the
 * same as before when LF and the three blanks are taken out. utf8 as above.
 */
static inline const char *
rd_folded(const char *folded, const char *value, const char *name)
{
	size_t line = strlen(name) + 2, ink = 0;

	for (; *folded != '\0'; folded++) {
		if (*folded == '\n') {
			if (ink == 0)
				return "line of white space";
			if (strncmp(folded, "\n   ", 4) != 0)
				return "continuation";
			folded += 3;
			line = 3;
			ink = 0;
			continue;
		}
		if (*folded != *value++)
			return "content changed";
		ink += *folded != ' ';
		if (++line > 998)
			return "line over 998";
	}
	if (ink == 0)
		return "last line of white space";
	return *value == '\0' ? NULL : "content cut";
}

#endif
