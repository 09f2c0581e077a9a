/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../proto/text.h"
#include "ctl_json.h"

static void
put_string(FILE *fp, const char *s, size_t len)
{
	size_t i, n;
	int c;

	fputc('"', fp);
	for (i = 0; i < len; i += n) {
		c = (unsigned char)s[i];
		if ((n = utf8_len(s + i, len - i)) == 0) {
			fputs("\\ufffd", fp);
			n = 1;
		} else if (n == 1 && (c < 0x20 || c == 0x7f))
			fprintf(fp, "\\u%04x", (unsigned int)c);
		else if (n == 2 && !utf8_clean(s + i, n))
			fprintf(fp, "\\u%04x",
			    (unsigned int)(unsigned char)s[i + 1]);
		else {
			if (c == '"' || c == '\\')
				fputc('\\', fp);
			fwrite(s + i, 1, n, fp);
		}
	}
	fputc('"', fp);
}

static void
line(struct ctl_json *j)
{
	unsigned int i;

	fputc('\n', j->fp);
	for (i = 0; i < j->depth; i++)
		fputs("  ", j->fp);
}

/* All before a value. */
static void
begin(struct ctl_json *j, const char *key)
{
	if (j->more)
		fputc(',', j->fp);
	if (j->depth > 0)
		line(j);
	if (key != NULL) {
		put_string(j->fp, key, strlen(key));
		fputs(": ", j->fp);
	}
	j->more = 1;
}

static void
open_with(struct ctl_json *j, const char *key, char c)
{
	begin(j, key);
	fputc(c, j->fp);
	j->depth++;
	j->more = 0;
}

static void
close_with(struct ctl_json *j, char c)
{
	j->depth--;
	if (j->more)
		line(j);
	fputc(c, j->fp);
	j->more = 1;
}

void
ctl_json_init(struct ctl_json *j, FILE *fp)
{
	memset(j, 0, sizeof(*j));
	j->fp = fp;
}

void
ctl_json_object(struct ctl_json *j, const char *key)
{
	open_with(j, key, '{');
}

void
ctl_json_object_end(struct ctl_json *j)
{
	close_with(j, '}');
}

void
ctl_json_array(struct ctl_json *j, const char *key)
{
	open_with(j, key, '[');
}

void
ctl_json_array_end(struct ctl_json *j)
{
	close_with(j, ']');
}

void
ctl_json_text(struct ctl_json *j, const char *key, const char *s, size_t len)
{
	begin(j, key);
	put_string(j->fp, s, len);
}

void
ctl_json_str(struct ctl_json *j, const char *key, const char *s)
{
	if (s == NULL)
		ctl_json_null(j, key);
	else
		ctl_json_text(j, key, s, strlen(s));
}

void
ctl_json_int(struct ctl_json *j, const char *key, int64_t v)
{
	begin(j, key);
	fprintf(j->fp, "%" PRId64, v);
}

void
ctl_json_ms(struct ctl_json *j, const char *key, uint64_t usec)
{
	begin(j, key);
	fprintf(j->fp, "%" PRIu64 ".%03u", usec / 1000,
	    (unsigned int)(usec % 1000));
}

void
ctl_json_bool(struct ctl_json *j, const char *key, int v)
{
	begin(j, key);
	fputs(v ? "true" : "false", j->fp);
}

void
ctl_json_null(struct ctl_json *j, const char *key)
{
	begin(j, key);
	fputs("null", j->fp);
}

void
ctl_json_finish(struct ctl_json *j)
{
	fputc('\n', j->fp);
}
