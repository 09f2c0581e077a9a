/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Configurations in files and in the environment. */

#include <sys/stat.h>

#include <unistd.h>

#include "regress/unit/conf_read.h"

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
	check_has("environment-same-key-says", said,
	    "environment PYSPF_Reason_URL is the same key; set one");
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

int
main(void)
{
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
