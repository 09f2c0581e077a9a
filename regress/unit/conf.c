/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Configurations: read, printed, and read back. */

#include <unistd.h>

#include "regress/unit/conf_read.h"

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
	return check_exit();
}
