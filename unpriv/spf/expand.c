/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/expand.h"

/*
 * The octets that one run may expand: about a hundred times what its names
 * and an explanation need. A record of 64 kB could demand far more, in each
 * of many runs.
 */
#define WORK_MAX   (256UL << 10)
#define WORK_MACRO 64 /* a macro's cost beside the octets of its value */

/*
 * Appends. With tail, a full buffer keeps its end: a name that is too long
 * loses labels on the left anyway (RFC 7208 7.3).
 */
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
 * join with ".". After reversal the right-hand parts are the first ones of
 * the value.
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
	if (best == names->n) {
		*len = strlen("unknown");
		return "unknown";
	}
	*len = names->name[best].len;
	return names->name[best].s;
}

/* Appends the value of one macro. */
static enum spf_step
expand_one(struct spf_state *st, const struct spf_level *lv,
    const struct spf_macro *m, struct spf_sink *k)
{
	char text[64];
	struct spf_names names;
	const char *v = text;
	size_t len;
	enum spf_step rv;

	/* RFC 8616 4: the term does not match. */
	if ((m->letter == 's' || m->letter == 'l') && !st->local_ascii)
		return SPF_NO;
	text[0] = '\0';
	switch (m->letter) {
	case 's':
		v = st->sender;
		break;
	case 'l':
		v = st->local;
		break;
	case 'o':
		v = st->domain;
		break;
	case 'd':
		v = lv->domain;
		break;
	case 'h':
		v = st->helo;
		break;
	case 'r':
		v = st->req->receiver != NULL ? st->req->receiver : "unknown";
		break;
	case 'v':
		v = st->client.family == 6 ? "ip6" : "in-addr";
		break;
	case 'i':
		nibbles(&st->client, text);
		break;
	case 'c':
		addr_format(&st->client, text, sizeof(text));
		break;
	case 't':
		snprintf(text, sizeof(text), "%lld", (long long)st->req->now);
		break;
	}
	len = strlen(v);
	if (m->letter == 'p') {
		st->work += SPF_MAX_PTR * WORK_MACRO;
		if ((rv = spf_client_names(st, lv, &names)) != SPF_YES)
			return rv;
		v = best_name(&names, lv, &len);
	}
	if ((st->work += len + WORK_MACRO) > WORK_MAX)
		return spf_error(st, SPF_RESULT_PERMERROR, "Too many macros",
		    NULL, 0, NULL, 0);
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
