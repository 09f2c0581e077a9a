/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/expand.h"

/*
 * The octets that one run may expand: a hundred times what names and an
 * explanation need. A record of 64 kB can demand far more, in each of its runs.
 */
#define WORK_MAX   (256UL << 10)
#define WORK_MACRO 64 /* a macro's cost beside the octets of its value */

/* With tail, a full buffer keeps its end (RFC 7208 7.3). */
static void
sink_put(struct spf_sink *k, const char *s, size_t len)
{
	size_t keep;

	if (len <= k->size - k->len) {
		memcpy(k->buf + k->len, s, len);
		k->len += len;
		return;
	}
	if (!k->tail) {
		memcpy(k->buf + k->len, s, k->size - k->len);
		k->len = k->size;
		return;
	}
	if (len >= k->size / 2) {
		s += len - k->size / 2;
		len = k->size / 2;
	}
	keep = k->size / 2 < k->len ? k->size / 2 : k->len;
	memmove(k->buf, k->buf + k->len - keep, keep);
	memcpy(k->buf + keep, s, len);
	k->len = keep + len;
}

static int
is_delim(const struct spf_macro *m, int c)
{
	const char *d;

	if (m->delims == 0)
		return c == '.';
	if (c == '\0' || (d = strchr(SPF_DELIMITERS, c)) == NULL)
		return 0;
	return (m->delims >> (d - SPF_DELIMITERS) & 1) != 0;
}

/* RFC 7208 7.3: an upper-case letter asks for RFC 3986 2.3 escapes. */
static void
sink_part(struct spf_sink *k, const struct spf_macro *m, const char *s,
    size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	char esc[3] = "%";
	size_t i;
	int c;

	if (!m->url) {
		sink_put(k, s, len);
		return;
	}
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (ascii_is_ldh(c) || c == '.' || c == '_' || c == '~') {
			sink_put(k, s + i, 1);
			continue;
		}
		esc[1] = hex[c >> 4];
		esc[2] = hex[c & 15];
		sink_put(k, esc, sizeof(esc));
	}
}

/*
 * RFC 7208 7.3: split at the delimiters, reverse, keep the right-hand parts,
 * join with ".". Reversed, the right-hand parts are the value's first ones.
 */
static void
sink_value(struct spf_sink *k, const struct spf_macro *m, const char *s,
    size_t len)
{
	size_t i, j, n = 0;

	if (m->digits == 0 && !m->reverse && m->delims == 0) {
		sink_part(k, m, s, len);
		return;
	}
	if (!m->reverse) {
		for (i = len; i > 0; i--)
			if (is_delim(m, s[i - 1]) && ++n == m->digits)
				break;
		for (; i <= len; i = j + 1) {
			for (j = i; j < len && !is_delim(m, s[j]); j++)
				;
			sink_part(k, m, s + i, j - i);
			if (j < len)
				sink_part(k, m, ".", 1);
		}
		return;
	}
	for (i = 0; i < len; i++)
		if (is_delim(m, s[i]) && ++n == m->digits)
			break;
	for (;;) {
		for (j = i; j > 0 && !is_delim(m, s[j - 1]); j--)
			;
		sink_part(k, m, s + j, i - j);
		if (j == 0)
			break;
		sink_part(k, m, ".", 1);
		i = j - 1;
	}
}

/* The value of %{i} (RFC 7208 7.3), in buf of at least 64 octets. */
static char *
nibbles(const struct addr *a, char *buf)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i, n = 0;

	if (a->family != 6)
		return addr_format(a, buf, ADDR_STRLEN);
	for (i = 0; i < 16; i++) {
		buf[n++] = hex[a->b[i] >> 4];
		buf[n++] = '.';
		buf[n++] = hex[a->b[i] & 15];
		buf[n++] = '.';
	}
	buf[n - 1] = '\0';
	return buf;
}

/*
 * The value of %{p} (RFC 7208 7.3): the current domain, else a name below it,
 * else any name, else "unknown".
 */
static const char *
best_name(const struct spf_names *names, const struct spf_level *lv,
    size_t *len)
{
	size_t i, best = names->n;
	int rank, have = 0;

	for (i = 0; i < names->n; i++) {
		rank = 1;
		if (dname_is_below(names->name[i].s, names->name[i].len,
			lv->domain, lv->dlen))
			rank = names->name[i].len == lv->dlen ? 3 : 2;
		if (rank > have) {
			have = rank;
			best = i;
		}
	}
	*len = best == names->n ? strlen("unknown") : names->name[best].len;
	return best == names->n ? "unknown" : names->name[best].s;
}

/* The value of a macro other than %{p}; buf holds what is not text yet. */
static const char *
macro_value(const struct spf_state *st, const struct spf_level *lv, char letter,
    char buf[64])
{
	switch (letter) {
	case 's':
		return st->sender;
	case 'l':
		return st->local;
	case 'o':
		return st->domain;
	case 'd':
		return lv->domain;
	case 'h':
		return st->helo;
	case 'r':
		return st->req->receiver != NULL ? st->req->receiver :
						   "unknown";
	case 'v':
		return st->client.family == 6 ? "ip6" : "in-addr";
	case 'i':
		return nibbles(&st->client, buf);
	case 'c':
		return addr_format(&st->client, buf, 64);
	default: /* 't' */
		snprintf(buf, 64, "%lld", (long long)st->req->now);
		return buf;
	}
}

/* Appends the value of one macro. */
static enum spf_step
expand_one(struct spf_state *st, const struct spf_level *lv,
    const struct spf_macro *m, struct spf_sink *k)
{
	char buf[64];
	struct spf_names names;
	const char *v;
	size_t len;
	enum spf_step rv;

	/* RFC 8616 4: the term does not match. */
	if ((m->letter == 's' || m->letter == 'l') && !st->local_ascii)
		return SPF_NO;
	if (m->letter == 'p') {
		st->work += SPF_MAX_PTR * WORK_MACRO;
		if ((rv = spf_client_names(st, lv, &names)) != SPF_YES)
			return rv;
		v = best_name(&names, lv, &len);
	} else {
		v = macro_value(st, lv, m->letter, buf);
		len = strlen(v);
	}
	if ((st->work += len + WORK_MACRO) > WORK_MAX)
		return spf_permerror(st, "Too many macros", NULL, 0);
	sink_value(k, m, v, len);
	return SPF_YES;
}

enum spf_step
spf_expand(struct spf_state *st, const struct spf_level *lv, const char *s,
    size_t len, struct spf_sink *k)
{
	enum spf_step rv, all = SPF_YES;
	struct spf_macro m;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		if ((n = spf_macro_next(s + i, len - i, &m)) == 0)
			return SPF_NO;
		if (m.letter == '\0') {
			sink_put(k, m.text, m.textlen);
			continue;
		}
		if ((rv = expand_one(st, lv, &m, k)) == SPF_ERROR ||
		    rv == SPF_UNKNOWN)
			return rv;
		if (rv == SPF_NO)
			all = SPF_NO;
	}
	return all;
}

enum spf_step
spf_target(struct spf_state *st, const struct spf_level *lv,
    const struct spf_term *t, char name[DNAME_MAX + 1], size_t *namelen)
{
	char buf[2048];
	struct spf_sink k = { .buf = buf, .size = sizeof(buf), .tail = 1 };
	const char *p = buf, *dot;
	enum spf_step rv;
	size_t i;

	if (t->spec == NULL) {
		memcpy(name, lv->domain, lv->dlen + 1);
		*namelen = lv->dlen;
		return SPF_YES;
	}
	rv = spf_expand(st, lv, t->spec, t->speclen, &k);
	if (rv == SPF_UNKNOWN || rv == SPF_ERROR)
		return rv;
	k.len = dname_undot(buf, k.len);
	/* RFC 7208 7.3: drop labels on the left until it fits. */
	while (k.len > DNAME_MAX) {
		i = k.len - DNAME_MAX - 1;
		if ((dot = memchr(p + i, '.', k.len - i)) == NULL) {
			rv = SPF_NO;
			p += k.len - DNAME_MAX;
			k.len = DNAME_MAX;
			break;
		}
		k.len -= (size_t)(dot + 1 - p);
		p = dot + 1;
	}
	memcpy(name, p, k.len);
	name[k.len] = '\0';
	*namelen = k.len;
	return dname_valid(name, k.len) && ascii_only(name, k.len) ? rv :
								     SPF_NO;
}
