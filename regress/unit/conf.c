/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Configurations: read, printed, and read back. */

#include <sys/stat.h>

#include <errno.h>
#include <unistd.h>

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

static FILE *
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

static int
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
static void
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

static void
parse(enum conf_program program, const char *text, size_t len)
{
	keep(conf_parse(program, text, len, "t", &reader, &msgs), "t");
}

static void
load(enum conf_program program, const char *path, int named,
    const struct conf_reader *r)
{
	keep(conf_load(program, path, named, r, &msgs), path);
}

/* What the parent sends to a child. */
static struct conf *
child(enum conf_program program, const char *text, size_t len)
{
	struct conf_msgs ms;
	struct conf *c;

	c = conf_parse(program, text, len, CONF_NAME_CHILD, NULL, &ms);
	conf_msgs_free(&ms);
	return c;
}

static void
forget(void)
{
	conf_free(conf);
	conf_msgs_free(&msgs);
	free(said);
	conf = NULL;
	said = NULL;
}

static int
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
static int
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

static int
round_trips(const struct conf *c)
{
	return round_trip(c, 0) && round_trip(c, 1);
}

static const char *const worst_name[] = { "no message", "a warning",
	"refused" };
enum worst {
	FINE,
	WARNED,
	REFUSED
};

static const struct {
	const char *name;
	enum conf_program program;
	enum worst worst;
	const char *key, *value, *effective, *msg;
} cases[] = {
#include "regress/unit/conf_cases.h"
};

/* "key = value", or the value alone when it is a whole text. */
static char *
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

static void
test_cases(void)
{
	char *text, *line, *print;
	enum worst worst;
	size_t i;

	for (i = 0; i < NITEMS(cases); i++) {
		text = setting(cases[i].key, cases[i].value, "\n");
		line = setting(cases[i].key, cases[i].effective, "");
		parse(cases[i].program, text, strlen(text));
		print = conf != NULL ? conf_print(conf, 1) : strdup("");
		worst = msgs.errors != 0 ? REFUSED :
		    msgs.n != 0		 ? WARNED :
					   FINE;
		check(cases[i].name,
		    worst == cases[i].worst &&
			(conf == NULL) == (worst == REFUSED) &&
			(cases[i].msg == NULL ||
			    strstr(said, cases[i].msg) != NULL) &&
			(line == NULL || has_line(print, line)) &&
			(conf == NULL || round_trips(conf)),
		    "got %s:\n%seffective:\n%swant %s: %s\n%s",
		    worst_name[worst], said, print, worst_name[cases[i].worst],
		    cases[i].msg, line);
		free(text);
		free(line);
		free(print);
		forget();
	}
}

/* clang-format off */
static const struct {
	const char *text, *want; /* the canonical form; a part of the reason */
} good_sockets[] = {
	{ "inet:8893", "inet:8893" },
	{ "inet:8893@localhost", "inet:8893@localhost" },
	{ "inet:8893@127.0.0.1", "inet:8893@127.0.0.1" },
	{ "inet:localhost:8893", "inet:8893@localhost" },
	{ "inet:127.0.0.1:8893", "inet:8893@127.0.0.1" },
	{ "INET:8893", "inet:8893" }, { "inet6:8893", "inet6:8893" },
	{ "inet6:8893@::1", "inet6:8893@[::1]" },
	{ "inet6:8893@[::1]", "inet6:8893@[::1]" },
	{ "inet6:[::1]:8893", "inet6:8893@[::1]" },
	{ "inet6:localhost:8893", "inet6:8893@localhost" },
	{ "unix:/run/x", "local:/run/x" }, { "local:/run/x", "local:/run/x" },
	{ "local: /run/x", "local:/run/x" }, { "/run/x", "local:/run/x" },
	{ "none", "none" },
}, bad_sockets[] = {
	{ "", "empty" }, { "run/x", "none of" }, { "local:", "begin with /" },
	{ "local:x", "begin with /" }, { "inet6:::1:8893", "ambiguous" },
	{ "inet:10:8893", "ambiguous" }, { "inet:8893:localhost", "port@host" },
	{ "inet:localhost@8893", "before '@'" }, { "inet:smtp", "number" },
	{ "inet:smtp@x", "number" }, { "inet:x:smtp", "number" },
	{ "inet:0", "number" }, { "inet:65536", "number" },
	{ "inet:", "number" }, { "inet:1@", "host" }, { "inet:1@a b", "host" },
	{ "inet:1@::1", "inet6:" }, { "inet:a:b:1", "colons" },
	{ "inet6:1@127.0.0.1", "inet:" }, { "foo:bar", "none of" },
};
/* clang-format on */

static void
test_sockets(void)
{
	struct conf_socket so;
	char path[256], *canon;
	const char *why;
	size_t i;

	for (i = 0; i < NITEMS(good_sockets); i++) {
		canon = NULL;
		why = "";
		if (conf_socket_parse(&so, good_sockets[i].text, &why) == 0) {
			canon = conf_socket_text(&so);
			conf_socket_free(&so);
		}
		check_str(check_name("socket:%s", good_sockets[i].text),
		    canon == NULL ? why : canon, good_sockets[i].want);
		free(canon);
	}
	for (i = 0; i < NITEMS(bad_sockets); i++)
		check_has(check_name("socket:%s", bad_sockets[i].text),
		    conf_socket_parse(&so, bad_sockets[i].text, &why) == 0 ?
			"accepted" :
			why,
		    bad_sockets[i].want);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	check_int("socket-too-long", conf_socket_parse(&so, path, &why), -1);
	path[107] = '\0';
	check_int("socket-just-fits", conf_socket_parse(&so, path, &why), 0);
	conf_socket_free(&so);
}

#define PARSE(program, text) parse(program, text, sizeof(text) - 1)

static void
test_users(void)
{
	const struct conf *u;
	struct conf *d;
	char *text;

	PARSE(P, "Per_User = text,/f/users\nVoid_Limit = 5\n");
	check("user-load", conf != NULL && conf->users.n == 5, "%s", said);
	u = conf_for(conf, "STRICT@dest.TEST");
	check("user-case", u != conf);
	check_int("user-case-choice", u->mail_from_reject, REJECT_SOFTFAIL);
	check_int("user-case-number", u->test_only, 0);
	check_int("user-shares", u->void_limit, 5);
	check("user-shares-texts", u->reason_message == conf->reason_message);
	u = conf_for(conf, "easy@dest.test");
	check_int("user-first", u->mail_from_reject, REJECT_FALSE);
	check_has("user-first-warns", said, "/f/users:4: ");
	u = conf_for(conf, "v=e|rp@dest.test");
	check_str("user-equals", u->reason_message, "per user {spf}");
	u = conf_for(conf, "sp@dest.test");
	check_int("user-blanks", u->helo_reject, REJECT_NO_CHECK);
	check_int("user-blanks-number", u->void_limit, 0);
	check_has("user-blanks-warn", said, "/f/users:6: blanks");
	check("user-plain", conf_for(conf, "plain@dest.test") != conf);
	check("user-none", conf_for(conf, "dest.test") == conf);
	check("user-empty", conf_for(conf, "") == conf);
	text = conf_print(conf, 1);
	check_has("user-printed", text,
	    "\n@user strict@dest.test,TestOnly=0|Mail_From_reject=Softfail\n");
	d = child(P, text, strlen(text));
	check("user-child", d != NULL && d->users.n == 5);
	u = conf_for(d, "strict@dest.test");
	check_int("user-child-value", u->mail_from_reject, REJECT_SOFTFAIL);
	check("user-round", round_trips(conf));
	free(text);
	conf_free(d);
	forget();
}

/* The example of the manual page of policyd-spf, and lines that are wrong. */
static void
test_user_files(void)
{
	const struct conf *u;

	PARSE(P, "Per_User = text,/f/man\n");
	u = conf_for(conf, "postmaster@example.com");
	check("user-manual", msgs.errors == 0 && conf->users.n == 2, "%s",
	    said);
	check_int("user-manual-number", u->debug_level, 5);
	check_int("user-manual-list", u->skip_addresses.n, 3);
	check_int("user-manual-choice", u->mail_from_reject, REJECT_NO_CHECK);
	check("user-manual-round", round_trip(conf, 1));
	forget();

	PARSE(P, "Per_User = text,/f/badusers\n");
	check("user-bad-lines", conf != NULL && conf->users.n == 4, "%s", said);
	check_int("user-after-bad", conf_for(conf, "good@d")->void_limit, 9);
	check_int("user-unknown-key", conf_for(conf, "unknown@d")->void_limit,
	    7);
	u = conf_for(conf, "not@d");
	check_int("user-not-here", u->void_limit, 8);
	check_int("user-not-here-mock", u->mock, 0);
	check_has("user-not-here-warns", said,
	    "Mock: cannot be set by recipient");
	check("user-bad-value", conf_for(conf, "badint@d") == conf);
	check_has("user-bad-value-warns", said, "/f/badusers:4: Void_Limit: ");
	check_has("user-near", said, "did you mean Void_Limit?");
	forget();
}

/* Many recipients: time and memory stay small. */
static void
test_many_users(void)
{
	struct conf *c, *d;
	char *text, *full;
	size_t n, i, bad = 0;
	FILE *f;

	c = conf_new(P);
	text = conf_print(c, 1);
	conf_free(c);
	if ((f = open_memstream(&full, &n)) == NULL)
		abort();
	fputs(text, f);
	for (i = 0; i < 10000; i++)
		fprintf(f,
		    "@user u%zu@example.test,Void_Limit=%zu|"
		    "HELO_reject=False\n",
		    i, i % 100);
	fclose(f);
	d = child(P, full, n);
	for (i = 0; d != NULL && i < 10000; i++)
		bad += conf_for(d, check_name("u%zu@example.test", i))
			   ->void_limit != (int)(i % 100);
	check("user-10000", d != NULL && d->users.n == 10000);
	check_int("user-10000-values", bad, 0);
	check("user-10000-round", d != NULL && round_trip(d, 1));
	conf_free(d);
	free(text);
	free(full);
}

static void
test_child(void)
{
	static const char late[] = "@user a@b,Void_Limit=1\n"
				   "Reason_Message = later\n@trust_anchor x\n";
	const struct conf *u;
	struct conf *d;
	char *text;

	PARSE(M, "Trust_Anchor = /f/anchor\n");
	check_str("anchor-text", conf->trust_anchor_text,
	    ". IN DS 20326 8 2 ABCD\n; # = remark\n");
	text = conf_print(conf, 1);
	d = child(M, text, strlen(text));
	check_str("anchor-child", d->trust_anchor_text,
	    conf->trust_anchor_text);
	check_str("anchor-child-path", d->trust_anchor, "/f/anchor");
	free(text);
	conf_free(d);
	forget();

	/* An entry shares settings that come after it. */
	d = child(M, late, sizeof(late) - 1);
	u = conf_for(d, "a@b");
	check("child-order", u != d);
	check("child-order-text", u->reason_message == d->reason_message);
	check("child-order-anchor",
	    u->trust_anchor_text == d->trust_anchor_text);
	conf_free(d);
}

static void
test_table(void)
{
	const struct conf_key *k;
	size_t i;
	char *text;

	for (i = 0; (k = conf_key_at(i)) != NULL; i++) {
		text = setting(k->name, k->def, "\n");
		parse(M, text, strlen(text));
		check(k->name,
		    conf != NULL && k->help[0] != '\0' &&
			(k->programs & ~(unsigned int)(M | P)) == 0 &&
			k->programs != 0 && (!k->added || !k->per_user));
		forget();
		free(text);
	}
	check_int("keys", i, 51);
}

static void
test_defaults(void)
{
	char host[256] = "", *text, *p;
	struct conf *c = conf_new(M);

	text = conf_print(c, 0);
	if (gethostname(host, sizeof(host) - 1) == -1)
		abort();
	for (p = host; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	check_has("id-hostname", text,
	    check_name("\nAuthserv_Id = %s\n", host));
	check_str("why-default", c->reason_url,
	    "http://www.openspf.net/Why?s={scope};id={id};ip={ip};r={rcpt}");
	check_has("print-milter", text, "\nSocket = ");
	free(text);
	conf_free(c);
	c = conf_new(P);
	text = conf_print(c, 0);
	check("print-policy", strstr(text, "\nSocket = ") == NULL);
	check_has("print-policy-key", text, "\nPer_User =");
	free(text);
	conf_free(c);
}

static void
append(const char *path, const char *line, size_t n)
{
	FILE *f;

	if ((f = fopen(path, "a")) == NULL)
		abort();
	while (n-- > 0)
		fputs(line, f);
	fclose(f);
}

/* What a daemon with -e finds: lines after those of the file. */
static void
test_environment(void)
{
	static char v[][48] = { "PYSPF_Workers=7", "PYSPF_Workerz=2",
		"XPYSPF_Void_Limit=3", "PYSPF_Lookup_Time = 9 # s",
		"PYSPF_TestOnly=1=0" };
	char *env[] = { v[0], v[1], v[2], v[3], v[4], NULL };
	struct conf_reader r = { open_file, NULL, open_dir, env };
	const char text[] = "Workers = 2\nUMask = 022\n";

	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check("environment-read", conf != NULL, "%s", said);
	if (conf == NULL)
		return;
	check_int("environment-over-file", conf->workers, 7);
	check_int("environment-file-stays", conf->umask, 022);
	check_int("environment-as-a-line", conf->lookup_time, 9);
	check_int("environment-prefix", conf->void_limit, 2);
	check("environment-messages",
	    strcmp(said,
		"environment PYSPF_Workerz: unknown key \"Workerz\"; line "
		"ignored; did you mean Workers?\n"
		"environment PYSPF_TestOnly: TestOnly: a value cannot contain "
		"'='; line ignored\n") == 0,
	    "%s", said);
	forget();
	strlcpy(v[0], "PYSPF_Workers=0", sizeof(v[0]));
	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check("environment-refused", conf == NULL && msgs.errors == 1);
	check_has("environment-refused-why", said,
	    "environment PYSPF_Workers: Workers: \"0\" is not between");
	forget();
	strlcpy(v[0], "PYSPF_Include=/f/x", sizeof(v[0]));
	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check_has("environment-include", said,
	    "environment PYSPF_Include: Include: only the configuration file "
	    "can include");
	forget();
	strlcpy(v[0], "PYSPF_Reason_URL=x", sizeof(v[0]));
	strlcpy(v[1], "PYSPF_Why_URL=y", sizeof(v[1]));
	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check("environment-same-key", conf == NULL && msgs.errors == 1);
	forget();
	strlcpy(v[1], "PYSPF_\033[2J=y", sizeof(v[1]));
	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check("environment-escaped", strchr(said, 033) == NULL, "%s", said);
	forget();
	/* found after the last line */
	strlcpy(v[0], "PYSPF_Trust_Anchor=/f/none", sizeof(v[0]));
	keep(conf_parse(M, text, strlen(text), "t", &r, &msgs), "t");
	check_has("environment-refused-late", said,
	    "environment PYSPF_Trust_Anchor: Trust_Anchor: /f/none: ");
	forget();
}

static void
test_load(void)
{
	char dir[] = "/tmp/conf-test.XXXXXX", path[64];

	load(M, "/f/none", 1, &reader);
	check("load-missing-named", conf == NULL && msgs.errors == 1);
	forget();
	load(M, "/f/none", 0, &reader);
	check("load-missing-default",
	    conf != NULL && msgs.errors == 0 && msgs.n == 1, "%s", said);
	check("load-missing-default-id",
	    strcmp(conf->authserv_id, "HOSTNAME") != 0);
	check_int("load-missing-default-hosts", conf->internal_hosts.n, 1);
	forget();
	if (mkdtemp(dir) == NULL)
		abort();
	load(M, dir, 1, NULL);
	check("load-directory", conf == NULL && msgs.n == 1, "%s", said);
	check_has("load-directory-why", said, "Is a directory");
	forget();
	load(M, "/dev/zero", 1, NULL);
	check("load-device", conf == NULL && msgs.errors == 1);
	forget();
	snprintf(path, sizeof(path), "%s/big", dir);
	append(path, "#\n", CONF_FILE_MAX / 2);
	load(M, path, 1, NULL);
	check("load-largest", conf != NULL && msgs.n == 0, "%s", said);
	forget();
	append(path, "\n", 1);
	load(M, path, 1, NULL);
	check("load-too-large", conf == NULL && msgs.errors == 1);
	forget();
	unlink(path);
	rmdir(dir);
}

/* Files that are shipped: ours, and those of the Debian packages. */
static void
test_shipped_files(void)
{
	static const char *const shipped[] = { "conf/files/pyspf-milter.conf",
		"conf/files/policyd-spf.conf",
		"/etc/pyspf-milter/pyspf-milter.conf",
		"/etc/postfix-policyd-spf-python/policyd-spf.conf",
		"regress/conf/debian-pyspf-milter.conf",
		"regress/conf/debian-policyd-spf.conf",
		"regress/conf/manual-policyd-spf.conf" };
	size_t i;

	for (i = 0; i < NITEMS(shipped); i++) {
		if (shipped[i][0] == '/' && access(shipped[i], R_OK) == -1) {
			printf("skip load:%s - not there\n", shipped[i]);
			continue;
		}
		load(strstr(shipped[i], "policyd") != NULL ? P : M, shipped[i],
		    1, NULL);
		check(shipped[i],
		    conf != NULL && msgs.n == 0 && round_trips(conf), "%s",
		    said);
		forget();
	}
}

/* The sample that Debian ships compressed. */
static void
test_sample(void)
{
#define SAMPLE                                       \
	"/usr/share/doc/postfix-policyd-spf-python/" \
	"policyd-spf.conf.commented.gz"
	static const char name[] = "load:policyd-spf.conf.commented";
	static char text[65536];
	size_t n;
	FILE *f;

	if (access(SAMPLE, R_OK) == -1 ||
	    (f = popen("exec zcat " SAMPLE, "r")) == NULL) {
		printf("skip %s - not there\n", name);
		return;
	}
	n = fread(text, 1, sizeof(text), f);
	pclose(f);
	parse(P, text, n);
	check(name, n > 1000 && conf != NULL && msgs.n == 0, "%zu %s", n, said);
	check_int("load:sample-switch", conf->hide_receiver, 1);
	check_str("load:sample-text", conf->authserv_id, "header");
	forget();
}

static void
test_flood(void)
{
	const struct conf_msg *last;
	char *text;
	size_t n, i;
	FILE *f;

	if ((f = open_memstream(&text, &n)) == NULL)
		abort();
	for (i = 0; i < 100000; i++)
		fputs("x = 1\n", f);
	fputs("Void_Limit = x\n", f);
	fclose(f);
	parse(M, text, n);
	check("flood", conf == NULL && msgs.n == CONF_MSGS_MAX + 1);
	last = &msgs.v[CONF_MSGS_MAX];
	check_int("flood-errors", msgs.errors, 1);
	check_int("flood-last-is-the-error", last->error, 1);
	check_int("flood-last-line", last->line, 100001);
	forget();
	free(text);
}

/* clang-format off */
static const struct {
	const char *name, *text, *servers;
} resolvs[] = {
	{ "resolv", "# x\nnameserver 192.0.2.1\nsearch a.test\n"
	    "nameserver\t::1\noptions ndots:3\n", "192.0.2.1,::1" },
	{ "resolv-empty", "", "127.0.0.1" },
	{ "resolv-comment", "#nameserver 192.0.2.1\n;nameserver ::1\n",
	    "127.0.0.1" },
	{ "resolv-scope", "nameserver fe80::1%eth0\nnameserver ::2\n",
	    "::2" },
	{ "resolv-trail", "nameserver 192.0.2.1 # home\n", "192.0.2.1" },
	{ "resolv-bad", "nameserver x\nnameserver\nnameserver \n"
	    "nameservers ::3\n", "127.0.0.1" },
	{ "resolv-many", "nameserver ::1\nnameserver ::2\nnameserver ::3\n"
	    "nameserver ::4\nnameserver ::5\nnameserver ::6\n"
	    "nameserver ::7\nnameserver ::8\nnameserver ::9\n",
	    "::1,::2,::3,::4,::5,::6,::7,::8" },
	{ "resolv-no-newline", "nameserver 192.0.2.7", "192.0.2.7" }
};
/* clang-format on */

static void
test_resolvconf(void)
{
	struct conf_servers l = { NULL, 0 };
	char buf[ADDR_STRLEN], all[512];
	size_t i, j;

	for (i = 0; i < NITEMS(resolvs); i++) {
		conf_resolvconf(resolvs[i].text, strlen(resolvs[i].text), &l);
		all[0] = '\0';
		for (j = 0; j < l.n; j++) {
			strlcat(all, j != 0 ? "," : "", sizeof(all));
			strlcat(all,
			    addr_format(&l.v[j].addr, buf, sizeof(buf)),
			    sizeof(all));
		}
		check_str(resolvs[i].name, all, resolvs[i].servers);
		check_int(check_name("%s-port", resolvs[i].name), l.v[0].port,
		    53);
	}
	conf_servers_free(&l);
}

/* The shipped file has each key of its program with its default. */
static void
test_shipped(enum conf_program program, const char *path)
{
	static char text[65536];
	const struct conf_key *k;
	struct conf *d;
	char *line, *p, *a, *b;
	size_t n, i, lacks = 0;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		abort();
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (i = 0; (k = conf_key_at(i)) != NULL; i++) {
		if ((k->programs & program) == 0)
			continue;
		line = setting(check_name("#%s", k->name), k->def, "");
		if (!has_line(text, line)) {
			printf("%s lacks %s\n", path, line);
			lacks++;
		}
		free(line);
	}
	check_int(check_name("complete:%s", path), lacks, 0);
	/* Turn "#Key" into a setting; "# Word" stays a comment. */
	for (p = text; (p = strchr(p, '#')) != NULL; p++)
		if (p[1] != ' ')
			*p = ' ';
	parse(program, text, n);
	d = conf_new(program);
	a = conf != NULL ? conf_print(conf, 1) : strdup("refused");
	b = conf_print(d, 1);
	check_str(check_name("defaults:%s", path), a, b);
	free(a);
	free(b);
	conf_free(d);
	forget();
}

static void
test_nul(void)
{
	PARSE(P, "TestOnly = 0\nVoid_Limit = 1\0002\n");
	check("nul", conf == NULL && msgs.errors == 1);
	check_int("nul-line", msgs.v[0].line, 2);
	forget();
}

int
main(void)
{
	test_cases();
	test_nul();
	test_sockets();
	test_users();
	test_user_files();
	test_many_users();
	test_child();
	test_table();
	test_defaults();
	test_load();
	test_environment();
	test_shipped_files();
	test_sample();
	test_shipped(M, "conf/files/pyspf-milter.conf");
	test_shipped(P, "conf/files/policyd-spf.conf");
	test_flood();
	test_resolvconf();
	return check_exit();
}
