/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>
#include <strings.h>

#include "proto/dname.h"
#include "proto/text.h"
#include "unpriv/spf/parse.h"

#define VERSION	    "v=spf1"
#define VERSION_LEN 6

#define BAD_LEN4 "Invalid IP4 CIDR length: "
#define BAD_LEN6 "Invalid IP6 CIDR length: "

#define QUALIFIERS "+-?~"
static const enum spf_result qualifiers[] = { SPF_RESULT_PASS, SPF_RESULT_FAIL,
	SPF_RESULT_NEUTRAL, SPF_RESULT_SOFTFAIL };

/* How a mechanism is written (RFC 7208 5). */
static const struct mechanism {
	const char *name;
	enum spf_kind kind;
	int cidr;	     /* dual-cidr-length allowed */
	const char *missing; /* the error without an argument; NULL: none */
} mechanisms[] = {
	{ "all", SPF_T_ALL, 0, NULL },
	{ "include", SPF_T_INCLUDE, 0, "include mechanism missing domain: " },
	{ "a", SPF_T_A, 1, NULL },
	{ "mx", SPF_T_MX, 1, NULL },
	{ "ptr", SPF_T_PTR, 0, NULL },
	{ "ip4", SPF_T_IP4, 0, "Invalid IP4 address: " },
	{ "ip6", SPF_T_IP6, 0, "Invalid IP6 address: " },
	{ "exists", SPF_T_EXISTS, 0, "implicit exists not allowed: " },
};

/* The parts of a mechanism, whatever its kind. */
struct shape {
	const char *name;
	size_t namelen;
	const char *arg; /* after the colon; NULL: no colon */
	size_t arglen;	 /* without the CIDR lengths */
	int has4, has6;
	unsigned int len4, len6; /* 999: too big to be right */
};

/* The whole term is the wrong part. */
static int
bad(struct spf_syntax *e, const char *what, const struct spf_term *t)
{
	return spf_syntax_error(e, what, t->text, t->len);
}

static int
name_is(const char *s, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(s, name, len) == 0;
}

int
spf_is_record(const char *s, size_t len)
{
	if (len < VERSION_LEN || strncasecmp(s, VERSION, VERSION_LEN) != 0)
		return 0;
	return len == VERSION_LEN || s[VERSION_LEN] == ' ';
}

void
spf_scan_start(struct spf_scan *sc, const char *rec, size_t len)
{
	sc->rec = rec;
	sc->len = len;
	sc->pos = VERSION_LEN;
}

/*
 * RFC 7208 7.1: domain-end = ( "." toplabel [ "." ] ) / macro-expand, where
 * toplabel is a host's label that is not all digits. end is the offset after
 * the last macro-expand.
 */
static int
spec_ends_well(const char *s, size_t len, size_t end)
{
	size_t i, n;
	int other = 0;

	if (len > 0 && end == len)
		return 1;
	n = dname_undot(s, len);
	for (i = n; i > end && s[i - 1] != '.'; i--) {
		if (!ascii_is_ldh(s[i - 1]))
			return 0;
		if (!ascii_is_digit(s[i - 1]))
			other = 1;
	}
	if (i == end || i == n || !other)
		return 0;
	return s[i] != '-' && s[n - 1] != '-';
}

static int
spec_check(const char *s, size_t len, struct spf_syntax *e)
{
	size_t end;
	int rv;

	rv = spf_macro_check(s, len, 0, &end, e);
	/* Report a wrong "%{...}" at the end as a wrong macro. */
	if (rv == -1 && e->len > 2 && e->arg[1] == '{' &&
	    e->arg + e->len == s + len)
		return rv;
	if (!spec_ends_well(s, len, end))
		return spf_syntax_error(e,
		    "Invalid domain found (use FQDN): ", s, len);
	return rv;
}

/* RFC 7208 6: the text is namelen octets of name, "=" and a macro-string. */
static int
modifier_parse(struct spf_term *t, size_t namelen, struct spf_syntax *e)
{
	int redirect = name_is(t->text, namelen, "redirect");
	size_t end;

	t->spec = t->text + namelen + 1;
	t->speclen = t->len - namelen - 1;
	t->kind = SPF_T_OTHER;
	if (!redirect && !name_is(t->text, namelen, "exp"))
		return spf_macro_check(t->spec, t->speclen, 0, &end, e);
	t->kind = redirect ? SPF_T_REDIRECT : SPF_T_EXP;
	if (t->speclen != 0)
		return spec_check(t->spec, t->speclen, e);
	return spf_syntax_error(e,
	    redirect ? "redirect has empty domain:" :
		       "exp has empty domain-spec:",
	    NULL, 0);
}

/*
 * Finds "/" and a number at the end of s[from..len): "0", or digits that do
 * not begin with 0. Returns the length without them.
 */
static size_t
cidr_strip(const char *s, size_t from, size_t len, int *has,
    unsigned int *value)
{
	size_t i, n;

	*has = 0;
	for (n = len; n > from && ascii_is_digit(s[n - 1]); n--)
		;
	if (n == len || n == from || s[n - 1] != '/' ||
	    (s[n] == '0' && len - n > 1))
		return len;
	*has = 1;
	for (*value = 0, i = n; i < len; i++)
		if ((*value = *value * 10 + (unsigned int)(s[i] - '0')) > 998)
			*value = 999;
	return n - 1;
}

/* [qualifier] name [":" arg] [ip4-cidr-length] ["/" ip6-cidr-length] */
static void
shape_cut(const char *s, size_t len, struct shape *sh)
{
	const char *end = s + len, *p = s;
	size_t n, from;
	unsigned int v;
	int has;

	memset(sh, 0, sizeof(*sh));
	if (p < end && *p != '\0' && strchr(QUALIFIERS, *p) != NULL)
		p++;
	sh->name = p;
	while (p < end && *p != ':' && *p != '/')
		p++;
	sh->namelen = (size_t)(p - sh->name);
	from = (size_t)(p - s);
	n = cidr_strip(s, from, len, &has, &v);
	if (has && n > from && s[n - 1] == '/') {
		sh->has6 = 1;
		sh->len6 = v;
		n = cidr_strip(s, from, n - 1, &has, &v);
	}
	if (has) {
		sh->has4 = 1;
		sh->len4 = v;
	}
	if (n > from && s[from] == ':') {
		sh->arg = s + from + 1;
		sh->arglen = n - from - 1;
	} else if (n > from)
		/* "a/", "a/024": without a number the slash is in the name. */
		sh->namelen += n - from;
}

static const struct mechanism *
mechanism_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (name_is(name, len, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

/* RFC 7208 5.6 */
static int
network_parse(struct spf_term *t, const struct shape *sh,
    const struct mechanism *m, struct spf_syntax *e)
{
	uint8_t max = m->kind == SPF_T_IP4 ? 32 : 128;

	if (sh->has6)
		return bad(e, "Dual CIDR not allowed: ", t);
	if (sh->has4 && sh->len4 > max)
		return bad(e, max == 32 ? BAD_LEN4 : BAD_LEN6, t);
	if (sh->arg == NULL ||
	    addr_parse(&t->net.a, sh->arg, sh->arglen) == -1 ||
	    t->net.a.family != (max == 32 ? 4 : 6))
		return bad(e, m->missing, t);
	t->net.len = sh->has4 ? (uint8_t)sh->len4 : max;
	return 0;
}

/* The mechanisms that take a domain-spec, and "all", which takes nothing. */
static int
domain_parse(struct spf_term *t, const struct shape *sh,
    const struct mechanism *m, struct spf_syntax *e)
{
	struct addr a;

	if (!m->cidr && (sh->has4 || sh->has6))
		return bad(e, "CIDR not allowed: ", t);
	if (m->kind == SPF_T_ALL) {
		if (sh->arg == NULL)
			return 0;
		return bad(e,
		    "Invalid all mechanism format - only qualifier allowed "
		    "with all: ",
		    t);
	}
	if (sh->has4 && sh->len4 > 32)
		return bad(e, BAD_LEN4, t);
	if (sh->has6 && sh->len6 > 128)
		return bad(e, BAD_LEN6, t);
	t->len4 = sh->has4 ? (uint8_t)sh->len4 : 32;
	t->len6 = sh->has6 ? (uint8_t)sh->len6 : 128;
	if (sh->arg == NULL)
		return m->missing == NULL ? 0 : bad(e, m->missing, t);
	if (sh->arglen == 0)
		return bad(e,
		    m->kind == SPF_T_EXISTS ? m->missing : "empty domain:: ",
		    t);
	if (m->kind == SPF_T_A && addr_parse(&a, sh->arg, sh->arglen) == 0 &&
	    a.family == 4)
		return bad(e, "Use the ip4 mechanism for ip4 addresses: ", t);
	t->spec = sh->arg;
	t->speclen = sh->arglen;
	return spec_check(t->spec, t->speclen, e);
}

static int
mechanism_parse(struct spf_term *t, struct spf_syntax *e)
{
	const struct mechanism *m;
	struct shape sh;
	struct addr a;
	const char *q;

	if (t->text[t->len - 1] == ',')
		return bad(e, "Do not separate mechnisms with commas: ", t);
	shape_cut(t->text, t->len, &sh);
	if ((m = mechanism_find(sh.name, sh.namelen)) == NULL) {
		/* Is another sign in the place of the qualifier? */
		if (sh.namelen > 1 && sh.name == t->text &&
		    !ascii_is_alnum(t->text[0]) &&
		    mechanism_find(sh.name + 1, sh.namelen - 1) != NULL)
			return bad(e,
			    "Unknown qualifier, RFC 4408 para 4.6.1, found "
			    "in: ",
			    t);
		if (addr_parse(&a, t->text, t->len) == 0 && a.family == 4)
			return bad(e, "Missing IP4: ", t);
		return bad(e, "Unknown mechanism found: ", t);
	}
	t->kind = m->kind;
	q = strchr(QUALIFIERS, t->text[0]);
	t->qualifier = q == NULL ? SPF_RESULT_PASS : qualifiers[q - QUALIFIERS];
	if (m->kind == SPF_T_IP4 || m->kind == SPF_T_IP6)
		return network_parse(t, &sh, m, e);
	return domain_parse(t, &sh, m, e);
}

/* RFC 7208 4.6.1: only SP separates terms. */
int
spf_scan_next(struct spf_scan *sc, struct spf_term *t, struct spf_syntax *e)
{
	const char *end = sc->rec + sc->len, *p = sc->rec + sc->pos, *q;
	size_t i = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return 0;
	if ((q = memchr(p, ' ', (size_t)(end - p))) == NULL)
		q = end;
	sc->pos = (size_t)(q - sc->rec);

	memset(t, 0, sizeof(*t));
	t->text = p;
	t->len = (size_t)(q - p);
	/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ), then "=" */
	while (i < t->len && (ascii_is_ldh(p[i]) || p[i] == '_' || p[i] == '.'))
		i++;
	if (i > 0 && i < t->len && p[i] == '=' && ascii_is_alpha(p[0]))
		return modifier_parse(t, i, e) == -1 ? -1 : 1;
	return mechanism_parse(t, e) == -1 ? -1 : 1;
}

int
spf_record_check(const char *rec, size_t len, struct spf_term *redirect,
    struct spf_term *exp, struct spf_syntax *e)
{
	struct spf_scan sc;
	struct spf_term t, *once;
	int rv;

	memset(redirect, 0, sizeof(*redirect));
	memset(exp, 0, sizeof(*exp));
	spf_scan_start(&sc, rec, len);
	while ((rv = spf_scan_next(&sc, &t, e)) == 1) {
		if (t.kind != SPF_T_REDIRECT && t.kind != SPF_T_EXP)
			continue;
		/* RFC 7208 6 */
		once = t.kind == SPF_T_REDIRECT ? redirect : exp;
		if (once->kind != 0)
			return bad(e,
			    t.kind == SPF_T_EXP ?
				"exp= MUST appear at most once: " :
				"redirect= MUST appear at most once: ",
			    &t);
		*once = t;
	}
	return rv;
}
