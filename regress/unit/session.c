/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. Both sessions over a socket pair, with a judge of stubs. */

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "proto/stats.h"
#include "regress/unit/check.h"
#include "regress/unit/session_stubs.h"

static struct conf conf;
static struct conn_env env;
static unsigned int closed;
static int peer = -1;
static char got[1 << 20]; /* what came back */
static size_t ngot;
static int eof;

static void
on_closed(struct conn_env *e, void *arg)
{
	closed++;
}

/* Lets the loop run for so long and collects what comes. */
static void
pump(int ms)
{
	struct timespec ts = { 0, 1000000 };
	ssize_t n;
	int i;

	for (i = 0; i < ms; i++) {
		event_base_loop(stub_base, EVLOOP_NONBLOCK);
		while ((n = recv(peer, got + ngot, sizeof(got) - ngot,
			    MSG_DONTWAIT)) > 0)
			ngot += (size_t)n;
		if (n == 0 || (n == -1 && errno != EAGAIN))
			eof = 1;
		nanosleep(&ts, NULL);
	}
}

static void
begin(enum conf_program proto)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		abort();
	peer = sv[0];
	ngot = 0;
	eof = 0;
	stub_log[0] = '\0';
	stub_checks = stub_cancels = stub_prefetches = 0;
	stub_sender[0] = stub_helo[0] = '\0';
	if (conn_start(&env, proto, sv[1], sv[1]) == -1)
		abort();
}

static void
end(void)
{
	if (peer != -1)
		close(peer);
	peer = -1;
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
}

static void
out(const void *p, size_t n)
{
	if (send(peer, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		abort();
}

/* One milter packet; data may hold NULs. */
static void
pkt(char cmd, const char *data, size_t n)
{
	uint8_t buf[70000];

	buf[0] = 0;
	buf[1] = (uint8_t)((n + 1) >> 16);
	buf[2] = (uint8_t)((n + 1) >> 8);
	buf[3] = (uint8_t)(n + 1);
	buf[4] = (uint8_t)cmd;
	memcpy(buf + 5, data, n);
	out(buf, n + 5);
}
#define PKT(c, s) pkt(c, s, sizeof(s) - 1)

/* The letters of the replies so far, and forget them. */
static const char *
letters(int ms)
{
	static char l[4096];
	const uint8_t *p = (const uint8_t *)got;
	size_t i = 0, n = 0, len;

	pump(ms);
	while (ngot - i >= 5 && n < sizeof(l) - 1) {
		len = (size_t)p[i + 1] << 16 | (size_t)p[i + 2] << 8 | p[i + 3];
		l[n++] = got[i + 4];
		i += 4 + len;
	}
	l[n] = '\0';
	ngot = 0;
	return l;
}

static void
negotiate(const char *steps)
{
	char d[13] = "\0\0\0\6\0\0\1\xff";

	memcpy(d + 8, steps, 4);
	pkt('O', d, 12);
}
#define ALL_STEPS "\0\x1f\xff\xff"
#define NO_STEPS  "\0\0\0\0"
#define CONNECT       \
	"none.test\0" \
	"4\x10\xe1"   \
	"192.0.2.1\0"

static void
hello(const char *steps)
{
	begin(CONF_MILTER);
	negotiate(steps);
	PKT('C', CONNECT);
	PKT('H', "helo.test\0");
	(void)letters(3);
}

static int
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void
test_milter_message(void)
{
	const char *l;

	begin(CONF_MILTER);
	negotiate(NO_STEPS);
	check("milter-optneg", is(letters(3), "O"));
	PKT('C', CONNECT);
	check("milter-connect-answered", is(letters(3), "c"));
	check("milter-connect-line",
	    is(stub_log,
		"connect from none.test at "
		"('192.0.2.1', 4321) EXTERNAL\n"),
	    "%s", stub_log);
	PKT('H', "helo.test\0");
	check("milter-helo-answered",
	    is(letters(3), "c") && stub_prefetches == 1);
	PKT('M', "<\"A@b\"@Pass.Test>\0SIZE=3\0");
	check("milter-mail", is(letters(3), "c"));
	check("milter-request",
	    is(stub_sender, "A@b@pass.test") && is(stub_helo, "helo.test") &&
		stub_seen.client.family == 4 && !stub_seen.smtputf8);
	PKT('R', "<a@b>\0");
	PKT('T', "");
	PKT('L', "From\0a\0");
	PKT('N', "");
	PKT('B', "hi");
	l = letters(5);
	check("milter-rest-answered", is(l, "ccccc"), "%s", l);
	PKT('E', "");
	l = letters(3);
	check("milter-eom-inserts", is(l, "ic"), "%s", l);
	PKT('M', "<u@pass.test>\0SMTPUTF8\0");
	check("milter-second-message",
	    is(letters(3), "c") && stub_checks == 2 && stub_seen.smtputf8);
	PKT('A', "");
	PKT('Q', "");
	pump(5);
	check("milter-quit-closes", eof && ngot == 0);
	end();
}

static void
test_milter_verdicts(void)
{
	static const char want[] = "y550 5.7.23 no 100%% pass";

	hello(ALL_STEPS);
	PKT('M', "<u@fail.test>\0");
	pump(3);
	check("milter-reject",
	    ngot == 4 + sizeof(want) &&
		memcmp(got + 4, want, sizeof(want)) == 0,
	    "%s", got + 4);
	ngot = 0;
	PKT('M', "<u@defer.test>\0");
	pump(3);
	check("milter-defer-has-enhanced-code",
	    ngot > 5 && is(got + 4, "y450 4.7.1 later"), "%s", got + 4);
	ngot = 0;
	PKT('M', "<u@pass.test>\0");
	PKT('E', "");
	check("milter-pass-after-reject", is(letters(3), "cic"));
	PKT('M', "<u@fail.test>\0");
	(void)letters(3);
	PKT('E', "");
	check("milter-nothing-after-reject", is(letters(3), "c"));
	PKT('M', "<u@dunno.test>\0");
	PKT('E', "");
	check("milter-nothing", is(letters(3), "cc"));
	PKT('M', "<u@slow.test>\0");
	PKT('E', "");
	check("milter-pipelined-waits", is(letters(5), ""));
	check("milter-slow", is(letters(60), "cic"));
	end();
	hello(ALL_STEPS);
	PKT('M', "<u@never.test>\0");
	pump(3);
	end();
	pump(3);
	check("milter-eof-cancels", stub_cancels == 1 && env.nconn == 0);
	hello(ALL_STEPS);
	PKT('M', "<u@never.test>\0");
	pkt('B', got, 30000);
	pump(5);
	end();
	pump(5);
	check("milter-eof-cancels-behind-input",
	    stub_cancels == 1 && env.nconn == 0);
}

static void
test_milter_skips(void)
{
	hello(ALL_STEPS);
	PKT('D', "M{auth_authen}\0joe\0");
	PKT('M', "<u@fail.test>\0");
	check("milter-authenticated", is(letters(3), "c") && stub_checks == 0);
	PKT('M', "<u@fail.test>\0");
	check("milter-auth-is-for-one-message", is(letters(3), "y"));
	PKT('D', "M{auth_authen}\0\0");
	PKT('M', "<u@fail.test>\0");
	check("milter-auth-empty", is(letters(3), "y"));
	end();

	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C', "h\0U");
	PKT('M', "<u@fail.test>\0");
	check("milter-unknown-family",
	    is(letters(3), "Oc") && stub_checks == 0);
	check("milter-unknown-family-line",
	    is(stub_log, "connect from h at None EXTERNAL\n"));
	PKT('C',
	    "h\0"
	    "4\0\1bogus\0");
	PKT('M', "<u@fail.test>\0");
	check("milter-connect-in-message-closes", is(letters(3), "") && eof);
	end();

	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C',
	    "h\0"
	    "4\0\1bogus\0");
	PKT('M', "<u@fail.test>\0");
	check("milter-bad-address",
	    is(letters(3), "Oc") &&
		strstr(stub_log, "no usable client address") != NULL);
	PKT('A', "");
	PKT('K', "");
	PKT('C', CONNECT);
	PKT('M', "<u@fail.test>\0");
	check("milter-quit-nc", is(letters(3), "y"));
	end();

	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('M', "<u@fail.test>\0");
	check("milter-mail-before-connect",
	    is(letters(3), "Oc") && stub_checks == 0);
	end();
}

static void
test_milter_names(void)
{
	static char name[] = "internal.test";
	struct conf_host h = { .kind = HOST_DOMAIN, .name = name };

	conf.internal_hosts = (struct conf_hosts){ &h, 1 };
	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C',
	    "none.test\0"
	    "4\0\1"
	    "192.0.2.7\0");
	PKT('H', "x\0");
	PKT('M', "<u@fail.test>\0");
	check("milter-name-waits", is(letters(2), "O"));
	check("milter-name-confirmed",
	    is(letters(40), "c") && stub_checks == 0 &&
		strstr(stub_log, "INTERNAL") != NULL,
	    "%s", stub_log);
	end();
	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C', CONNECT);
	PKT('M', "<u@fail.test>\0");
	check("milter-name-not-confirmed",
	    is(letters(40), "Oy") && strstr(stub_log, "EXTERNAL") != NULL);
	end();
	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C', CONNECT);
	PKT('M', "<u@fail.test>\0");
	pump(2);
	end();
	pump(20);
	check("milter-name-eof", env.nconn == 0);
	conf.internal_hosts.n = 0;
}

static void
test_milter_own_ar(void)
{
	const char *l;
	int i;

	hello(ALL_STEPS);
	PKT('M', "<u@pass.test>\0");
	PKT('L', "Authentication-Results\0mx.example.test; spf=pass\0");
	PKT('L', "From\0a@b\0");
	PKT('L', "authentication-results\0other; spf=pass\0");
	PKT('L', "AUTHENTICATION-RESULTS\0(x) \"mx.example.test\" 1; a\0");
	PKT('E', "");
	pump(3);
	/* c; then the third field, the first, the insertion, c */
	check("milter-own-ar-last-first",
	    ngot > 60 && got[5 + 4] == 'm' && got[5 + 8] == 3 &&
		got[5 + 33 + 8] == 1);
	l = letters(1);
	check("milter-own-ar-removed", is(l, "cmmic"), "%s", l);
	PKT('M', "<u@local.test>\0");
	PKT('L', "Authentication-Results\0mx.example.test; spf=pass\0");
	PKT('E', "");
	check("milter-own-ar-kept-for-skip_addresses", is(letters(3), "cic"));
	PKT('M', "<u@pass.test>\0");
	for (i = 0; i < 1001; i++) {
		PKT('L', "Authentication-Results\0mx.example.test; a\0");
		if (i % 100 == 0)
			pump(1);
	}
	PKT('E', "");
	l = letters(30);
	check("milter-own-ar-flood-refused", is(l, "cy"), "%s", l);
	end();
}

static void
test_milter_order(void)
{
	static const struct {
		const char *name, *data;
		size_t len;
		char cmd;
	} closing[] = {
		{ "milter-mail-before-optneg", "<u@x>\0", 6, 'M' },
		{ "milter-unknown-command", "", 0, 'z' },
		{ "milter-optneg-short", "\0\0\0\6", 4, 'O' },
		{ "milter-optneg-v1", "\0\0\0\1\0\0\0\1\0\0\0\0", 12, 'O' },
	}, later[] = {
		{ "milter-optneg-twice",
		    "\0\0\0\6\0\0\0\1\0\0\0\0", 12, 'O' },
		{ "milter-helo-no-nul", "abc", 3, 'H' },
		{ "milter-connect-no-nul", "abc", 3, 'C' },
		{ "milter-mail-no-nul", "<u@x>", 5, 'M' },
		{ "milter-mail-empty", "", 0, 'M' },
		{ "milter-macro-no-nul", "Mabc", 4, 'D' },
		{ "milter-macro-empty", "", 0, 'D' },
	};
	size_t i;

	for (i = 0; i < sizeof(closing) / sizeof(closing[0]); i++) {
		begin(CONF_MILTER);
		pkt(closing[i].cmd, closing[i].data, closing[i].len);
		pump(3);
		check(closing[i].name,
		    eof && ngot == 0 &&
			strstr(stub_log, "milter connection closed: ") != NULL);
		end();
	}
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		hello(ALL_STEPS);
		pkt(later[i].cmd, later[i].data, later[i].len);
		pump(3);
		check(later[i].name,
		    eof && ngot == 0 &&
			strstr(stub_log, "milter connection closed: ") != NULL);
		end();
	}
	hello(NO_STEPS);
	PKT('E', "");
	PKT('R', "<a>\0");
	PKT('L', "a\0b\0");
	PKT('U', "FOO\0");
	check("milter-misplaced-answered", is(letters(3), "cccc") && !eof);
	end();
	begin(CONF_MILTER);
	out("\xff\xff\xff\xffO", 5);
	pump(3);
	check("milter-4GiB-packet", eof && strstr(stub_log, "length") != NULL);
	end();
}

#define REQ(sender)                                      \
	"request=smtpd_access_policy\nclient_address="   \
	"192.0.2.1\nhelo_name=HELO.Test\nsender=" sender \
	"\nrecipient=R@Dest.Test\n"

static int
policy(const char *in, const char *want)
{
	out(in, strlen(in));
	pump(3);
	got[ngot] = '\0';
	ngot = 0;
	return is(got, want);
}

static void
test_policy(void)
{
	static const char hdr[] = "action=prepend Authentication-Results: "
				  "mx.example.test; spf=pass\n\n";

	begin(CONF_POLICY);
	check("policy-prepend", policy(REQ("U.X@Pass.Test") "\n", hdr), "%s",
	    got);
	check("policy-case",
	    is(stub_sender, "U.X@pass.test") && is(stub_helo, "helo.test"));
	check("policy-reject",
	    policy(REQ("u@fail.test") "\n",
		"action=550 5.7.23 no 100% pass\n\n"),
	    "%s", got);
	check("policy-defer",
	    policy(REQ("u@defer.test") "\n",
		"action=defer_if_permit later\n\n"),
	    "%s", got);
	check("policy-restriction",
	    policy(REQ("u@restrict.test") "\n", "action=permit\n\n"));
	check("policy-dunno",
	    policy(REQ("u@dunno.test") "\n", "action=dunno\n\n"));
	stub_log[0] = '\0';
	check("policy-queue-id",
	    policy(REQ("u@dunno.test") "queue_id=Q1\n\n", "action=dunno\n\n") &&
		is(stub_log, "Q1: a log line\n"));
	stub_log[0] = '\0';
	check("policy-queue-id-empty",
	    policy(REQ("u@dunno.test") "queue_id=\n\n", "action=dunno\n\n") &&
		is(stub_log, ": a log line\n"),
	    "%s", stub_log);
	check("policy-sasl",
	    policy(REQ("u@fail.test") "sasl_username=j\n\n",
		"action=dunno\n\n"));
	check("policy-empty", policy("\n", hdr));
	check("policy-pipelined",
	    policy(REQ("u@fail.test") "\n" REQ("u@pass.test") "\n",
		"action=550 5.7.23 no 100% pass\n\n"
		"action=prepend Authentication-Results: mx.example.test; "
		"spf=pass\n\n"));
	stub_log[0] = '\0';
	check("policy-bad-line",
	    policy("hello world\n\n", hdr) &&
		is(stub_log,
		    "ERROR: Could not match line \"hello world\"\na log line\n"),
	    "%s", stub_log);
	end();
}

static void
test_policy_instance(void)
{
	static char user[] = "own@dest.test";
	static struct conf own;
	struct conf_user u = { user, &own };

	begin(CONF_POLICY);
	(void)policy(REQ("u@pass.test") "instance=i1\n\n", "");
	stub_log[0] = '\0';
	check("instance-one-header",
	    policy(REQ("u@pass.test") "instance=i1\n\n", "action=dunno\n\n") &&
		stub_checks == 1 && stub_log[0] == '\0');
	check("instance-exact",
	    policy(REQ("u@dunno.test") "instance=I1\n\n", "action=dunno\n\n") &&
		stub_checks == 2);
	(void)policy(REQ("u@fail.test") "instance=i2\n\n", "");
	stub_log[0] = '\0';
	check("instance-reject-again",
	    policy(REQ("u@pass.test") "instance=i2\n\n",
		"action=550 5.7.23 no 100% pass\n\n") &&
		stub_checks == 3 && is(stub_log, "550 5.7.23 no 100% pass\n"));
	(void)policy(REQ("u@restrict.test") "instance=i3\n\n", "");
	stub_log[0] = '\0';
	check("instance-restriction-again",
	    policy(REQ("u@pass.test") "instance=i3\n\n", "action=permit\n\n") &&
		stub_checks == 4 && is(stub_log, "result_only permit\n"),
	    "%s", stub_log);
	(void)policy(REQ("u@fail.test") "instance=\n\n", "");
	check("instance-empty-not-kept",
	    policy(REQ("u@pass.test") "instance=\n\n", "x") == 0 &&
		stub_checks == 6);
	stub_conf(&own);
	conf.users = (struct conf_users){ &u, 1 };
	(void)policy("client_address=192.0.2.1\nsender=u@fail.test\n"
		     "recipient=Own@dest.test\ninstance=i1\n\n",
	    "");
	check("instance-peruser-judged-anew",
	    is(got, "action=550 5.7.23 no 100% pass\n\n") && stub_checks == 7 &&
		stub_seen.conf == &own);
	check("instance-peruser-not-kept",
	    policy(REQ("u@pass.test") "instance=i1\n\n", "action=dunno\n\n") &&
		stub_checks == 7);
	conf.users.n = 0;
	end();
}

#define TO(rcpt, sender, inst)                         \
	"client_address=192.0.2.1\nhelo_name=h.test\n" \
	"sender=" sender "\nrecipient=" rcpt "\ninstance=" inst "\n\n"
#define HEADER                                    \
	"action=prepend Authentication-Results: " \
	"mx.example.test; spf=pass\n\n"

/* COMPAT "one-header" */
static void
test_policy_one_header(void)
{
	static char user[] = "own@dest.test";
	static struct conf own;
	struct conf_user u = { user, &own };

	stub_conf(&own);
	conf.users = (struct conf_users){ &u, 1 };
	begin(CONF_POLICY);
	check("one-header-own-first",
	    policy(TO("own@dest.test", "u@pass.test", "a"), HEADER) &&
		stub_seen.conf == &own);
	check("one-header-own-again-judged",
	    policy(TO("own@dest.test", "u@pass.test", "a"),
		"action=dunno\n\n") &&
		stub_checks == 2);
	check("one-header-others-judged",
	    policy(TO("r@dest.test", "u@pass.test", "a"), "action=dunno\n\n") &&
		stub_checks == 3 && stub_seen.conf == &conf);
	check("one-header-others-kept",
	    policy(TO("s@dest.test", "u@pass.test", "a"), "action=dunno\n\n") &&
		stub_checks == 3);
	check("one-header-own-reject",
	    policy(TO("own@dest.test", "u@fail.test", "a"),
		"action=550 5.7.23 no 100% pass\n\n") &&
		stub_checks == 4);
	check("one-header-no-leak-of-reject",
	    policy(TO("s@dest.test", "u@pass.test", "a"), "action=dunno\n\n") &&
		stub_checks == 4);
	check("one-header-others-first",
	    policy(TO("r@dest.test", "u@pass.test", "b"), HEADER));
	check("one-header-own-later",
	    policy(TO("own@dest.test", "u@pass.test", "b"),
		"action=dunno\n\n") &&
		stub_checks == 6);
	check("one-header-own-reject-first",
	    policy(TO("own@dest.test", "u@fail.test", "c"),
		"action=550 5.7.23 no 100% pass\n\n"));
	check("one-header-after-own-reject",
	    policy(TO("r@dest.test", "u@pass.test", "c"), HEADER));
	check("one-header-no-instance",
	    policy(TO("own@dest.test", "u@pass.test", ""), HEADER) &&
		policy(TO("own@dest.test", "u@pass.test", ""), HEADER));
	check("later-first-header",
	    policy(TO("r@dest.test", "u@later.test", "d"), HEADER));
	stub_log[0] = '\0';
	check("later-restriction",
	    policy(TO("s@dest.test", "u@later.test", "d"),
		"action=permit_later\n\n") &&
		is(stub_log, "result_only permit_later\n"),
	    "%s", stub_log);
	check("later-not-for-own",
	    policy(TO("own@dest.test", "u@later.test", "e"), HEADER) &&
		policy(TO("r@dest.test", "u@pass.test", "e"),
		    "action=dunno\n\n"));
	conf.users.n = 0;
	end();
}

static void
test_policy_utf8(void)
{
	static const struct {
		const char *name, *sender, *helo, *rcpt;
		int smtputf8;
	} t[] = {
		{ "utf8-none", "u@pass.test", "h.test", "r@d.test", 0 },
		{ "utf8-sender", "\xc3\xbc@pass.test", "h", "r@d", 1 },
		{ "utf8-recipient", "u@pass.test", "h", "\xc3\xbc@d", 1 },
		{ "utf8-helo-proves-nothing", "u@pass.test", "\xc3\xbc.test",
		    "r@d", 0 },
		{ "utf8-all", "\xc3\xbc@pass.test", "\xc3\xbc.test",
		    "\xf0\x9f\x98\x80@d", 1 },
		{ "utf8-latin1-sender", "\xfc@pass.test", "h", "r@d", 0 },
		{ "utf8-latin1-helo", "\xc3\xbc@pass.test", "\xfc", "r", 0 },
		{ "utf8-surrogate", "\xed\xa0\x80@pass.test", "h", "r", 0 },
		{ "utf8-c1-control", "\xc2\x85@pass.test", "h", "r", 0 },
	};
	char req[300];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(CONF_POLICY);
		snprintf(req, sizeof(req),
		    "client_address=192.0.2.1\n"
		    "sender=%s\nhelo_name=%s\nrecipient=%s\n\n",
		    t[i].sender, t[i].helo, t[i].rcpt);
		check(t[i].name,
		    policy(req, HEADER) && stub_seen.smtputf8 == t[i].smtputf8,
		    "%d", stub_seen.smtputf8);
		end();
	}
}

/* What stat_inc() and its kin were given since the last call. */
static uint64_t
grew(enum stat_id id)
{
	static struct stats old;
	uint64_t n = stats->v[id] - old.v[id];

	old.v[id] = stats->v[id];
	return n;
}

static void
test_counters(void)
{
	static char name[] = "internal.test";
	struct conf_host h = { .kind = HOST_DOMAIN, .name = name };

	memset(stats, 0, sizeof(*stats));
	hello(ALL_STEPS);
	check("count-milter",
	    grew(STAT_CONN_MILTER) == 1 && grew(STAT_CONN_POLICY) == 0 &&
		stats->v[STAT_CONN_OPEN] == 1);
	PKT('D', "M{auth_authen}\0joe\0");
	PKT('M', "<u@fail.test>\0");
	(void)letters(3);
	check("count-authenticated", grew(STAT_SKIP_AUTH) == 1);
	PKT('M', "<u@pass.test>\0");
	PKT('L', "Authentication-Results\0mx.example.test; a\0");
	PKT('L', "Authentication-Results\0mx.example.test; b\0");
	PKT('E', "");
	(void)letters(3);
	check("count-own-ar", grew(STAT_OWN_AR_REMOVED) == 2);
	pkt('H', "x", 1);
	(void)letters(3);
	check("count-milter-error",
	    grew(STAT_PROTO_ERROR_MILTER) == 1 &&
		grew(STAT_PROTO_ERROR_POLICY) == 0);
	end();
	check("count-closed", stats->v[STAT_CONN_OPEN] == 0);
	conf.internal_hosts = (struct conf_hosts){ &h, 1 };
	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C',
	    "none.test\0"
	    "4\0\1"
	    "192.0.2.7\0");
	PKT('M', "<u@fail.test>\0");
	PKT('M', "<u@fail.test>\0");
	(void)letters(40);
	check("count-internal",
	    grew(STAT_SKIP_INTERNAL) == 2 && grew(STAT_SKIP_MACRO) == 0);
	conf.internal_hosts.n = 0;
	end();
	begin(CONF_POLICY);
	(void)policy(TO("r@d", "u@fail.test", "i"), "");
	(void)policy(TO("r@d", "u@fail.test", "i"), "");
	(void)policy(TO("r@d", "u@pass.test", "j"), "");
	(void)policy(TO("r@d", "u@pass.test", "j"), "");
	(void)policy(TO("r@d", "u@pass.test", ""), "");
	check("count-policy",
	    grew(STAT_CONN_POLICY) == 1 && grew(STAT_SKIP_INSTANCE) == 2);
	(void)policy(REQ("u@fail.test") "sasl_username=j\n\n", "");
	check("count-policy-authenticated", grew(STAT_SKIP_AUTH) == 1);
	end();
}

static void
test_json(void)
{
	conf.log_format = LOGFORMAT_JSON;
	begin(CONF_MILTER);
	negotiate(ALL_STEPS);
	PKT('C', CONNECT);
	PKT('H', "he\"lo\x01\xff.test\0");
	PKT('D',
	    "Mi\0"
	    "4xQ1\0");
	PKT('M', "<u@fail.test>\0");
	(void)letters(3);
	check("json-milter",
	    strstr(stub_log,
		"{\"event\":\"spf\","
		"\"protocol\":\"milter\",\"queue_id\":\"4xQ1\","
		"\"client\":\"192.0.2.1\",\"client_name\":\"none.test\","
		"\"helo\":\"he\\\"lo\\u0001\\ufffd.test\","
		"\"sender\":\"u@fail.test\",\"action\":\"reject\","
		"\"code\":\"550\",\"enhanced_code\":\"5.7.23\","
		"\"text\":\"no 100% pass\",\"ms\":") == stub_log,
	    "%s", stub_log);
	check("json-one-line",
	    strchr(stub_log, '\n') == stub_log + strlen(stub_log) - 1);
	stub_log[0] = '\0';
	PKT('M', "<u@fail.test>\0");
	(void)letters(3);
	check("json-queue-id-is-for-one-message",
	    strstr(stub_log, "queue_id") == NULL && stub_log[0] == '{');
	stub_log[0] = '\0';
	PKT('D', "M{auth_authen}\0joe\0");
	PKT('M', "<u@fail.test>\0");
	(void)letters(3);
	check("json-skipped",
	    strstr(stub_log,
		"\"sender\":\"u@fail.test\","
		"\"skipped\":\"authenticated\",\"action\":\"nothing\",\"ms\":") !=
		NULL,
	    "%s", stub_log);
	end();
	begin(CONF_POLICY);
	(void)policy(TO("r@d", "u@fail.test", "i"), "");
	check("json-policy",
	    strstr(stub_log,
		"{\"event\":\"spf\","
		"\"protocol\":\"policy\",\"client\":\"192.0.2.1\","
		"\"helo\":\"h.test\",\"sender\":\"u@fail.test\","
		"\"recipient\":\"r@d\",\"instance\":\"i\",\"action\":\"reject\"") ==
		    stub_log &&
		strchr(stub_log, '\n')[1] == '\0',
	    "%s", stub_log);
	stub_log[0] = '\0';
	(void)policy(TO("r@d", "u@fail.test", "i"), "");
	check("json-cached",
	    strstr(stub_log,
		"\"action\":\"reject\","
		"\"text\":\"550 5.7.23 no 100% pass\",\"cached\":true,") !=
		    NULL &&
		strchr(stub_log, '\n')[1] == '\0',
	    "%s", stub_log);
	conf.debug_level = 0;
	stub_log[0] = '\0';
	(void)policy(TO("r@d", "u@fail.test", ""), "");
	check("json-quiet", stub_log[0] == '\0');
	conf.debug_level = 1;
	conf.log_format = LOGFORMAT_CLASSIC;
	end();
}

static void
test_policy_rough(void)
{
	char big[5000];
	int i;

	begin(CONF_POLICY);
	memset(big, 'a', sizeof(big));
	for (i = 0; i < 20 && !eof; i++) {
		(void)send(peer, big, sizeof(big), MSG_NOSIGNAL);
		pump(1);
	}
	check("policy-64k-line-closed",
	    eof && ngot == 0 &&
		strstr(stub_log,
		    "policy connection closed: a request of more than 64 KiB") !=
		    NULL,
	    "%s", stub_log);
	end();

	begin(CONF_POLICY);
	out(REQ("u@slow.test") "\n" REQ("u@pass.test") "\n",
	    sizeof(REQ("u@slow.test") "\n" REQ("u@pass.test") "\n") - 1);
	shutdown(peer, SHUT_WR);
	pump(60);
	got[ngot] = '\0';
	check("policy-answers-after-eof",
	    eof && ngot > 100 && strstr(got + 8, "action=") != NULL, "%zu",
	    ngot);
	end();

	begin(CONF_POLICY);
	out("sender=x\n", 9);
	shutdown(peer, SHUT_WR);
	pump(3);
	check("policy-unfinished-dropped", eof && ngot == 0);
	end();

	conf.mock = 1;
	begin(CONF_POLICY);
	check("policy-mock",
	    policy("\n",
		"action=dunno mock header field "
		"that should be ignored\n\n"));
	conf.mock = 0;
	end();
}

/* A peer that pipelines much and reads nothing until later. */
static void
test_backpressure(void)
{
	static const char req[] = REQ("u@pass.test") "\n";
	size_t sent = 0, want = 4000, replies = 0, i;
	ssize_t n, off = 0;
	struct timespec ts = { 0, 1000000 };

	begin(CONF_POLICY);
	for (i = 0; i < 200000 && replies < 2 * want; i++) {
		if (sent < want) {
			n = send(peer, req + off, sizeof(req) - 1 - (size_t)off,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n > 0)
				off += n;
			if (off == sizeof(req) - 1) {
				off = 0;
				sent++;
			}
			if (n > 0)
				continue;
		}
		event_base_loop(stub_base, EVLOOP_NONBLOCK);
		n = recv(peer, got, 3000, MSG_DONTWAIT);
		while (n > 0)
			replies += got[--n] == '\n';
		if (n == -1)
			nanosleep(&ts, NULL);
	}
	check("policy-all-of-4000-pipelined", replies == 2 * want, "%zu",
	    replies);
	end();
}

static void
test_drain(void)
{
	begin(CONF_POLICY);
	env.draining = 1;
	out(REQ("u@pass.test") "\n", sizeof(REQ("u@pass.test") "\n") - 1);
	conn_drain(&env);
	pump(3);
	check("drain-policy-answers-what-came", ngot > 20 && eof);
	end();
	env.draining = 0;

	hello(ALL_STEPS);
	env.draining = 1;
	conn_drain(&env);
	pump(3);
	check("drain-milter-stays-for-its-client", !eof);
	PKT('M', "<u@pass.test>\0");
	PKT('E', "");
	check("drain-milter-goes-on", is(letters(3), "cic") && !eof);
	PKT('K', "");
	pump(3);
	check("drain-milter-ends-between-clients", eof);
	end();
	env.draining = 0;
}

static void
test_cap_and_files(void)
{
	int sv[2], in, p[2];
	unsigned int before;

	begin(CONF_POLICY);
	env.max = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		abort();
	check("cap-refuses",
	    conn_start(&env, CONF_POLICY, sv[1], sv[1]) == -1 &&
		strstr(stub_log, "too many connections") != NULL);
	close(sv[0]);
	env.max = 100;
	end();
	check("count", env.nconn == 0);

	in = open("/dev/null", O_RDONLY);
	before = closed;
	peer = -1;
	if (pipe(p) == -1)
		abort();
	check("dev-null-starts", conn_start(&env, CONF_POLICY, in, p[1]) == 0);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	check("dev-null-ends", closed == before + 1);
	close(p[0]);

	if (pipe(p) == -1 || (in = fileno(tmpfile())) == -1 ||
	    write(in, REQ("u@dunno.test") "\n",
		sizeof(REQ("u@dunno.test") "\n") - 1) == -1)
		abort();
	lseek(in, 0, SEEK_SET);
	before = closed;
	(void)conn_start(&env, CONF_POLICY, in, p[1]);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	memset(got, 0, 100);
	check("file-answered",
	    read(p[0], got, 100) == 14 && is(got, "action=dunno\n\n"));
	check("file-ends", closed == before + 1);
	close(p[0]);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	stub_base = event_base_new();
	stub_conf(&conf);
	env.base = stub_base;
	env.conf = &conf;
	env.max = 100;
	env.closed = on_closed;
	test_milter_message();
	test_milter_verdicts();
	test_milter_skips();
	test_milter_names();
	test_milter_own_ar();
	test_milter_order();
	test_policy();
	test_policy_instance();
	test_policy_one_header();
	test_policy_utf8();
	test_counters();
	test_json();
	test_policy_rough();
	test_backpressure();
	test_drain();
	test_cap_and_files();
	event_base_free(stub_base);
	return check_exit();
}
