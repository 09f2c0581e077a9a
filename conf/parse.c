/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/keys.h"
#include "proto/text.h"

static void parse_lines(struct conf_ctx *, struct conf *, const char *, size_t);

static void
include_file(struct conf_ctx *x, struct conf *c, const char *path)
{
	unsigned int line = x->line;
	const char *key = x->key;
	size_t len;
	char *buf;

	if (conf_dirty(path, strlen(path)) != NULL) {
		conf_refuse(x, "%s: bad file name", conf_show(path));
		return;
	}
	if ((buf = conf_read(x, path, &len)) == NULL) {
		conf_refuse(x, "%s: %s", path,
		    errno == EINVAL ? "not a regular file" : strerror(errno));
		return;
	}
	x->included_size += len;
	if (x->included_size > CONF_FILE_MAX)
		conf_refuse(x, "%s: the included files are larger than %d KB",
		    path, CONF_FILE_MAX / 1024);
	else {
		conf_append(&x->included, conf_xstrndup(path, strlen(path)));
		x->file = x->included.v[x->included.n - 1];
		parse_lines(x, c, buf, len);
		x->file = NULL;
		x->line = line;
		x->key = key;
	}
	free(buf);
}

/* Reads the files of the line at this place. Only the main file may do so. */
static void
include(struct conf_ctx *x, struct conf *c, const char *path)
{
	struct conf_strs files = { NULL, 0 };
	size_t i, most = CONF_INCLUDED_MAX - x->included.n;
	ssize_t n = 1;

	if (*path == '\0')
		return;
	if (x->file != NULL)
		conf_refuse(x,
		    "only the configuration file can include others");
	else if (strcspn(path, "*?[") < (size_t)(strrchr(path, '/') - path))
		conf_refuse(x, "%s: only the last part can be a pattern", path);
	else if (conf_is_pattern(path) &&
	    (n = conf_match(x, path, most, &files)) == -1)
		conf_refuse(x, "%s: %s", path, strerror(errno));
	else if ((size_t)n > most)
		conf_refuse(x, "more than %d included files",
		    CONF_INCLUDED_MAX);
	else if (!conf_is_pattern(path))
		include_file(x, c, path);
	else
		for (i = 0; i < files.n; i++)
			include_file(x, c, files.v[i]);
	conf_strs_free(&files);
}

/* equals: 1 when the value contains '='. */
static void
set_key(struct conf_ctx *x, struct conf *c, const char *name, const char *value,
    int equals)
{
	const struct conf_row *row;
	const char *now = NULL, *text = conf_old_key(name, &now);
	char *path;
	int alias = text != NULL && *text == '\0';

	row = conf_row_find(alias ? now : name);
	if (equals && (row == NULL || (row->flags & ROW_EQUALS) == 0)) {
		x->key = row != NULL ? name : NULL;
		conf_warn(x, "a value cannot contain '='; line ignored");
		return;
	}
	if (row == NULL && text != NULL) {
		x->key = name;
		conf_warn(x, "%s", text);
		if (now == NULL)
			return;
		row = conf_row_find(now);
	}
	if (row == NULL) {
		conf_unknown_key(x, name, "; line ignored");
		return;
	}
	x->key = alias ? name : row->pub.name;
	if (conf_row_set(x, c, row, value) == -1 ||
	    row->off != offsetof(struct conf, include))
		return;
	path = c->include;
	c->include = conf_xstrndup("", 0);
	include(x, c, path);
	free(path);
}

/* Reads a line that conf_print() adds for children. Returns 0 for others. */
static int
child_line(struct conf_ctx *x, struct conf *c, const char *l, size_t n)
{
	static const char user[] = "@user ", anchor[] = "@trust_anchor ";
	const size_t nu = sizeof(user) - 1, na = sizeof(anchor) - 1;

	if (n >= nu && memcmp(l, user, nu) == 0)
		conf_users_line(x, c, l + nu, n - nu);
	else if (n >= na && memcmp(l, anchor, na) == 0)
		fprintf(x->anchors, "%.*s\n", (int)(n - na), l + na);
	else
		return 0;
	return 1;
}

/* As in spf-engine: cut at '#', strip, split at '='. */
static void
parse_line(struct conf_ctx *x, struct conf *c, const char *l, size_t n)
{
	const char *hash, *eq;
	char *name, *value;
	size_t i, k;

	x->key = NULL;
	if (x->child && child_line(x, c, l, n))
		return;
	if ((hash = memchr(l, '#', n)) != NULL)
		n = (size_t)(hash - l);
	python_strip(&l, &n);
	if (n == 0)
		return;
	/* spf-engine fails on any octet that is not UTF-8. */
	if (memchr(l, '\0', n) != NULL) {
		conf_refuse_any(x, "the line contains a NUL");
		return;
	}
	for (i = 0; i < n; i += k)
		if ((k = utf8_len(l + i, n - i)) == 0) {
			conf_refuse_any(x, "the line is not UTF-8 text");
			return;
		}
	if ((eq = memchr(l, '=', n)) == NULL) {
		name = conf_xstrndup(l, n);
		conf_warn(x, "no '=' in %s; line ignored", conf_show(name));
		free(name);
		return;
	}
	conf_split(l, n, eq, &name, &value);
	set_key(x, c, name, value, strchr(value, '=') != NULL);
	x->key = NULL;
	x->foreign = 0;
	free(name);
	free(value);
}

static void
parse_lines(struct conf_ctx *x, struct conf *c, const char *text, size_t len)
{
	unsigned int number = 0;
	const char *l;
	size_t n;

	x->key = NULL;
	if (conf_skip_bom(&text, &len)) {
		x->line = 1;
		conf_warn(x, "byte order mark skipped");
	}
	while (conf_line(&text, &len, &l, &n)) {
		x->line = ++number;
		parse_line(x, c, l, n);
	}
}

/*
 * A variable that is no key is only warned of: Kubernetes adds some such as
 * PYSPF_MILTER_PORT, if a service is called pyspf-milter.
 */
static void
parse_environment(struct conf_ctx *x, struct conf *c)
{
	static const char prefix[] = "PYSPF_";
	const size_t n = sizeof(prefix) - 1;
	char *const *e = x->reader != NULL ? x->reader->environment : NULL;
	char *place, name[128];

	for (; e != NULL && *e != NULL; e++) {
		if (strncmp(*e, prefix, n) != 0)
			continue;
		text_escape_log(name, sizeof(name), *e, strcspn(*e, "="));
		if (asprintf(&place, "environment %s", name) == -1)
			abort();
		conf_append(&x->variables, place);
		x->file = place;
		x->line = 0;
		parse_line(x, c, *e + n, strlen(*e + n));
	}
}

/* The steps after the last line. */

/* Makes the next messages name this key, and the line that set it last. */
static void
at_key(struct conf_ctx *x, const char *key)
{
	const struct conf_place *p =
	    &x->places[conf_row_index(conf_row_find(key))];

	x->key = key;
	x->file = p->file;
	x->line = p->line;
}

/* Authserv_Id = HOSTNAME: the name is that of gethostname(2). */
static void
finish_id(struct conf_ctx *x, struct conf *c)
{
	char host[256] = "";

	if (strcmp(c->authserv_id, "HOSTNAME") != 0)
		return;
	at_key(x, "Authserv_Id");
	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0' ||
	    strcspn(host, "=# \t|,") != strlen(host) ||
	    conf_dirty(host, strlen(host)) != NULL) {
		conf_warn(x,
		    "this host's name is not usable; localhost is used");
		strlcpy(host, "localhost", sizeof(host));
	}
	conf_lower(host);
	free(c->authserv_id);
	c->authserv_id = conf_xstrndup(host, strlen(host));
}

/* Reads the file of Trust_Anchor. */
static void
finish_anchor(struct conf_ctx *x, struct conf *c)
{
	const char *l, *text;
	char *buf, *out = NULL;
	size_t len, n, size = 0;
	FILE *o;

	if (x->child || c->trust_anchor[0] == '\0')
		return;
	at_key(x, "Trust_Anchor");
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

/* Reads the file of Per_User. If that fails, the global settings apply. */
static void
finish_users(struct conf_ctx *x, struct conf *c)
{
	char *buf;
	size_t len;

	if (!x->child && c->per_user_path[0] != '\0') {
		at_key(x, "Per_User");
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
	static const char *const policy_only[] = { "HELO_pass_restriction",
		"Mail_From_pass_restriction" };
	const char *const text[] = { c->helo_pass_restriction,
		c->mail_from_pass_restriction };
	size_t i;

	x->file = NULL;
	finish_id(x, c);
	finish_anchor(x, c);
	finish_users(x, c);
	if (x->child || c->program != CONF_MILTER ||
	    c->policy_socket.kind != SOCK_NONE)
		return;
	if (c->socket.kind == SOCK_NONE) {
		at_key(x, "Socket");
		x->foreign = x->per_user = 0;
		(void)conf_refuse(x, "neither Socket nor PolicySocket is set");
	}
	for (i = 0; i < nitems(text); i++) {
		at_key(x, policy_only[i]);
		if (text[i][0] != '\0')
			conf_warn(x, "has no effect in a milter; ignored");
	}
}

/* Sets the defaults of the key table. finish_id() replaces HOSTNAME. */
static struct conf *
defaults(enum conf_program program)
{
	const struct conf_row *row;
	struct conf_ctx x;
	struct conf_msgs msgs;
	struct conf *c;
	size_t i;

	memset(&x, 0, sizeof(x));
	memset(&msgs, 0, sizeof(msgs));
	x.program = program;
	x.msgs = &msgs;
	x.child = 1;
	c = conf_xcalloc(1, sizeof(*c));
	c->program = program;
	c->trust_anchor_text = conf_xstrndup("", 0);
	for (i = 0; (row = conf_row_at(i)) != NULL; i++)
		if (conf_row_set(&x, c, row, row->pub.def) == -1)
			abort(); /* the table is wrong */
	conf_msgs_free(&msgs);
	return c;
}

void
conf_free(struct conf *c)
{
	const struct conf_row *row;
	size_t i;

	if (c == NULL)
		return;
	conf_users_free(c);
	for (i = 0; (row = conf_row_at(i)) != NULL; i++)
		conf_row_free(c, row);
	free(c->trust_anchor_text);
	free(c);
}

/* Like conf_parse(), but adds to msgs. */
static struct conf *
parse(enum conf_program program, const char *text, size_t len, const char *name,
    const struct conf_reader *reader, struct conf_msgs *msgs)
{
	struct conf_ctx x;
	struct conf_place places[CONF_ROWS_MAX];
	struct conf *c;
	char *anchors = NULL;
	size_t size = 0;

	memset(&x, 0, sizeof(x));
	memset(places, 0, sizeof(places));
	x.program = program;
	x.reader = reader;
	x.msgs = msgs;
	x.places = places;
	x.child = name != NULL && strcmp(name, CONF_NAME_CHILD) == 0;
	if (x.child && (x.anchors = open_memstream(&anchors, &size)) == NULL)
		abort();
	c = defaults(program);
	parse_lines(&x, c, text, len);
	parse_environment(&x, c);
	if (x.anchors != NULL) {
		if (fclose(x.anchors) != 0)
			abort();
		free(c->trust_anchor_text);
		c->trust_anchor_text = anchors;
	}
	finish(&x, c);
	conf_strs_free(&x.included);
	conf_strs_free(&x.variables);
	if (msgs->errors != 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

struct conf *
conf_parse(enum conf_program program, const char *text, size_t len,
    const char *name, const struct conf_reader *reader, struct conf_msgs *msgs)
{
	memset(msgs, 0, sizeof(*msgs));
	return parse(program, text, len, name, reader, msgs);
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
	/* As spf-engine: the default file may be missing. */
	if (errno == ENOENT && !explicit) {
		conf_warn(&x, "no such file; all keys have their defaults");
		return parse(program, "", 0, path, reader, msgs);
	}
	conf_refuse(&x, "%s",
	    errno == EINVAL ? "not a regular file" : strerror(errno));
	return NULL;
}

/*
 * One line for each key, in the order of the table. A child also gets the keys
 * of the other program: it cannot find out the host name for Authserv_Id.
 */
char *
conf_print(const struct conf *c, int for_child)
{
	const struct conf_row *row;
	const char *l, *nl;
	char *out = NULL;
	size_t i, size = 0;
	long at;
	FILE *f;

	if ((f = open_memstream(&out, &size)) == NULL)
		abort();
	for (i = 0; (row = conf_row_at(i)) != NULL; i++) {
		if (!for_child &&
		    (row->pub.programs & (unsigned int)c->program) == 0)
			continue;
		fprintf(f, "%s = ", row->pub.name);
		at = ftell(f);
		conf_row_print(f, c, row);
		/* Remove the blank before an empty value. */
		if (ftell(f) == at)
			fseek(f, -1, SEEK_CUR);
		putc('\n', f);
	}
	if (for_child) {
		for (l = c->trust_anchor_text; *l != '\0'; l = nl + 1) {
			nl = strchrnul(l, '\n');
			fprintf(f, "@trust_anchor %.*s\n", (int)(nl - l), l);
			if (*nl == '\0')
				break;
		}
		conf_users_print(f, c);
	}
	if (fclose(f) != 0)
		abort();
	return out;
}
