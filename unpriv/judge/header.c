/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "proto/dname.h"
#include "proto/text.h"
#include "unpriv/judge/header.h"

#define FOLD_WIDTH 72 /* spf-engine's */

/* A value that is written; octets that do not fit are dropped. */
struct hbuf {
	char *p; /* NULL: the arena is exhausted */
	size_t len, size;
	int utf8; /* the message may hold UTF-8 */
};

static void
hbuf_init(struct hbuf *h, struct arena *a, size_t size, int utf8)
{
	h->p = arena_alloc(a, size);
	h->size = h->p == NULL ? 0 : size;
	h->len = 0;
	h->utf8 = utf8;
}

static void
hbuf_char(struct hbuf *h, char c)
{
	if (h->size - h->len > 1)
		h->p[h->len++] = c;
}

static void
hbuf_str(struct hbuf *h, const char *s)
{
	while (*s != '\0')
		hbuf_char(h, *s++);
}

/* Appends the strings up to NULL. */
static void
hbuf_add(struct hbuf *h, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, h);
	while ((s = va_arg(ap, const char *)) != NULL)
		hbuf_str(h, s);
	va_end(ap);
}

/* The field; its value is NULL when the arena is exhausted. */
static struct header_field
hbuf_field(struct hbuf *h, const char *name)
{
	if (h->p != NULL)
		h->p[h->len] = '\0';
	return (struct header_field){ name, h->p };
}

/* Octets that put_quoted() and put_comment() write at most for an octet. */
static size_t
char_cost(char c)
{
	return strchr("\"\\();=", c) != NULL ? 2 : 1;
}

const char *
header_show(struct arena *a, const char *s, int utf8, size_t max)
{
	size_t len = strlen(s), n, k, cost = 0, room, fits = 0;
	char *out;

	/* An octet of text costs one or two: the copy fits into max. */
	if ((out = arena_alloc(a, (len < max ? len : max) + 4)) == NULL)
		return NULL;
	room = max > 3 ? max - 3 : 0;
	for (n = 0; n < len; n += k) {
		k = (unsigned char)s[n] < 0x80 ? 1 : utf8_len(s + n, len - n);
		if (k > 1 && (!utf8 || !utf8_clean(s + n, k)))
			k = 0;
		cost += k == 0 ? 1 : k > 1 ? k : char_cost(s[n]);
		if (cost > max) {
			memcpy(out + fits, "...", 4);
			return out;
		}
		if (k <= 1)
			out[n] =
			    k == 0 || s[n] < ' ' || s[n] == 0x7f ? '?' : s[n];
		else
			memcpy(out + n, s + n, k);
		if (k == 0)
			k = 1;
		if (cost <= room)
			fits = n + k;
	}
	out[n] = '\0';
	return out;
}

const char *
header_show_domain(struct arena *a, const char *d, int utf8)
{
	char ascii[DNAME_MAX + 1];

	if (!utf8 && dname_to_ascii(d, strlen(d), ascii, sizeof(ascii)) != -1)
		d = ascii;
	return header_show(a, d, utf8, HEADER_HOST_MAX);
}

const char *
header_show_sender(struct arena *a, const char *local, const char *domain,
    int utf8)
{
	const char *l, *d;

	if (domain == NULL)
		return "<>";
	if ((d = header_show_domain(a, domain, utf8)) == NULL || local == NULL)
		return d;
	if ((l = header_show(a, local, utf8, HEADER_LOCAL_MAX)) == NULL)
		return NULL;
	return arena_printf(a, "%s@%s", l, d);
}

/* RFC 5322 3.2.3; with utf8 also RFC 6532 3.2. */
static int
is_atext(unsigned char c, int utf8)
{
	return ascii_is_alnum(c) || (c >= 0x80 && utf8) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* RFC 2045 5.1, as RFC 8601 2.2 asks for. */
static int
is_token(unsigned char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static int
is_dot_atom(const char *s, int utf8)
{
	char prev = '.';

	for (; *s != '\0'; prev = *s++)
		if (*s == '.' ? prev == '.' : !is_atext(*s, utf8))
			return 0;
	return prev != '.';
}

/*
 * Some readers take octets inside a quoted-string for structure: OpenDMARC up
 * to 1.4.2 fails valid VERP addresses for '(', ';' and '=', and SpamAssassin
 * takes the last "identity=" of the line for the key. Write each such octet as
 * a quoted-pair, which means the same (RFC 5322 3.2.4).
 */
static void
put_quoted(struct hbuf *h, const char *s)
{
	hbuf_char(h, '"');
	for (; *s != '\0'; s++) {
		if (strchr("\"\\();=", *s) != NULL)
			hbuf_char(h, '\\');
		hbuf_char(h, *s);
	}
	hbuf_char(h, '"');
}

/* RFC 7208 9.1: key-value-pair = key [CFWS] "=" (dot-atom / quoted-string) */
static void
put_value(struct hbuf *h, const char *s)
{
	if (is_dot_atom(s, h->utf8) && strchr(s, '=') == NULL)
		hbuf_str(h, s);
	else
		put_quoted(h, s);
}

/*
 * RFC 8601 2.2: pvalue is a token, a quoted-string or a domain-name, whose
 * labels may be U-labels in an internationalized message (RFC 8616 5).
 */
static void
put_pvalue(struct hbuf *h, const char *s, int utf8)
{
	const char *p;

	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80 ? !utf8 : !is_token(*p))
			break;
	if (p != s && *p == '\0')
		hbuf_str(h, s);
	else
		put_quoted(h, s);
}

/* 1 when word, in any case, ends at p, which points into s. */
static int
word_before(const char *s, const char *p, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(p - s) >= n && strncasecmp(p - n, word, n) == 0;
}

/*
 * 1 when the '=' at p follows a word that readers find inside comments, too
 * (SpamAssassin: "; spf =", "identity=").
 */
static int
weak_equals(const char *s, const char *p)
{
	static const char *const words[] = { "identity", "spf", "dkim", "dmarc",
		"arc", "auth", "iprev" };
	size_t i;

	while (p > s && p[-1] == ' ')
		p--;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word_before(s, p, words[i]))
			return 1;
	return 0;
}

/* ctext and quoted-pair of RFC 5322 3.2.2 */
static void
put_comment_char(struct hbuf *h, const char *s, const char *p)
{
	if (*p == '(' || *p == ')' || *p == '\\' ||
	    (*p == '=' && weak_equals(s, p)))
		hbuf_char(h, '\\');
	hbuf_char(h, *p);
}

static void
put_comment(struct hbuf *h, const char *s)
{
	const char *p;

	for (p = s; *p != '\0'; p++)
		put_comment_char(h, s, p);
}

/*
 * The comment before the property: SpamAssassin reads up to the first ';'
 * and takes the first "smtp." for the property's name.
 */
static void
put_reason(struct hbuf *h, const char *s)
{
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (*p == '.' && word_before(s, p, "smtp"))
			hbuf_char(h, '\\');
		put_comment_char(h, s, *p == ';' ? "," : p);
	}
}

static void
put_parts(struct hbuf *h, const struct header_parts *w,
    void (*put)(struct hbuf *, const char *))
{
	hbuf_str(h, "client-ip=");
	put(h, w->ip);
	hbuf_str(h, "; helo=");
	put(h, w->helo);
	hbuf_str(h, "; envelope-from=");
	put(h, w->sender);
	hbuf_str(h, "; receiver=");
	put(h, w->receiver);
}

const char *
header_plain(struct arena *a, const struct header_parts *w)
{
	struct hbuf h;

	hbuf_init(&h, a, HEADER_MAX, w->utf8);
	put_parts(&h, w, hbuf_str);
	return hbuf_field(&h, NULL).value;
}

struct header_field
header_received_spf(struct arena *a, const char *title, const char *comment,
    const char *identity, const struct header_parts *w)
{
	struct hbuf h;

	hbuf_init(&h, a, HEADER_MAX - sizeof("Received-SPF: "), w->utf8);
	hbuf_add(&h, title, " (", NULL);
	put_comment(&h, comment);
	/* Unquoted: SpamAssassin's pattern takes no quoted identity. */
	hbuf_add(&h, ") identity=", identity, "; ", NULL);
	put_parts(&h, w, put_value);
	hbuf_char(&h, ' ');
	return hbuf_field(&h, "Received-SPF");
}

struct header_field
header_ar(struct arena *a, const char *result, const char *reason,
    const char *prop, const char *domain, const struct header_parts *w)
{
	struct hbuf h;

	hbuf_init(&h, a, HEADER_MAX - sizeof("Authentication-Results: "),
	    w->utf8);
	put_pvalue(&h, w->id, 0);
	hbuf_add(&h, "; spf=", result, " (", NULL);
	put_reason(&h, reason);
	hbuf_add(&h, ") ", prop, "=", NULL);
	put_pvalue(&h, domain, w->utf8);
	hbuf_str(&h, " (");
	put_parts(&h, w, put_comment);
	hbuf_char(&h, ')');
	return hbuf_field(&h, "Authentication-Results");
}

struct header_field
header_x_comment(struct arena *a, const char *text,
    const struct header_parts *w)
{
	struct hbuf h;

	hbuf_init(&h, a, HEADER_MAX - sizeof("X-Comment: "), w->utf8);
	hbuf_str(&h, text);
	/* Unstructured (RFC 5322 3.6.5): nothing to quote. */
	put_parts(&h, w, hbuf_str);
	hbuf_char(&h, ' ');
	return hbuf_field(&h, "X-Comment");
}

struct header_field
header_ar_none(struct arena *a, const char *text, const struct header_parts *w)
{
	struct hbuf h;

	hbuf_init(&h, a, HEADER_MAX - sizeof("Authentication-Results: "),
	    w->utf8);
	put_pvalue(&h, w->id, 0);
	hbuf_add(&h, "; none (", text, " ", NULL);
	put_parts(&h, w, put_comment);
	hbuf_char(&h, ')');
	return hbuf_field(&h, "Authentication-Results");
}

/*
 * Finds the end of the line that starts at p: behind the last blank within
 * width octets, or else behind the first blank. A blank inside a quoted-string
 * is content; one at the start would leave a line of only white space (RFC 5322
 * 3.2.2). depth is the number of open comments at p, and on return at the end;
 * inside a comment '"' has no meaning.
 */
static const char *
fold_point(const char *p, size_t width, int *depth)
{
	const char *best = NULL, *q;
	int d = *depth, ink = 0, quoted = 0;

	for (q = p; *q != '\0'; q++) {
		if (*q == ' ') {
			if (quoted || !ink || q[1] == ' ' || q[1] == '\0')
				continue;
			if (best != NULL && (size_t)(q + 1 - p) > width)
				break;
			best = q + 1;
			*depth = d;
			continue;
		}
		ink = 1;
		if (*q == '\\' && q[1] != '\0')
			q++;
		else if (*q == '"' && d == 0)
			quoted = !quoted;
		else if (*q == '(' && !quoted)
			d++;
		else if (*q == ')' && !quoted && d > 0)
			d--;
	}
	return best;
}

const char *
header_fold(const char *name, const char *value, struct arena *a)
{
	size_t left = strlen(value), width;
	const char *cut, *p = value;
	struct hbuf h;
	int depth = 0;

	/* Each break adds four octets and takes at least two of the value. */
	hbuf_init(&h, a, left * 3 + 8, 0);
	width = strlen(name) + 2;
	width = width < FOLD_WIDTH ? FOLD_WIDTH - width : 0;
	while (left > width && (cut = fold_point(p, width, &depth)) != NULL) {
		while (p < cut)
			hbuf_char(&h, *p++);
		hbuf_str(&h, "\n   ");
		left = strlen(p);
		width = FOLD_WIDTH;
	}
	hbuf_str(&h, p);
	return hbuf_field(&h, name).value;
}
