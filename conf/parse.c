/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; roles behind a parent read no files. */

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/local.h"
#include "proto/text.h"

#define BOM "\xef\xbb\xbf"

static size_t white(const char *, size_t);
static void line(struct conf_ctx *, struct conf *, const char *, size_t);
static struct conf *parse(enum conf_program, const char *, size_t, const char *,
    const struct conf_reader *, struct conf_msgs *);

/*
 * Reading files.
 */

static char *
slurp(FILE *f, size_t *len)
{
	struct stat st;
	char *buf = NULL;
	size_t n = 0, size = 0, k;
	int fd;

	/* A stream over memory has no descriptor. */
	if ((fd = fileno(f)) != -1) {
		if (fstat(fd, &st) == -1)
			return NULL;
		if (!S_ISREG(st.st_mode)) {
			errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
			return NULL;
		}
	}
	do {
		if (size - n < 2) {
			size = size == 0 ? 4096 : size * 2;
			if ((buf = realloc(buf, size)) == NULL)
				abort();
		}
		k = fread(buf + n, 1, size - n - 1, f);
		n += k;
	} while (k != 0 && n <= CONF_FILE_MAX);
	if (ferror(f) != 0 || n > CONF_FILE_MAX) {
		errno = n > CONF_FILE_MAX ? EFBIG : errno;
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = n;
	return buf;
}

char *
conf_read(struct conf_ctx *x, const char *path, size_t *len)
{
	FILE *f;
	char *buf;
	int save;

	if (x->child) {
		errno = EPERM;
		return NULL;
	}
	if (x->reader != NULL)
		f = x->reader->open(x->reader->arg, path);
	else
		f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	buf = slurp(f, len);
	save = errno;
	fclose(f);
	errno = save;
	return buf;
}

/*
 * Lines.
 */

/*
 * Length of the white space character at s, or 0: what Python's
 * str.strip() takes off, with Unicode's blanks (Zs, U+0085, U+2028/9).
 */
static size_t
white(const char *s, size_t n)
{
	static const char *const wide[] = { "\xc2\x85", "\xc2\xa0",
		"\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\x9f", "\xe3\x80\x80" };
	size_t i, k;

	if (n == 0)
		return 0;
	if (*s == ' ' || (*s >= '\t' && *s <= '\r') ||
	    (*s >= 0x1c && *s <= 0x1f))
		return 1;
	for (i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		k = strlen(wide[i]);
		if (n >= k && memcmp(s, wide[i], k) == 0)
			return k;
	}
	/* U+2000 to U+200A */
	if (n >= 3 && memcmp(s, "\xe2\x80", 2) == 0 &&
	    (unsigned char)s[2] >= 0x80 && (unsigned char)s[2] <= 0x8a)
		return 3;
	return 0;
}

static size_t
white_back(const char *s, size_t n)
{
	size_t k;

	for (k = 1; k <= 3 && k <= n; k++)
		if (white(s + n - k, k) == k)
			return k;
	return 0;
}

void
conf_strip(const char **s, size_t *n)
{
	size_t k;

	while ((k = white(*s, *n)) != 0) {
		*s += k;
		*n -= k;
	}
	while ((k = white_back(*s, *n)) != 0)
		*n -= k;
}

int
conf_has_white(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (white(s + i, n - i) != 0)
			return 1;
	return 0;
}

int
conf_line(const char **text, size_t *len, const char **l, size_t *n)
{
	size_t i;

	if (*len == 0)
		return 0;
	for (i = 0; i < *len && (*text)[i] != '\n' && (*text)[i] != '\r'; i++)
		;
	*l = *text;
	*n = i;
	if (i < *len)
		i += (*text)[i] == '\r' && i + 1 < *len &&
			(*text)[i + 1] == '\n' ?
		    2 :
		    1;
	*text += i;
	*len -= i;
	return 1;
}

const char *
conf_dirty(const char *s, size_t n)
{
	size_t i, k;
	unsigned char c;

	for (i = 0; i < n; i += k) {
		c = (unsigned char)s[i];
		if ((k = utf8_len(s + i, n - i)) == 0)
			return "is not UTF-8 text";
		if ((c < 0x20 && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0))
			return "holds a control character";
	}
	return NULL;
}

int
conf_apply(struct conf_ctx *x, struct conf *c, const struct conf_row *row,
    const char *value)
{
	const char *why;

	x->foreign = (row->pub.programs & (unsigned int)x->program) == 0 ||
	    (x->program == CONF_MILTER && (row->flags & ROW_POLICY) != 0);
	if ((why = conf_dirty(value, strlen(value))) != NULL)
		return conf_refuse_any(x, "the value %s", why);
	if (x->lines != NULL)
		x->lines[conf_row_index(row)] = x->line;
	return row->ops->set(x, row, c, value);
}

/* equals: how many '=' the line has. */
static void
pair(struct conf_ctx *x, struct conf *c, const char *name, const char *value,
    int equals)
{
	const struct conf_row *row;
	const char *now = NULL, *text, *near;

	row = conf_row_find(name);
	if (equals > 1 && (row == NULL || (row->flags & ROW_EQUALS) == 0)) {
		x->key = row != NULL ? row->pub.name : NULL;
		conf_warn(x, "a value cannot contain '='; line ignored");
		return;
	}
	if (row == NULL && (text = conf_old_key(name, &now)) != NULL) {
		x->key = name;
		conf_warn(x, "%s", text);
		if (now == NULL)
			return;
		row = conf_row_find(now);
	}
	if (row == NULL) {
		near = conf_row_near(name);
		conf_warn(x, "unknown key %s, line ignored%s%s%s",
		    conf_show(name), near != NULL ? "; did you mean " : "",
		    near != NULL ? near : "", near != NULL ? "?" : "");
		return;
	}
	x->key = row->pub.name;
	conf_apply(x, c, row, value);
}

/* Lines that only our parent writes. 1: it was one. */
static int
child_line(struct conf_ctx *x, struct conf *c, const char *l, size_t n)
{
	static const char user[] = "@user ", anchor[] = "@trust_anchor ";

	if (n >= sizeof(user) - 1 && memcmp(l, user, sizeof(user) - 1) == 0) {
		conf_users_line(x, c, l + sizeof(user) - 1,
		    n - (sizeof(user) - 1));
		return 1;
	}
	if (n < sizeof(anchor) - 1 ||
	    memcmp(l, anchor, sizeof(anchor) - 1) != 0)
		return 0;
	fwrite(l + sizeof(anchor) - 1, 1, n - (sizeof(anchor) - 1), x->anchors);
	putc('\n', x->anchors);
	return 1;
}

/* As spf-engine: cut at '#', strip, split at '='. */
static void
line(struct conf_ctx *x, struct conf *c, const char *l, size_t n)
{
	const char *hash, *eq, *v, *why;
	char *name, *value;
	size_t i, nn, vn;
	int equals = 0;

	x->key = NULL;
	if (x->child && child_line(x, c, l, n))
		return;
	if ((hash = memchr(l, '#', n)) != NULL)
		n = (size_t)(hash - l);
	conf_strip(&l, &n);
	if (n == 0)
		return;
	/* The original ends at any octet that is not UTF-8. */
	if (memchr(l, '\0', n) != NULL) {
		conf_refuse_any(x, "the line holds a NUL");
		return;
	}
	for (i = 0; i < n; i += utf8_len(l + i, n - i))
		if (utf8_len(l + i, n - i) == 0) {
			conf_refuse_any(x, "the line is not UTF-8 text");
			return;
		}
	for (i = 0; i < n; i++)
		equals += l[i] == '=';
	if ((eq = memchr(l, '=', n)) == NULL) {
		name = conf_xstrndup(l, n);
		why = conf_show(name);
		conf_warn(x, "no '=' in %s, line ignored", why);
		free(name);
		return;
	}
	nn = (size_t)(eq - l);
	v = eq + 1;
	vn = n - nn - 1;
	conf_strip(&l, &nn);
	conf_strip(&v, &vn);
	name = conf_xstrndup(l, nn);
	value = conf_xstrndup(v, vn);
	pair(x, c, name, value, equals);
	x->key = NULL;
	x->foreign = 0;
	free(name);
	free(value);
}

/*
 * What can only be done when all lines are read.
 */

static unsigned int
line_of(const struct conf_ctx *x, const char *key)
{
	return x->lines[conf_row_index(conf_row_find(key))];
}

/* gethostname() where the file left it to us. */
static void
finish_id(struct conf_ctx *x, struct conf *c)
{
	const struct conf_row *row = conf_row_find("Authserv_Id");
	char host[256] = "";

	if (strcmp(c->authserv_id, "HOSTNAME") != 0)
		return;
	x->line = line_of(x, "Authserv_Id");
	x->key = row->pub.name;
	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0' ||
	    strcspn(host, "=# \t|,") != strlen(host) ||
	    conf_dirty(host, strlen(host)) != NULL) {
		conf_warn(x, "this host's name cannot be used; localhost is");
		strlcpy(host, "localhost", sizeof(host));
	}
	free(c->authserv_id);
	c->authserv_id = conf_xstrndup(host, strlen(host));
	for (char *p = c->authserv_id; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
}

static void
finish_anchor(struct conf_ctx *x, struct conf *c)
{
	const char *l;
	const char *text;
	char *buf, *out = NULL;
	size_t len, n, size = 0;
	FILE *o;

	if (x->child || c->trust_anchor[0] == '\0')
		return;
	x->line = line_of(x, "Trust_Anchor");
	x->key = "Trust_Anchor";
	if ((buf = conf_read(x, c->trust_anchor, &len)) == NULL) {
		conf_refuse(x, "%s: %s", c->trust_anchor, strerror(errno));
		return;
	}
	if (len == 0 || memchr(buf, '\0', len) != NULL) {
		conf_refuse(x, "%s: no trust anchors in it", c->trust_anchor);
		free(buf);
		return;
	}
	if ((o = open_memstream(&out, &size)) == NULL)
		abort();
	for (text = buf; conf_line(&text, &len, &l, &n);)
		fprintf(o, "%.*s\n", (int)n, l);
	if (fclose(o) != 0)
		abort();
	free(c->trust_anchor_text);
	c->trust_anchor_text = out;
	free(buf);
}

/* A missing file leaves the global settings. */
static void
finish_users(struct conf_ctx *x, struct conf *c)
{
	char *buf;
	size_t len;

	if (!x->child && c->per_user_path[0] != '\0') {
		x->line = line_of(x, "Per_User");
		x->key = "Per_User";
		if ((buf = conf_read(x, c->per_user_path, &len)) == NULL)
			conf_warn(x, "%s: %s; no settings by recipient",
			    c->per_user_path, strerror(errno));
		else {
			conf_users_parse(x, c, buf, len);
			free(buf);
		}
	}
	conf_users_done(x, c);
}

static void
finish(struct conf_ctx *x, struct conf *c)
{
	static const char *const keys[] = { "HELO_pass_restriction",
		"Mail_From_pass_restriction" };
	size_t i;
	const char *v;

	x->file = NULL;
	finish_id(x, c);
	finish_anchor(x, c);
	finish_users(x, c);
	if (x->child || c->program != CONF_MILTER ||
	    c->policy_socket.kind != SOCK_NONE)
		return;
	if (c->socket.kind == SOCK_NONE) {
		x->line = line_of(x, "Socket");
		x->key = "Socket";
		x->foreign = x->per_user = 0;
		(void)conf_refuse(x, "neither it nor PolicySocket is set");
	}
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		v = i == 0 ? c->helo_pass_restriction :
			     c->mail_from_pass_restriction;
		if (v[0] == '\0')
			continue;
		x->line = line_of(x, keys[i]);
		x->key = keys[i];
		conf_warn(x, "has no meaning in a milter, ignored");
	}
}

/*
 * The public functions.
 */

struct conf *
conf_parse(enum conf_program program, const char *text, size_t len,
    const char *name, const struct conf_reader *reader, struct conf_msgs *msgs)
{
	memset(msgs, 0, sizeof(*msgs));
	return parse(program, text, len, name, reader, msgs);
}

/* Adds to the messages. */
static struct conf *
parse(enum conf_program program, const char *text, size_t len, const char *name,
    const struct conf_reader *reader, struct conf_msgs *msgs)
{
	struct conf_ctx x;
	unsigned int lines[CONF_ROWS_MAX];
	unsigned int number = 0;
	struct conf *c;
	const char *l;
	char *anchors = NULL;
	size_t n, size = 0;

	memset(&x, 0, sizeof(x));
	memset(lines, 0, sizeof(lines));
	x.program = program;
	x.reader = reader;
	x.msgs = msgs;
	x.lines = lines;
	x.child = name != NULL && strcmp(name, CONF_NAME_CHILD) == 0;
	if (x.child && (x.anchors = open_memstream(&anchors, &size)) == NULL)
		abort();
	c = conf_defaults(program);
	if (len >= 3 && memcmp(text, BOM, 3) == 0) {
		x.line = 1;
		conf_warn(&x, "byte order mark skipped");
		text += 3;
		len -= 3;
	}
	while (conf_line(&text, &len, &l, &n)) {
		x.line = ++number;
		line(&x, c, l, n);
	}
	if (x.anchors != NULL) {
		if (fclose(x.anchors) != 0)
			abort();
		free(c->trust_anchor_text);
		c->trust_anchor_text = anchors;
	}
	finish(&x, c);
	if (msgs->errors != 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

struct conf *
conf_new(enum conf_program program)
{
	struct conf_msgs msgs;
	struct conf *c;

	c = conf_parse(program, "", 0, "defaults", NULL, &msgs);
	conf_msgs_free(&msgs);
	return c;
}

struct conf *
conf_load(enum conf_program program, const char *path, int explicit,
    const struct conf_reader *reader, struct conf_msgs *msgs)
{
	struct conf_ctx x;
	struct conf *c;
	char *buf;
	size_t len;

	memset(msgs, 0, sizeof(*msgs));
	memset(&x, 0, sizeof(x));
	x.program = program;
	x.reader = reader;
	x.msgs = msgs;
	if ((buf = conf_read(&x, path, &len)) != NULL) {
		c = parse(program, buf, len, path, reader, msgs);
		free(buf);
		return c;
	}
	/* COMPAT "missing-file" */
	if (errno == ENOENT && !explicit) {
		conf_warn(&x, "no such file; all keys have their defaults");
		return parse(program, "", 0, path, reader, msgs);
	}
	conf_refuse(&x, "%s",
	    errno == EINVAL ? "not a regular file" : strerror(errno));
	return NULL;
}
