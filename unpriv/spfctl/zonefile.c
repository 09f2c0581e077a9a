/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure; bounded memory. */

#include <sys/tree.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/addr.h"
#include "proto/arena.h"
#include "proto/text.h"
#include "unpriv/spfctl/zonefile_private.h"

#define MEMORY_MAX  (128UL << 20)
#define NODES_MAX   200000
#define TOKENS_MAX  1024 /* of one entry */
#define STRING_MAX  255	 /* RFC 1035 3.3 */
#define DEFAULT_TTL 3600

/* Types whose data are ignored; NS delegates, SOA sets the apex. */
enum {
	T_NS = 2,
	T_CNAME = 5,
	T_SOA = 6,
	T_SPF = 99,
	T_OTHER = 65280
};
/* clang-format off */
static const struct {
	const char	*name;
	uint16_t	 type;
} types[] = {
	{ "A", DNS_T_A }, { "AAAA", DNS_T_AAAA }, { "MX", DNS_T_MX },
	{ "PTR", DNS_T_PTR }, { "TXT", DNS_T_TXT }, { "CNAME", T_CNAME },
	{ "NS", T_NS }, { "SOA", T_SOA }, { "SPF", T_SPF },
	{ "SRV", T_OTHER }, { "CAA", T_OTHER }, { "DS", T_OTHER },
	{ "DNSKEY", T_OTHER }, { "RRSIG", T_OTHER }, { "NSEC", T_OTHER },
	{ "NSEC3", T_OTHER }, { "NSEC3PARAM", T_OTHER }, { "TLSA", T_OTHER },
	{ "SSHFP", T_OTHER }, { "NAPTR", T_OTHER }, { "HINFO", T_OTHER },
	{ "RP", T_OTHER }, { "LOC", T_OTHER }, { "SVCB", T_OTHER },
	{ "HTTPS", T_OTHER }, { "CDS", T_OTHER }, { "CDNSKEY", T_OTHER },
	{ "SMIMEA", T_OTHER }, { "OPENPGPKEY", T_OTHER }, { "URI", T_OTHER },
};
/* clang-format on */

struct token {
	const char *s; /* as written, without its quotes */
	size_t len;
	int quoted;
};

struct parser {
	struct zonefile *z;
	const char *p, *end;
	unsigned int line; /* the current one */
	unsigned int at;   /* the first of the entry */
	struct token tok[TOKENS_MAX];
	size_t ntok;
	int lead; /* the entry begins with a blank */
	char origin[DNAME_MAX + 1];
	int has_origin;
	int from_soa; /* the apex is the owner of an SOA */
	struct zonefile_node *owner;
	uint32_t ttl;
	char *err;
	size_t errsize;
};

static int
node_cmp(struct zonefile_node *a, struct zonefile_node *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->name, b->name, a->len);
}

RB_PROTOTYPE_INTERNAL(zonefile_nodes, zonefile_node, entry, node_cmp,
    __attribute__((__unused__)) static)
RB_GENERATE_INTERNAL(zonefile_nodes, zonefile_node, entry, node_cmp,
    __attribute__((__unused__)) static)

static int fail(struct parser *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));

static int
fail(struct parser *ps, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(ps->err, ps->errsize, "line %u: ", ps->at);
	if (n > 0 && (size_t)n < ps->errsize) {
		va_start(ap, fmt);
		vsnprintf(ps->err + n, ps->errsize - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return -1;
}

static void
note(struct parser *ps, int serious, const char *code, const char *text)
{
	struct zonefile *z = ps->z;

	if (z->nnotes == ZONEFILE_NOTES_MAX)
		return;
	z->notes[z->nnotes].line = ps->at;
	z->notes[z->nnotes].owner = ps->owner->name;
	z->notes[z->nnotes].code = code;
	z->notes[z->nnotes].serious = serious;
	z->notes[z->nnotes++].text = text;
}

const struct zonefile_note *
zonefile_note_at(const struct zonefile *z, size_t i)
{
	return i < z->nnotes ? &z->notes[i] : NULL;
}

/* ---- names ---- */

struct zonefile_node *
zonefile_find(struct zonefile *z, const char *name, size_t len)
{
	struct zonefile_node key;

	key.name = name;
	key.len = len;
	return RB_FIND(zonefile_nodes, &z->nodes, &key);
}

/* Finds or adds the node of a name, and nodes for all names above it. */
static struct zonefile_node *
node_get(struct zonefile *z, const char *name, size_t len)
{
	struct zonefile_node *n, *first = NULL;
	const char *dot;

	for (;;) {
		if ((n = zonefile_find(z, name, len)) != NULL)
			return first == NULL ? n : first;
		if (z->nnodes == NODES_MAX ||
		    (n = arena_alloc(z->arena, sizeof(*n))) == NULL ||
		    (n->name = arena_strndup(z->arena, name, len)) == NULL)
			return NULL;
		n->len = len;
		n->tail = &n->first;
		RB_INSERT(zonefile_nodes, &z->nodes, n);
		z->nnodes++;
		if (first == NULL)
			first = n;
		if ((dot = memchr(name, '.', len)) == NULL)
			return first;
		len -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
}

/* Returns the octet of an escape at *i; *i becomes its last character. */
static int
escaped(const struct token *t, size_t *i)
{
	const char *s = t->s + *i + 1;
	size_t left = t->len - *i - 1;
	int v;

	if (left >= 3 && s[0] >= '0' && s[0] <= '2' && ascii_is_digit(s[1]) &&
	    ascii_is_digit(s[2])) {
		v = (s[0] - '0') * 100 + (s[1] - '0') * 10 + s[2] - '0';
		*i += 3;
		return v <= 255 ? v : '?';
	}
	if (left == 0)
		return '\\';
	*i += 1;
	return (unsigned char)*s;
}

/*
 * Reads a name, absolute and in lower case; "" is the root. Returns 0; 1 if a
 * label has a dot or NUL, which this form cannot represent; -1 on an error.
 */
static int
take_name(struct parser *ps, const struct token *t, char out[DNAME_MAX + 1],
    size_t *outlen)
{
	char buf[4 * DNAME_MAX];
	size_t i, n = 0;
	int c, absolute = 0, odd = 0, len;

	if (t->len == 1 && !t->quoted && t->s[0] == '@') {
		if (!ps->has_origin)
			return fail(ps, "@ without $ORIGIN (--origin NAME)");
		*outlen = strlcpy(out, ps->origin, DNAME_MAX + 1);
		return 0;
	}
	for (i = 0; i < t->len; i++) {
		c = (unsigned char)t->s[i];
		absolute = c == '.';
		if (c == '\\' && ((c = escaped(t, &i)) == '.' || c == '\0'))
			odd = 1;
		if (n == sizeof(buf) - DNAME_MAX - 1)
			return fail(ps, "the name is too long");
		buf[n++] = (char)c;
	}
	if (absolute)
		n--;
	else if (ps->has_origin) {
		if (n > 0 && ps->origin[0] != '\0')
			buf[n++] = '.';
		i = strlen(ps->origin);
		memcpy(buf + n, ps->origin, i);
		n += i;
	}
	*outlen = 0;
	out[0] = '\0';
	if (odd)
		return 1;
	if (n == 0)
		return absolute ? 0 : fail(ps, "empty name");
	if ((len = dname_to_ascii(buf, n, out, DNAME_MAX + 1)) == -1 ||
	    !dname_valid(out, (size_t)len))
		return fail(ps, "\"%.*s\" is not a domain name",
		    t->len > 80 ? 80 : (int)t->len, t->s);
	dname_lower(out, (size_t)len);
	*outlen = (size_t)len;
	return 0;
}

/* ---- tokens ---- */

static int
token_add(struct parser *ps, const char *s, size_t len, int quoted)
{
	if (ps->ntok == TOKENS_MAX)
		return fail(ps, "too many words");
	ps->tok[ps->ntok].s = s;
	ps->tok[ps->ntok].len = len;
	ps->tok[ps->ntok++].quoted = quoted;
	return 0;
}

static int
take_string(struct parser *ps)
{
	const char *s = ++ps->p;

	for (; ps->p < ps->end && *ps->p != '"' && *ps->p != '\n'; ps->p++)
		if (*ps->p == '\\' && ps->end - ps->p > 1 && ps->p[1] != '\n')
			ps->p++;
	if (ps->p == ps->end || *ps->p != '"')
		return fail(ps, "the string has no closing quote");
	return token_add(ps, s, (size_t)(ps->p++ - s), 1);
}

static int
take_word(struct parser *ps)
{
	const char *s = ps->p;

	while (ps->p < ps->end && strchr(" \t\r\n;()\"", *ps->p) == NULL) {
		if (*ps->p == '\\' && ps->end - ps->p > 1 && ps->p[1] != '\n')
			ps->p++;
		ps->p++;
	}
	/* strchr() stops at a NUL as well. */
	if (ps->p < ps->end && *ps->p == '\0')
		return fail(ps, "the file contains a NUL");
	return token_add(ps, s, (size_t)(ps->p - s), 0);
}

static void
skip_line(struct parser *ps)
{
	if ((ps->p = memchr(ps->p, '\n', (size_t)(ps->end - ps->p))) == NULL)
		ps->p = ps->end;
}

/* Called at the start of a line outside parentheses. */
static void
entry_begin(struct parser *ps)
{
	ps->at = ps->line;
	ps->lead = ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t');
	if (ps->p < ps->end && *ps->p == '#')
		skip_line(ps);
}

/* Reads the words of the next entry. 1; 0 at the end of the file; -1. */
static int
entry_next(struct parser *ps)
{
	int depth = 0;

	ps->ntok = 0;
	entry_begin(ps);
	while (ps->p < ps->end) {
		switch (*ps->p) {
		case '\n':
			ps->p++;
			ps->line++;
			if (depth > 0)
				break;
			if (ps->ntok > 0)
				return 1;
			entry_begin(ps);
			break;
		case ' ':
		case '\t':
		case '\r':
			ps->p++;
			break;
		case ';':
			skip_line(ps);
			break;
		case '(':
			depth++;
			ps->p++;
			break;
		case ')':
			if (depth-- == 0)
				return fail(ps, ") without (");
			ps->p++;
			break;
		case '"':
			if (take_string(ps) == -1)
				return -1;
			break;
		default:
			if (take_word(ps) == -1)
				return -1;
		}
	}
	if (depth > 0)
		return fail(ps, "( without )");
	return ps->ntok > 0;
}

static int
word_is(const struct token *t, const char *word)
{
	return !t->quoted && strlen(word) == t->len &&
	    strncasecmp(t->s, word, t->len) == 0;
}

/* Reads a TTL: 3600, 1h, 1w2d. 0, or -1 when it is none. */
static int
take_ttl(const struct token *t, uint32_t *ttl)
{
	static const struct {
		char c;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	uint64_t all = 0, n = 0;
	size_t i, j;
	int digits = 0;

	if (t->quoted)
		return -1;
	for (i = 0; i < t->len && all <= INT32_MAX && n <= INT32_MAX; i++) {
		if (ascii_is_digit(t->s[i])) {
			n = n * 10 + (uint64_t)(t->s[i] - '0');
			digits = 1;
			continue;
		}
		for (j = 0; j < nitems(units); j++)
			if (ascii_lower(t->s[i]) == units[j].c)
				break;
		if (j == nitems(units) || !digits)
			return -1;
		all += n * units[j].seconds;
		n = 0;
		digits = 0;
	}
	if (i == 0 || (all += n) > INT32_MAX)
		return -1;
	*ttl = (uint32_t)all;
	return 0;
}

/* ---- records ---- */

static int
item_add(struct parser *ps, uint16_t type, uint32_t ttl, const void *data,
    size_t len, uint16_t aux)
{
	struct zonefile_rr *it;

	if (len > UINT16_MAX)
		return fail(ps, "the record is too long");
	if ((it = arena_alloc(ps->z->arena, sizeof(*it))) == NULL ||
	    (it->rr.data = (uint8_t *)arena_strndup(ps->z->arena, data, len)) ==
		NULL)
		return fail(ps, "the file is too large");
	it->type = type;
	it->ttl = ttl;
	it->rr.len = (uint16_t)len;
	it->rr.aux = aux;
	*ps->owner->tail = it;
	ps->owner->tail = &it->next;
	return 0;
}

/* RFC 7208 3.3: the strings are joined without blanks. */
static int
add_txt(struct parser *ps, const struct token *t, size_t n, uint32_t ttl)
{
	size_t i, j, len = 0, first = 0, from, size = 0;
	int bare = 0, rv;
	char *buf;

	if (n == 0)
		return fail(ps, "TXT without a string");
	for (i = 0; i < n; i++)
		size += t[i].len;
	if ((buf = malloc(size + 1)) == NULL)
		return fail(ps, "no memory");
	for (i = 0; i < n; i++) {
		from = len;
		for (j = 0; j < t[i].len; j++)
			buf[len++] = t[i].s[j] != '\\' ?
			    t[i].s[j] :
			    (char)escaped(&t[i], &j);
		if (i == 0)
			first = len;
		if (len - from > STRING_MAX)
			note(ps, 1, "long-string",
			    "a string has more than 255 octets; name servers "
			    "refuse it");
		bare += !t[i].quoted;
	}
	if (bare > 1 && len > 5 && strncasecmp(buf, "v=spf", 5) == 0)
		note(ps, 1, "unquoted",
		    "words without quotes are joined without the blanks "
		    "between them");
	rv = item_add(ps, DNS_T_TXT, ttl, buf, len, (uint16_t)first);
	free(buf);
	return rv;
}

static int
add_address(struct parser *ps, uint16_t type, const struct token *t, size_t n,
    uint32_t ttl)
{
	struct addr a;

	if (n != 1 || addr_parse(&a, t->s, t->len) == -1 ||
	    a.family != (type == DNS_T_A ? 4 : 6))
		return fail(ps, "not an address of type %s",
		    dns_type_name(type));
	return item_add(ps, type, ttl, a.b, type == DNS_T_A ? 4 : 16, 0);
}

/* MX, PTR, CNAME */
static int
add_name(struct parser *ps, uint16_t type, const struct token *t, size_t n,
    uint32_t ttl)
{
	char name[DNAME_MAX + 1], num[8];
	const char *why = NULL;
	uint16_t pref = 0;
	size_t len;
	int rv;

	if (n != (type == DNS_T_MX ? 2 : 1))
		return fail(ps, "wrong number of words");
	if (type == DNS_T_MX) {
		if (t->len >= sizeof(num))
			return fail(ps, "not a preference");
		memcpy(num, t->s, t->len);
		num[t->len] = '\0';
		pref = (uint16_t)strtonum(num, 0, 65535, &why);
		if (why != NULL)
			return fail(ps, "not a preference");
		t++;
	}
	if ((rv = take_name(ps, t, name, &len)) == -1)
		return -1;
	if (type != T_CNAME)
		return rv == 1 ? item_add(ps, type, ttl, "", 1, pref) :
				 item_add(ps, type, ttl, name, len, pref);
	if (rv == 1 || len == 0)
		return fail(ps, "not a name for CNAME");
	if (ps->owner->cname != NULL)
		return fail(ps, "two CNAME records for one name");
	ps->owner->cname_ttl = ttl;
	ps->owner->cname = arena_strndup(ps->z->arena, name, len);
	return ps->owner->cname == NULL ? fail(ps, "the file is too large") : 0;
}

static void
set_apex(struct parser *ps, const char *name)
{
	ps->z->apexlen = strlcpy(ps->z->apex, name, sizeof(ps->z->apex));
	ps->z->has_apex = 1;
}

static int
add_record(struct parser *ps, uint16_t type, const struct token *t, size_t n,
    uint32_t ttl)
{
	if (type != T_CNAME)
		ps->owner->other = 1;
	if (ps->owner->other && ps->owner->cname != NULL)
		note(ps, 1, "cname", "the name has a CNAME and other records");
	switch (type) {
	case DNS_T_TXT:
		return add_txt(ps, t, n, ttl);
	case DNS_T_A:
	case DNS_T_AAAA:
		return add_address(ps, type, t, n, ttl);
	case DNS_T_MX:
	case DNS_T_PTR:
	case T_CNAME:
		return add_name(ps, type, t, n, ttl);
	case T_SPF:
		/* RFC 7208 3.1 */
		note(ps, 0, "spf-type",
		    "type SPF is obsolete: receivers do not ask for it");
		break;
	case T_NS:
		ps->owner->has_ns = 1;
		break;
	case T_SOA:
		if (ps->from_soa)
			return fail(ps, "a second SOA");
		ps->from_soa = 1;
		set_apex(ps, ps->owner->name);
	}
	return 0;
}

static int
take_type(const struct token *t, uint16_t *type)
{
	size_t i;

	for (i = 0; i < nitems(types); i++)
		if (word_is(t, types[i].name)) {
			*type = types[i].type;
			return 0;
		}
	if (t->quoted || t->len < 5 || t->len > 9 ||
	    strncasecmp(t->s, "TYPE", 4) != 0)
		return -1;
	for (i = 4; i < t->len; i++)
		if (!ascii_is_digit(t->s[i]))
			return -1;
	*type = T_OTHER;
	return 0;
}

/* $ORIGIN and $TTL. */
static int
directive(struct parser *ps)
{
	char name[DNAME_MAX + 1];
	size_t len;
	int rv;

	if (word_is(&ps->tok[0], "$TTL")) {
		if (ps->ntok != 2 || take_ttl(&ps->tok[1], &ps->ttl) == -1)
			return fail(ps, "not a TTL");
		return 0;
	}
	if (!word_is(&ps->tok[0], "$ORIGIN"))
		return fail(ps, "%.*s is not supported",
		    ps->tok[0].len > 40 ? 40 : (int)ps->tok[0].len,
		    ps->tok[0].s);
	if (ps->ntok != 2)
		return fail(ps, "$ORIGIN without a name");
	if ((rv = take_name(ps, &ps->tok[1], name, &len)) != 0)
		return rv == -1 ? -1 : fail(ps, "a dot inside a label");
	memcpy(ps->origin, name, len + 1);
	ps->has_origin = 1;
	if (!ps->z->has_apex && len > 0)
		set_apex(ps, name);
	return 0;
}

static int
entry(struct parser *ps)
{
	char name[DNAME_MAX + 1];
	uint32_t ttl = ps->ttl;
	uint16_t type;
	size_t len, i = 0;

	if (!ps->lead) {
		if (ps->tok[0].len > 0 && ps->tok[0].s[0] == '$' &&
		    !ps->tok[0].quoted)
			return directive(ps);
		switch (take_name(ps, &ps->tok[i++], name, &len)) {
		case -1:
			return -1;
		case 1:
			return fail(ps, "a dot or NUL inside a label");
		}
		if ((ps->owner = node_get(ps->z, name, len)) == NULL)
			return fail(ps, "too many names");
	}
	if (ps->owner == NULL)
		return fail(ps, "the first record has no name");
	for (; i < ps->ntok; i++) {
		if (word_is(&ps->tok[i], "CH") || word_is(&ps->tok[i], "HS"))
			return fail(ps, "only class IN is supported");
		if (!word_is(&ps->tok[i], "IN") &&
		    take_ttl(&ps->tok[i], &ttl) == -1)
			break;
	}
	if (i == ps->ntok)
		return fail(ps, "no type");
	if (take_type(&ps->tok[i], &type) == -1)
		return fail(ps, "\"%.*s\" is not a known type",
		    ps->tok[i].len > 40 ? 40 : (int)ps->tok[i].len,
		    ps->tok[i].s);
	i++;
	return add_record(ps, type, ps->tok + i, ps->ntok - i, ttl);
}

struct zonefile *
zonefile_parse(const char *text, size_t len, const char *origin, char *err,
    size_t errsize)
{
	struct token t = { origin, 0, 0 };
	struct parser *ps = NULL;
	struct zonefile *z;
	size_t n;
	int rv = -1;

	if (errsize > 0)
		err[0] = '\0';
	if ((z = calloc(1, sizeof(*z))) == NULL ||
	    (z->arena = arena_new(MEMORY_MAX)) == NULL ||
	    (ps = calloc(1, sizeof(*ps))) == NULL) {
		snprintf(err, errsize, "no memory");
		goto done;
	}
	RB_INIT(&z->nodes);
	ps->z = z;
	ps->p = text;
	ps->end = text + len;
	ps->line = 1;
	ps->ttl = DEFAULT_TTL;
	ps->err = err;
	ps->errsize = errsize;
	if (len > ZONEFILE_MAX) {
		(void)fail(ps, "the file is too large");
		goto done;
	}
	if (origin != NULL) {
		t.len = strlen(origin);
		if (take_name(ps, &t, ps->origin, &n) != 0) {
			snprintf(err, errsize,
			    "the origin is not a domain name");
			goto done;
		}
		ps->has_origin = 1;
		if (n > 0)
			set_apex(ps, ps->origin);
	}
	while ((rv = entry_next(ps)) == 1)
		if ((rv = entry(ps)) == -1)
			break;
done:
	free(ps);
	if (rv == -1) {
		zonefile_free(z);
		return NULL;
	}
	return z;
}

void
zonefile_free(struct zonefile *z)
{
	if (z == NULL)
		return;
	arena_free(z->arena);
	free(z);
}
