/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/local.h"
#include "proto/text.h"

#define SHOW_LEN  120 /* octets of a value that a message repeats */
#define SHOW_RING 4

void *
conf_xcalloc(size_t n, size_t size)
{
	void *p;

	if ((p = calloc(n, size)) == NULL)
		err(1, "configuration");
	return p;
}

void *
conf_xgrow(void *p, size_t n, size_t size)
{
	/* double the size at each power of two */
	if (n != 0 && (n & (n - 1)) != 0)
		return p;
	if ((p = reallocarray(p, n == 0 ? 1 : n * 2, size)) == NULL)
		err(1, "configuration");
	return p;
}

char *
conf_xstrndup(const char *s, size_t n)
{
	return memcpy(conf_xcalloc(1, n + 1), s, n);
}

const char *
conf_show(const char *s)
{
	static char ring[SHOW_RING][SHOW_LEN + 8];
	static size_t next;
	char *p = ring[next++ % SHOW_RING];
	size_t n;

	p[0] = '"';
	n = 1 + text_escape_log(p + 1, SHOW_LEN + 1, s, strlen(s));
	strlcpy(p + n, strlen(s) > SHOW_LEN ? "...\"" : "\"",
	    sizeof(ring[0]) - n);
	return p;
}

static void
add(struct conf_ctx *x, int error, const char *fmt, va_list ap)
{
	struct conf_msgs *ms = x->msgs;
	struct conf_msg m = { .error = error, .line = x->line };

	if (!error && x->child)
		return;
	if (error)
		ms->errors++;
	/* Keep the first error even after a flood of warnings. */
	if (ms->n > CONF_MSGS_MAX ||
	    (ms->n == CONF_MSGS_MAX && !(error && ms->errors == 1)))
		return;
	if (x->key != NULL)
		m.key = conf_xstrndup(x->key, strlen(x->key));
	if (x->file != NULL)
		m.file = conf_xstrndup(x->file, strlen(x->file));
	if (vasprintf(&m.text, fmt, ap) == -1)
		err(1, "configuration");
	conf_append(ms, m);
}

void
conf_warn(struct conf_ctx *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(x, 0, fmt, ap);
	va_end(ap);
}

int
conf_refuse(struct conf_ctx *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(x, !x->foreign && !x->per_user, fmt, ap);
	va_end(ap);
	return -1;
}

int
conf_refuse_any(struct conf_ctx *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(x, !x->per_user, fmt, ap);
	va_end(ap);
	return -1;
}

void
conf_msgs_free(struct conf_msgs *ms)
{
	size_t i;

	for (i = 0; i < ms->n; i++) {
		free(ms->v[i].key);
		free(ms->v[i].text);
		free(ms->v[i].file);
	}
	free(ms->v);
	memset(ms, 0, sizeof(*ms));
}

char *
conf_msg_text(const char *path, const struct conf_msg *m)
{
	char line[16] = "", *p;

	if (m->line != 0)
		snprintf(line, sizeof(line), "%u:", m->line);
	if (asprintf(&p, "%s:%s %s%s%s", m->file != NULL ? m->file : path, line,
		m->key != NULL ? m->key : "", m->key != NULL ? ": " : "",
		m->text) == -1)
		err(1, "configuration");
	return p;
}
