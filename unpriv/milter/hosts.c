/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, spfctl; pure. */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "../proto/dname.h"
#include "internal.h"

#define AUTHSERV_ID_MAX	512	/* longer ids in mail are not ours */

enum internal
internal_addr(const struct conf_hosts *hosts, const struct addr *client)
{
	enum internal by_addr = INTERNAL_UNKNOWN, by_net = INTERNAL_UNKNOWN;
	const struct conf_host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		if (h->kind != HOST_NET || !cidr_match(&h->net, client))
			continue;
		if (h->is_addr)
			by_addr = h->negated ? INTERNAL_NO : INTERNAL_YES;
		else
			by_net = h->negated ? INTERNAL_NO : INTERNAL_YES;
	}
	return by_addr != INTERNAL_UNKNOWN ? by_addr : by_net;
}

enum internal
internal_name(const struct conf_hosts *hosts, const char *name, size_t len)
{
	enum internal exact = INTERNAL_UNKNOWN, below = INTERNAL_UNKNOWN;
	const struct conf_host *h;
	size_t i, hlen;

	len = dname_undot(name, len);
	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		if (h->kind == HOST_NET)
			continue;
		hlen = dname_undot(h->name, strlen(h->name));
		if (h->kind == HOST_NAME &&
		    dname_equal(name, len, h->name, hlen))
			exact = h->negated ? INTERNAL_NO : INTERNAL_YES;
		if (h->kind == HOST_DOMAIN &&
		    dname_is_below(name, len, h->name, hlen) &&
		    !dname_equal(name, len, h->name, hlen))
			below = h->negated ? INTERNAL_NO : INTERNAL_YES;
	}
	return exact != INTERNAL_UNKNOWN ? exact : below;
}

int
internal_has_names(const struct conf_hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (hosts->v[i].kind != HOST_NET)
			return 1;
	return 0;
}

/* 1 when this value (NULL: macro missing) lets the entry match. */
static int
internal_macro_matches(const struct conf_macro *m, const char *value)
{
	size_t i;

	if (value == NULL)
		return 0;
	for (i = 0; i < m->values.n; i++)
		if (strcmp(m->values.v[i], value) == 0)
			return 1;
	return m->values.n == 0;
}

int
internal_macros(const struct conf_macros *list,
    const char *(*get)(const char *, void *), void *arg, int *external)
{
	size_t i, failed = 0, matched = 0;

	for (i = 0; i < list->n; i++)
		if (internal_macro_matches(&list->v[i],
		    get(list->v[i].name, arg)))
			matched++;
		else
			failed++;
	/* With a mixed result the line says INTERNAL all the same. */
	*external = failed == 0;
	return failed == 0 || matched != 0;
}

/*
 * "u@x"@d becomes u@x@d, as Postfix gives it to a policy service: the quotes
 * are SMTP's, not the mailbox's (RFC 5321 4.1.2, 4.1.1.1). at is the last @.
 */
static char *
unquote_local(char *s, char *at)
{
	char *from = s + 1, *to = s, *end = at - 1;

	if (at - s < 2 || *s != '"' || *end != '"')
		return s;
	while (from < end) {
		if (*from == '\\' && from + 1 < end)
			from++;
		*to++ = *from++;
	}
	memmove(to, at, strlen(at) + 1);
	return s;
}

char *
internal_sender(char *s)
{
	size_t len = strlen(s);
	char *colon, *at, *p;

	if (len >= 2 && s[0] == '<' && s[len - 1] == '>') {
		s[len - 1] = '\0';
		s++;
	}
	/* RFC 5321 4.1.2: A-d-l ":"; a local part cannot begin with '@'. */
	if (s[0] == '@' && (colon = strchr(s, ':')) != NULL)
		s = colon + 1;
	if ((at = strrchr(s, '@')) == NULL)
		return s;
	for (p = at + 1; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return unquote_local(s, at);
}

int
internal_is_field(const char *name, const char *field)
{
	size_t len = strlen(field);

	if (strncasecmp(name, field, len) != 0)
		return 0;
	name += len;
	return name[strspn(name, " \t\r\n")] == '\0';
}

/* RFC 5322 3.2.2; controls are no better than white space here. */
static int
is_space(char c)
{
	return (c > 0 && c <= ' ') || c == 0x7f;
}

/* Behind comments and white space; an open comment ends at the end. */
static const char *
skip_cfws(const char *s)
{
	unsigned int depth = 0;

	for (; *s != '\0'; s++) {
		if (*s == '(')
			depth++;
		else if (depth == 0 && !is_space(*s))
			break;
		else if (depth > 0 && *s == ')')
			depth--;
		else if (depth > 0 && *s == '\\' && s[1] != '\0')
			s++;
	}
	return s;
}

/*
 * One value (RFC 8601 2.2: token or quoted-string) appended to out. Returns
 * what follows. It is cut where out ends: then it is nobody's id. A
 * backslash quotes also outside of a quoted-string, where OpenDMARC takes it
 * for that and others take it for nothing.
 */
static const char *
take_value(const char *s, char *out, size_t size)
{
	size_t n = strlen(out);
	int quoted = *s == '"';

	for (s += quoted; *s != '\0'; s++) {
		if (quoted ? *s == '"' : is_space(*s) ||
		    strchr("();=\"", *s) != NULL)
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
same_id(const char *a, const char *b)
{
	return dname_equal(a, dname_undot(a, strlen(a)), b,
	    dname_undot(b, strlen(b)));
}

/*
 * The id as RFC 8601 reads it is compared, and also everything up to the
 * first ';' run together without comments and white space: a reader that
 * strips those first must not see our id in what we left in.
 */
int
internal_own_ar(const char *value, const char *authserv_id)
{
	char first[AUTHSERV_ID_MAX] = "", all[AUTHSERV_ID_MAX];
	const char *s;

	if (*authserv_id == '\0')
		return 0;
	s = skip_cfws(value);
	/* A value that begins with ';' has no id. */
	if (*s == '\0' || *s == ';' || *s == '=')
		return 0;
	s = skip_cfws(take_value(s, first, sizeof(first)));
	if (*s == '=')
		return 0;
	if (same_id(first, authserv_id))
		return 1;
	strlcpy(all, first, sizeof(all));
	while (*s != '\0' && *s != ';') {
		/* What no value may hold is stepped over. */
		if (*s == ')' || *s == '=') {
			s++;
			continue;
		}
		s = skip_cfws(take_value(s, all, sizeof(all)));
		if (same_id(all, authserv_id))
			return 1;
	}
	return 0;
}
