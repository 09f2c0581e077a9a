/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Keys with one value: numbers, switches, choices and texts. Where spf-engine
 * misreads a value that it accepts, the value is read as its author meant it,
 * with a warning.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"
#include "proto/text.h"

static void
set_copy(void *field, const char *s)
{
	*(char **)field = conf_xstrndup(s, strlen(s));
}

/*
 * Reads what Python's int() reads: a sign, digits, single '_' between digits.
 * Returns 0; -1 if s is not a number; 1 if *out is INT_MAX because the number
 * is larger.
 */
static int
py_int(const char *s, long *out)
{
	long long v = 0;
	int negative = 0, digit = 0, big = 0;

	if (*s == '+' || *s == '-')
		negative = *s++ == '-';
	for (; *s != '\0'; s++) {
		if (*s == '_' && digit) {
			digit = 0;
			continue;
		}
		if (!ascii_is_digit(*s))
			return -1;
		digit = 1;
		v = v * 10 + (*s - '0');
		if (v > INT_MAX) {
			v = INT_MAX;
			big = 1;
		}
	}
	if (!digit)
		return -1;
	*out = (long)(negative ? -v : v);
	return big;
}

static int
set_int(struct conf_ctx *x, void *field, const char *s)
{
	const struct conf_row *row = x->row;
	long v, was;
	int rv;

	if ((rv = py_int(s, &v)) == -1)
		return conf_refuse_any(x, "%s is not a whole number",
		    conf_show(s));
	was = v;
	if (v < row->min)
		v = row->min;
	if (v > row->max)
		v = row->max;
	if (v != was || rv == 1) {
		if ((row->flags & ROW_CLAMP) == 0)
			return conf_refuse(x, "%s is not between %ld and %ld",
			    conf_show(s), row->min, row->max);
		conf_warn(x, "%s is read as %ld", conf_show(s), v);
	}
	*(int *)field = (int)v;
	return 0;
}

static void
print_int(FILE *f, const struct conf_row *row, const void *field)
{
	fprintf(f, "%d", *(const int *)field);
}

/*
 * Reads octal if the number begins with 0 or has octal digits only. spf-engine
 * reads decimal, which differs from two digits on.
 */
static int
set_umask(struct conf_ctx *x, void *field, const char *s)
{
	char digits[32];
	size_t n = 0;
	int octal;
	long v;

	if (py_int(s, &v) == -1)
		return conf_refuse_any(x, "%s is not a number of octal digits",
		    conf_show(s));
	for (; *s != '\0' && n < sizeof(digits) - 1; s++)
		if (*s != '_' && *s != '+')
			digits[n++] = *s;
	digits[n] = '\0';
	octal = digits[strspn(digits, "01234567")] == '\0';
	if (digits[0] == '-' || *s != '\0')
		return conf_refuse(x, "is not between 0 and 0777");
	if (octal)
		v = strtol(digits, NULL, 8);
	else if (digits[0] == '0')
		return conf_refuse(x, "%s has digits that are not octal",
		    conf_show(digits));
	if (v > x->row->max)
		return conf_refuse(x, "is not between 0 and 0777");
	if (digits[0] != '0' && digits[1] != '\0')
		conf_warn(x, "%s is read as %s: octal %04lo", digits,
		    octal ? "octal" : "decimal", (unsigned long)v);
	*(int *)field = (int)v;
	return 0;
}

static void
print_umask(FILE *f, const struct conf_row *row, const void *field)
{
	fprintf(f, "%04o", *(const unsigned int *)field);
}

/* 1, 0, or -1: neither. */
static int
word_bool(const char *s)
{
	static const char *const yes[] = { "true", "yes", "1", "on" };
	static const char *const no[] = { "false", "no", "0", "off" };
	size_t i;

	for (i = 0; i < nitems(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return 1;
		if (strcasecmp(s, no[i]) == 0)
			return 0;
	}
	return -1;
}

/* Reads the usual words in any case; any other text as spf-engine does. */
static int
set_bool(struct conf_ctx *x, void *field, const char *s)
{
	int v = word_bool(s), spf_engine = 0;

	switch (*(const enum conf_bool *)x->row->arg) {
	case BOOL_ADDED:
		if (v == -1)
			return conf_refuse(x, "%s is neither yes nor no",
			    conf_show(s));
		spf_engine = v;
		break;
	case BOOL_TRUE:
		spf_engine = strcmp(s, "True") == 0;
		break;
	case BOOL_NOT_NO:
		spf_engine = strcmp(s, "No") != 0;
		break;
	case BOOL_ANY:
		if (v == -1 && *s != '\0')
			return conf_refuse(x, "%s is neither True nor False",
			    conf_show(s));
		spf_engine = *s != '\0';
		break;
	case BOOL_KEY_REFUSED:
		spf_engine = v == -1 ? 1 : v;
		break;
	}
	if (v == -1) {
		v = spf_engine;
		if (*s != '\0' || spf_engine)
			conf_warn(x, "%s is neither yes nor no, read as %s",
			    conf_show(s), v ? "yes" : "no");
	} else if (v != spf_engine)
		conf_warn(x, "%s is read as %s, unlike spf-engine",
		    conf_show(s), v ? "yes" : "no");
	*(int *)field = v;
	return 0;
}

/* Prints words that spf-engine reads in the same way. */
static void
print_bool(FILE *f, const struct conf_row *row, const void *field)
{
	static const char *const words[][2] = { [BOOL_ADDED] = { "no", "yes" },
		[BOOL_TRUE] = { "False", "True" },
		[BOOL_NOT_NO] = { "No", "Yes" },
		[BOOL_ANY] = { "", "True" },
		[BOOL_KEY_REFUSED] = { "False", "True" } };

	fputs(
	    words[*(const enum conf_bool *)row->arg][*(const int *)field != 0],
	    f);
}

static int
set_enum(struct conf_ctx *x, void *field, const char *s)
{
	const struct conf_word *w;

	for (w = x->row->arg; w->name != NULL; w++)
		if (strcasecmp(w->name, s) == 0) {
			*(int *)field = w->value;
			return 0;
		}
	return conf_refuse(x, "%s is not one of %s", conf_show(s),
	    x->row->pub.range);
}

static void
print_enum(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_word *w;

	for (w = row->arg; w->name != NULL; w++)
		if (w->value == *(const int *)field)
			fputs(w->name, f);
}

/* Compares without regard to case, '_', '-' and blanks. */
static int
same_word(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, "_- ");
		b += strspn(b, "_- ");
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (strncasecmp(a, b, 1) != 0)
			return 0;
		a++;
		b++;
	}
}

static int
set_header(struct conf_ctx *x, void *field, const char *s)
{
	static const struct conf_word words[] = { { "SPF", HEADER_SPF },
		{ "Received-SPF", HEADER_SPF }, { "AR", HEADER_AR },
		{ "Authentication-Results", HEADER_AR },
		{ "None", HEADER_NONE } };
	enum conf_header *v = field, spf_engine;
	size_t i;

	/* spf-engine looks for parts of the text. */
	spf_engine = strstr(s, "AR") != NULL ? HEADER_AR :
	    strcmp(s, "None") == 0	     ? HEADER_NONE :
					       HEADER_SPF;
	for (i = 0; i < nitems(words); i++)
		if (same_word(s, words[i].name)) {
			*v = (enum conf_header)words[i].value;
			if (*v != spf_engine)
				conf_warn(x, "%s is read as %s", conf_show(s),
				    words[i].name);
			return 0;
		}
	*v = spf_engine;
	if (spf_engine == HEADER_AR && strstr(s, "SPF") != NULL) {
		if (x->program == CONF_POLICY)
			return conf_refuse(x,
			    "%s: choose one header, SPF or AR", conf_show(s));
		conf_warn(x, "%s: a milter adds AR only", conf_show(s));
	} else
		conf_warn(x, "%s is not one of %s; read as %s", conf_show(s),
		    x->row->pub.range, *v == HEADER_AR ? "AR" : "SPF");
	return 0;
}

static void
print_header(FILE *f, const struct conf_row *row, const void *field)
{
	static const char *const words[] = { "SPF", "AR", "None" };

	fputs(words[*(const enum conf_header *)field], f);
}

/* The structs of HELO_reject and Mail_From_reject in struct conf. */
struct reject {
	enum conf_reject value;
	char *text;
};

/* "fail" means Fail, "no" means False. */
static int
set_reject(struct conf_ctx *x, void *field, const char *s)
{
	/* clang-format off */
	static const struct conf_word words[] = {
		{ "SPF_Not_Pass", REJECT_NOT_PASS },
		{ "Softfail", REJECT_SOFTFAIL }, { "Fail", REJECT_FAIL },
		{ "Null", REJECT_NULL }, { "False", REJECT_FALSE },
		{ "No_Check", REJECT_NO_CHECK }
	};
	/* clang-format on */
	struct reject *r = field;
	const char *name = s;
	size_t i;

	for (i = 0; i < nitems(words); i++)
		if (same_word(s, words[i].name) ||
		    (words[i].value == REJECT_FALSE && word_bool(s) == 0)) {
			r->value = (enum conf_reject)words[i].value;
			name = words[i].name;
			break;
		}
	if (r->value == REJECT_OTHER)
		conf_warn(x,
		    "%s is not one of %s: only errors can reject or defer",
		    conf_show(s), x->row->pub.range);
	else if (strcmp(name, s) != 0)
		conf_warn(x, "%s is read as %s", conf_show(s), name);
	if (r->value == REJECT_NULL &&
	    x->row->off != offsetof(struct conf, helo_reject))
		conf_warn(x,
		    "Null is for HELO_reject: only errors can reject or defer");
	r->text = conf_xstrndup(name, strlen(name));
	return 0;
}

static void
print_reject(FILE *f, const struct conf_row *row, const void *field)
{
	fputs(((const struct reject *)field)->text, f);
}

static void
free_reject(void *field)
{
	free(((struct reject *)field)->text);
}

/* spf-engine's manual gives "None" as the default of many keys. */
int
conf_unset(struct conf_ctx *x, const char *s)
{
	if (*s == '\0')
		return 1;
	if ((x->row->flags & ROW_NONE) == 0 || strcasecmp(s, "none") != 0)
		return 0;
	if (!x->row->pub.added && x->row->ops != &conf_op_path)
		conf_warn(x, "%s is read as no value", conf_show(s));
	return 1;
}

static int
set_text(struct conf_ctx *x, void *field, const char *s)
{
	set_copy(field, conf_unset(x, s) ? "" : s);
	return 0;
}

static void
print_text(FILE *f, const struct conf_row *row, const void *field)
{
	fputs(*(char *const *)field, f);
}

static void
free_text(void *field)
{
	free(*(char **)field);
}

static int
set_template(struct conf_ctx *x, void *field, const char *s)
{
	char **clean = field;
	int changed = 0;

	*clean = conf_template_clean(s, x->row->arg, 0, &changed);
	if (changed)
		conf_warn(x, "is not a well-formed template; read as %s",
		    conf_show(*clean));
	return 0;
}

/*
 * Removes the white space around each '=', as spf-engine does where it joins
 * the parts of a Reason_URL. Returns a malloced copy.
 */
static char *
url_join(const char *s)
{
	char *out = conf_xstrndup(s, strlen(s)), *to = out;
	const char *part;
	size_t n;

	for (;; s++) {
		part = s;
		n = strcspn(s, "=");
		s += n;
		python_strip(&part, &n);
		memcpy(to, part, n);
		to += n;
		*to = *s;
		if (*to++ == '\0')
			return out;
	}
}

/*
 * Reason_URL, and Why_URL, its name before spf-engine 3.1.0 had the key. Files
 * with the older name are read as before. spf-engine fails at the first reject
 * if a placeholder of Reason_URL is bad (COMPAT "badvalue").
 */
static int
set_url(struct conf_ctx *x, void *field, const char *s)
{
	static const char *const names[] = { "Reason_URL", "Why_URL" };
	char **clean = field, *joined;
	int why = x->key != NULL && strcmp(x->key, names[1]) == 0, changed = 0;
	const struct conf_place *other = &x->url[!why];

	if (other->line == 0 && other->file != NULL)
		return conf_refuse(x, "%s is the same key; set one",
		    other->file);
	if (other->line != 0)
		return conf_refuse(x,
		    "%s in line %u%s%s is the same key; set one", names[!why],
		    other->line, other->file == x->file ? "" : " of ",
		    other->file == x->file  ? "" :
			other->file != NULL ? other->file :
					      "the main file");
	x->url[why] = (struct conf_place){ x->file, x->line };
	if (strcasecmp(s, "none") == 0 || (why && *s == '\0'))
		s = "";
	else if (*s == '\0')
		s = x->row->pub.def;
	joined = url_join(s);
	*clean = conf_template_clean(joined, x->row->arg, 1, &changed);
	free(joined);
	if (changed && !why)
		return conf_refuse(x, "%s has a bad brace or placeholder",
		    conf_show(s));
	if (changed)
		conf_warn(x, "is not a well-formed template; read as %s",
		    conf_show(*clean));
	return 0;
}

static void
print_url(FILE *f, const struct conf_row *row, const void *field)
{
	const char *s = *(char *const *)field;

	fputs(*s == '\0' ? "none" : s, f);
}

/* RFC 8601 2.5: the id is a token, usually a host name. */
static int
set_id(struct conf_ctx *x, void *field, const char *s)
{
	if (*s == '\0') {
		conf_warn(x, "is empty; this host's name is used");
		s = "HOSTNAME";
	} else if (strcasecmp(s, "HOSTNAME") == 0 &&
	    strcmp(s, "HOSTNAME") != 0 && !x->child) {
		conf_warn(x, "%s is read as HOSTNAME", conf_show(s));
		s = "HOSTNAME";
	} else if (strpbrk(s, " \t;()<>@,:\\\"/[]?") != NULL)
		conf_warn(x, "%s is not a host name", conf_show(s));
	set_copy(field, s);
	if (strcmp(s, "HOSTNAME") != 0)
		conf_lower(*(char **)field);
	return 0;
}

static int
set_path(struct conf_ctx *x, void *field, const char *s)
{
	if (conf_unset(x, s))
		s = "";
	if (*s != '\0' && *s != '/')
		return conf_refuse(x, "%s is not an absolute path",
		    conf_show(s));
	set_copy(field, s);
	return 0;
}

/* user[:group], names. */
static int
set_userid(struct conf_ctx *x, void *field, const char *s)
{
	size_t n = strlen(s), user = strcspn(s, ":");

	if (user == 0 || python_has_space(s, n) || strchr(s, '/') != NULL ||
	    (s[user] == ':' && strchr(s + user + 1, ':') != NULL))
		return conf_refuse(x, "%s is not user or user:group",
		    conf_show(s));
	if (user + 1 == n) {
		conf_warn(x, "has no group after ':'");
		n = user;
	}
	*(char **)field = conf_xstrndup(s, n);
	return 0;
}

/* As in spf-engine: "text,<path>". */
static int
set_peruser(struct conf_ctx *x, void *field, const char *s)
{
	const char *type = s, *path = "";
	size_t tn = strcspn(s, ","), pn = 0;

	if (conf_unset(x, s)) {
		set_copy(field, "");
		return 0;
	}
	if (s[tn] == ',') {
		path = s + tn + 1;
		pn = strlen(path);
	}
	python_strip(&type, &tn);
	python_strip(&path, &pn);
	if (tn != 4 || strncasecmp(type, "text", 4) != 0 || pn == 0 ||
	    *path != '/' || memchr(path, ',', pn) != NULL)
		return conf_refuse(x, "%s is not text,/path", conf_show(s));
	if (strncmp(s, "text,/", 6) != 0)
		conf_warn(x, "%s is read as text,%.*s", conf_show(s), (int)pn,
		    path);
	*(char **)field = conf_xstrndup(path, pn);
	return 0;
}

static void
print_peruser(FILE *f, const struct conf_row *row, const void *field)
{
	const char *path = *(char *const *)field;

	fprintf(f, "%s%s", *path != '\0' ? "text," : "", path);
}

const struct conf_ops
    conf_op_int = { set_int, print_int, NULL, sizeof(int) },
    conf_op_umask = { set_umask, print_umask, NULL, sizeof(int) },
    conf_op_bool = { set_bool, print_bool, NULL, sizeof(int) },
    conf_op_enum = { set_enum, print_enum, NULL, sizeof(int) },
    conf_op_header = { set_header, print_header, NULL,
	    sizeof(enum conf_header) },
    conf_op_reject = { set_reject, print_reject, free_reject,
	    sizeof(struct reject) },
    conf_op_text = { set_text, print_text, free_text, sizeof(char *) },
    conf_op_template = { set_template, print_text, free_text, sizeof(char *) },
    conf_op_url = { set_url, print_url, free_text, sizeof(char *) },
    conf_op_id = { set_id, print_text, free_text, sizeof(char *) },
    conf_op_path = { set_path, print_text, free_text, sizeof(char *) },
    conf_op_userid = { set_userid, print_text, free_text, sizeof(char *) },
    conf_op_peruser = { set_peruser, print_peruser, free_text, sizeof(char *) };
