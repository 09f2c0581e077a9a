/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter; pure. */

#include <string.h>
#include <strings.h>

#include "proto/dname.h"
#include "unpriv/milter/forged.h"

#define AUTHSERV_ID_MAX 512 /* longer ids are another host's */

int
forged_is_field(const char *name, const char *field)
{
	size_t len = strlen(field);

	if (strncasecmp(name, field, len) != 0)
		return 0;
	name += len;
	return name[strspn(name, " \t\r\n")] == '\0';
}

/* RFC 5322 3.2.2; controls count as white space. */
static int
forged_is_space(char c)
{
	return (c > 0 && c <= ' ') || c == 0x7f;
}

/* Skips comments and white space; an unclosed comment reaches to the end. */
static const char *
forged_skip_cfws(const char *s)
{
	unsigned int depth = 0;

	for (; *s != '\0'; s++) {
		if (*s == '(')
			depth++;
		else if (depth == 0 && !forged_is_space(*s))
			break;
		else if (depth > 0 && *s == ')')
			depth--;
		else if (depth > 0 && *s == '\\' && s[1] != '\0')
			s++;
	}
	return s;
}

/*
 * Appends one value (RFC 8601 2.2: token or quoted-string) to out and returns
 * the rest. A value too long for out is cut and so matches no id. A backslash
 * outside of a quoted-string quotes, too, as OpenDMARC reads it.
 */
static const char *
forged_take_value(const char *s, char *out, size_t size)
{
	size_t n = strlen(out);
	int quoted = *s == '"';

	for (s += quoted; *s != '\0'; s++) {
		if (quoted ?
			*s == '"' :
			forged_is_space(*s) || strchr("();=\"", *s) != NULL)
			break;
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (quoted && (*s == '\r' || *s == '\n'))
			continue;
		if (n + 1 < size)
			out[n++] = *s;
	}
	out[n] = '\0';
	return s + (quoted && *s == '"');
}

static int
forged_same_id(const char *a, const char *b)
{
	return dname_equal(a, dname_undot(a, strlen(a)), b,
	    dname_undot(b, strlen(b)));
}

/*
 * Compares the id as RFC 8601 reads it, then all up to the first ';' joined
 * without comments and white space: a reader that strips those first must not
 * find the id in a field that is not removed.
 */
int
forged_own_ar(const char *value, const char *authserv_id)
{
	char first[AUTHSERV_ID_MAX] = "", all[AUTHSERV_ID_MAX];
	const char *s;

	if (*authserv_id == '\0')
		return 0;
	s = forged_skip_cfws(value);
	/* A value that begins with ';' has no id. */
	if (*s == '\0' || *s == ';' || *s == '=')
		return 0;
	s = forged_skip_cfws(forged_take_value(s, first, sizeof(first)));
	if (*s == '=')
		return 0;
	if (forged_same_id(first, authserv_id))
		return 1;
	strlcpy(all, first, sizeof(all));
	while (*s != '\0' && *s != ';') {
		/* No value may contain these. */
		if (*s == ')' || *s == '=') {
			s++;
			continue;
		}
		s = forged_skip_cfws(forged_take_value(s, all, sizeof(all)));
		if (forged_same_id(all, authserv_id))
			return 1;
	}
	return 0;
}
