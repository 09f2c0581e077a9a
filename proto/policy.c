/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf. Pure: no system calls; bounded memory. */

#include <stdlib.h>
#include <string.h>

#include "proto/policy.h"
#include "proto/python.h"

#define POLICY_BUF_SMALL 1024 /* enough for most requests */

static const char *const policy_attr_name[POLICY_ATTR_MAX] = { "client_address",
	"helo_name", "sender", "recipient", "instance", "queue_id",
	"sasl_username" };

void
policy_init(struct policy_parser *p)
{
	memset(p, 0, sizeof(*p));
}

void
policy_free(struct policy_parser *p)
{
	free(p->buf);
	policy_init(p);
}

void
policy_next(struct policy_parser *p)
{
	if (p->size > POLICY_BUF_SMALL) {
		free(p->buf);
		p->buf = NULL;
		p->size = 0;
	}
	p->len = p->line = p->total = 0;
	p->lines = p->bad = 0;
	memset(p->attr, 0, sizeof(p->attr));
}

int
policy_is_idle(const struct policy_parser *p)
{
	return p->total == 0;
}

char *
policy_get(struct policy_parser *p, enum policy_attr a)
{
	return p->attr[a].set ? p->buf + p->attr[a].off : NULL;
}

/* Makes room for n octets and a NUL. Returns -1 when there is no memory. */
static int
policy_room(struct policy_parser *p, size_t n)
{
	size_t size = p->size == 0 ? POLICY_BUF_SMALL : p->size;
	char *buf;

	while (size - p->len < n + 1)
		size *= 2;
	if (size == p->size)
		return 0;
	if ((buf = realloc(p->buf, size)) == NULL)
		return -1;
	p->buf = buf;
	p->size = size;
	return 0;
}

/*
 * Parses the line in buf from p->line to p->len, without its LF. A value that
 * is kept moves to the line's start, and the next line overwrites the rest: buf
 * never holds more octets than were received.
 */
static enum policy_event
policy_line(struct policy_parser *p, const char **text)
{
	char *s = p->buf + p->line, *end = p->buf + p->len, *name, *value;
	size_t namelen;
	int a;

	while (end > s && strchr(PYTHON_SPACES, end[-1]) != NULL)
		end--;
	*end = '\0';
	p->len = p->line;
	if (end == s)
		return POLICY_REQUEST;
	if (++p->lines > POLICY_LINES_MAX) {
		*text = "too many attributes";
		return POLICY_TOO_MUCH;
	}
	name = s + strspn(s, PYTHON_SPACES);
	namelen = strcspn(name, "=" PYTHON_SPACES);
	value = name + namelen + strspn(name + namelen, PYTHON_SPACES);
	if (namelen == 0 || *value != '=') {
		*text = s;
		return ++p->bad > POLICY_BAD_MAX ? POLICY_MORE :
						   POLICY_BAD_LINE;
	}
	value++;
	for (a = 0; a < POLICY_ATTR_MAX; a++)
		if (strlen(policy_attr_name[a]) == namelen &&
		    memcmp(policy_attr_name[a], name, namelen) == 0)
			break;
	if (a == POLICY_ATTR_MAX)
		return POLICY_MORE;
	p->attr[a].set = 1;
	p->attr[a].off = p->line;
	memmove(s, value, (size_t)(end - value) + 1);
	p->line += (size_t)(end - value) + 1;
	p->len = p->line;
	return POLICY_MORE;
}

enum policy_event
policy_feed(struct policy_parser *p, const char *in, size_t n, size_t *used,
    const char **text)
{
	enum policy_event e;
	const char *lf;
	size_t i, piece;

	for (*used = 0; *used < n;) {
		lf = memchr(in + *used, '\n', n - *used);
		piece = lf == NULL ? n - *used : (size_t)(lf - in) - *used;
		if (piece + 1 > POLICY_REQUEST_MAX - p->total) {
			*text = "a request of more than 64 KiB";
			return POLICY_TOO_MUCH;
		}
		if (policy_room(p, piece) == -1) {
			*text = "no memory";
			return POLICY_TOO_MUCH;
		}
		for (i = 0; i < piece; i++)
			p->buf[p->len++] =
			    in[*used + i] == '\0' ? '?' : in[*used + i];
		p->total += piece;
		*used += piece;
		if (lf == NULL)
			break;
		p->total++;
		(*used)++;
		if ((e = policy_line(p, text)) != POLICY_MORE)
			return e;
	}
	return POLICY_MORE;
}
