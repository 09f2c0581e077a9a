/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Reads configurations and keeps what is said of them. */

#ifndef REGRESS_UNIT_CONF_READ_H
#define REGRESS_UNIT_CONF_READ_H

#include <errno.h>

#include "conf/conf.h"
#include "regress/unit/check.h"

#define P CONF_POLICY
#define M CONF_MILTER

/* Files that the texts below name. */
/* clang-format off */
static const struct {
	const char *path, *text;
} files[] = {
	{ "/f/hosts", "# c\n10.0.0.1\n\n::1\n2001:db8::/32\n!10.0.0.9 \n" },
	{ "/f/colons", "10.0.0.1:10.0.0.2\n[2001:db8::5]\n" },
	{ "/f/two", "10.0.0.1 x:y\n10.0.0.2 # remark\n" },
	{ "/f/list", "10.0.0.1, 10.0.0.2\n" },
	{ "/f/crlf", "10.0.0.1\r\n10.0.0.2\r\n" },
	{ "/f/empty", "# nothing\n" },
	{ "/f/bad8", "10.0.0.1\n\xff\n" },
	{ "/f/white", "10.0.0.2\n:\xe2\x80\xa8:\n" },
	{ "/f/macros", "daemon_name|VERIFYING\nj\n" },
	{ "/f/meq", "daemon_name|a=b\n" },
	{ "/f/anchor", ". IN DS 20326 8 2 ABCD\n; # = remark\n" },
	{ "/f/inc",
	    "\xef\xbb\xbf# c\r\n\nVoid_Limit = 7\n"
	    "Trust_Anchor = /f/none\n" },
	{ "/f/incurl", "\nWhy_URL = x\n" },
	{ "/f/incinc", "TestOnly = 0\nInclude = /f/two\n" },
	{ "/f/users",
	    "# c\n"
	    "Strict@Dest.test,Mail_From_reject=Softfail|TestOnly=0\n"
	    "easy@dest.test,Mail_From_reject=False # c\n"
	    "easy@dest.test,Mail_From_reject=Fail\n"
	    "v=e|rp@dest.test,Reason_Message=per user {spf}\n"
	    "sp@dest.test, HELO_reject = No_Check | Void_Limit = 0\n"
	    "plain@dest.test,\n" },
	{ "/f/man",
	    "postmaster@example.com,Mail_From_reject=No_Check|"
	    "PermError_reject=False|HELO_reject=SPF_Not_Pass|TestOnly=1|"
	    "debugLevel=5|skip_addresses=127.0.0.0/8,::ffff:127.0.0.0//104,"
	    "::1//128|TempError_Defer=False\n"
	    "strict@example.com,PermError_reject=True|"
	    "HELO_reject=SPF_Not_Pass|TempError_Defer=True\n" },
	{ "/f/badusers",
	    "nocomma\n"
	    "noeq@d,foo\n"
	    "two@d,Void_Limit=1=2\n"
	    "badint@d,Void_Limit=x\n"
	    "tail@d,Void_Limit=1|\n"
	    "unknown@d,Foo=1|Void_Limit=7\n"
	    "near@d,Void_Limt=1\n"
	    "not@d,Mock=True|Void_Limit=8\n"
	    "\xff@d,Void_Limit=1\n"
	    ",Void_Limit=1\n"
	    "good@d,Void_Limit=9\n" }
};
/* clang-format on */

static inline FILE *
open_file(void *arg, const char *path)
{
	size_t i;

	for (i = 0; i < NITEMS(files); i++)
		if (strcmp(files[i].path, path) == 0)
			return fmemopen((void *)(uintptr_t)files[i].text,
			    strlen(files[i].text), "r");
	errno = ENOENT;
	return NULL;
}

static inline int
open_dir(void *arg, const char *path)
{
	errno = EACCES;
	return -1;
}

static const struct conf_reader reader = { open_file, NULL, open_dir, NULL };

static struct conf *conf; /* what was read last, or NULL */
static struct conf_msgs msgs;
static char *said; /* its messages, a line each */

/* Keeps a configuration and the messages of its reading. */
static inline void
keep(struct conf *c, const char *name)
{
	size_t i, n;
	char *s;
	FILE *f;

	conf = c;
	if ((f = open_memstream(&said, &n)) == NULL)
		abort();
	for (i = 0; i < msgs.n; i++) {
		s = conf_msg_text(name, &msgs.v[i]);
		fprintf(f, "%s\n", s);
		free(s);
	}
	fclose(f);
}

static inline void
parse(enum conf_program program, const char *text, size_t len)
{
	keep(conf_parse(program, text, len, "t", &reader, &msgs), "t");
}

static inline void
load(enum conf_program program, const char *path, int named,
    const struct conf_reader *r)
{
	keep(conf_load(program, path, named, r, &msgs), path);
}

/* What the parent sends to a child. */
static inline struct conf *
child(enum conf_program program, const char *text, size_t len)
{
	struct conf_msgs ms;
	struct conf *c;

	c = conf_parse(program, text, len, CONF_NAME_CHILD, NULL, &ms);
	conf_msgs_free(&ms);
	return c;
}

static inline void
forget(void)
{
	conf_free(conf);
	conf_msgs_free(&msgs);
	free(said);
	conf = NULL;
	said = NULL;
}

static inline int
has_line(const char *text, const char *line)
{
	const char *p = text;
	size_t n = strlen(line);

	for (; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL)
		if (strncmp(p, line, n) == 0 && p[n] == '\n')
			return 1;
	return 0;
}

/* 1 when what is printed reads back to the same. */
static inline int
round_trip(const struct conf *c, int for_child)
{
	struct conf_msgs ms;
	struct conf *d;
	char *a, *b = NULL;
	int ok;

	a = conf_print(c, for_child);
	d = conf_parse(c->program, a, strlen(a),
	    for_child ? CONF_NAME_CHILD : "printed", &reader, &ms);
	if (d != NULL)
		b = conf_print(d, for_child);
	ok = d != NULL && strcmp(a, b) == 0 && (!for_child || ms.n == 0);
	if (!ok)
		printf("--- %d\n%s---\n%s---\n", for_child, a,
		    b ? b : "refused");
	free(a);
	free(b);
	conf_free(d);
	conf_msgs_free(&ms);
	return ok;
}

static inline int
round_trips(const struct conf *c)
{
	return round_trip(c, 0) && round_trip(c, 1);
}

/* "key = value", or the value alone when it is a whole text. */
static inline char *
setting(const char *key, const char *value, const char *end)
{
	char *s;

	if (value == NULL)
		return NULL;
	if (key == NULL)
		return strdup(value);
	if (asprintf(&s, "%s =%s%s%s", key, *value != '\0' ? " " : "", value,
		end) == -1)
		abort();
	return s;
}

#endif
