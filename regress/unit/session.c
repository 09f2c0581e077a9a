/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. Both sessions over a socket pair, with a judge of stubs. */

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "proto/stats.h"
#include "regress/unit/check.h"
#include "regress/unit/session_cases.h"
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
/* Payloads: the client's name, "4" for IPv4, a port, an address. */
#define CONNECT	     "none.test\0004\020\341192.0.2.1\0"
#define INSIDE	     "none.test\0004\000\001192.0.2.7\0"
#define BOGUS	     "h\0004\0\1bogus\0"
#define MAIL(sender) PKT('M', "<" sender ">\0")
#define SASL	     PKT('D', "M{auth_authen}\0joe\0")
#define OWN_AR(rest) \
	PKT('L', "Authentication-Results\0mx.example.test; " rest "\0")

/* Waits for replies; their letters must be these. */
#define expect(name, want) check_str(name, letters(3), want)

/* A sender; and one with the end of the message. */
#define FROM(name, sender, want)    \
	do {                        \
		MAIL(sender);       \
		expect(name, want); \
	} while (0)
#define SENT(name, sender, want)    \
	do {                        \
		MAIL(sender);       \
		PKT('E', "");       \
		expect(name, want); \
	} while (0)

static void
milter(const char *steps)
{
	begin(CONF_MILTER);
	negotiate(steps);
}

static void
hello(const char *steps)
{
	milter(steps);
	PKT('C', CONNECT);
	PKT('H', "helo.test\0");
	(void)letters(3);
}

static void
test_milter_message(void)
{
	milter(NO_STEPS);
	expect("milter-optneg", "O");
	PKT('C', CONNECT);
	expect("milter-connect-answered", "c");
	check_str("milter-connect-line", stub_log,
	    "connect from none.test at ('192.0.2.1', 4321) EXTERNAL\n");
	PKT('H', "helo.test\0");
	expect("milter-helo-answered", "c");
	check_int("milter-helo-prefetched", stub_prefetches, 1);
	PKT('M', "<\"A@b\"@Pass.Test>\0SIZE=3\0");
	expect("milter-mail", "c");
	check_str("milter-request", stub_sender, "A@b@pass.test");
	check_str("milter-request-helo", stub_helo, "helo.test");
	check_int("milter-request-client", stub_seen.client.family, 4);
	check_int("milter-request-smtputf8", stub_seen.smtputf8, 0);
	PKT('R', "<a@b>\0");
	PKT('T', "");
	PKT('L', "From\0a\0");
	PKT('N', "");
	PKT('B', "hi");
	check_str("milter-rest-answered", letters(5), "ccccc");
	PKT('E', "");
	expect("milter-eom-inserts", "ic");
	PKT('M', "<u@pass.test>\0SMTPUTF8\0");
	expect("milter-second-message", "c");
	check_int("milter-second-check", stub_checks, 2);
	check_int("milter-second-smtputf8", stub_seen.smtputf8, 1);
	PKT('A', "");
	PKT('Q', "");
	pump(5);
	check("milter-quit-closes", eof && ngot == 0);
	end();
}

static void
test_milter_verdicts(void)
{
	static const char reject[] = "y550 5.7.23 no 100%% pass";

	hello(ALL_STEPS);
	MAIL("u@fail.test");
	pump(3);
	check_mem("milter-reject", got + 4, ngot - 4, reject, sizeof(reject));
	ngot = 0;
	MAIL("u@defer.test");
	pump(3);
	check_str("milter-defer-has-enhanced-code", got + 4,
	    "y450 4.7.1 later");
	ngot = 0;
	SENT("milter-pass-after-reject", "u@pass.test", "cic");
	MAIL("u@fail.test");
	(void)letters(3);
	PKT('E', "");
	expect("milter-nothing-after-reject", "c");
	SENT("milter-nothing", "u@dunno.test", "cc");
	MAIL("u@slow.test");
	PKT('E', "");
	check_str("milter-pipelined-waits", letters(5), "");
	stub_later(-1, 0, stub_pending);
	check_str("milter-slow", letters(5), "cic");
	end();
	hello(ALL_STEPS);
	MAIL("u@never.test");
	pump(3);
	end();
	pump(3);
	check_int("milter-eof-cancels", stub_cancels, 1);
	check_int("milter-eof-closes", env.nconn, 0);
	hello(ALL_STEPS);
	MAIL("u@never.test");
	pkt('B', got, 30000);
	pump(5);
	end();
	pump(5);
	check_int("milter-eof-cancels-behind-input", stub_cancels, 1);
	check_int("milter-eof-closes-behind-input", env.nconn, 0);
}

static void
test_milter_skips(void)
{
	hello(ALL_STEPS);
	SASL;
	FROM("milter-authenticated", "u@fail.test", "c");
	check_int("milter-authenticated-unchecked", stub_checks, 0);
	FROM("milter-auth-is-for-one-message", "u@fail.test", "y");
	PKT('D', "M{auth_authen}\0\0");
	FROM("milter-auth-empty", "u@fail.test", "y");
	end();

	milter(ALL_STEPS);
	PKT('C', "h\0U");
	FROM("milter-unknown-family", "u@fail.test", "Oc");
	check_int("milter-unknown-family-unchecked", stub_checks, 0);
	check_str("milter-unknown-family-line", stub_log,
	    "connect from h at None EXTERNAL\n");
	PKT('C', BOGUS);
	FROM("milter-connect-in-message-closes", "u@fail.test", "");
	check("milter-connect-in-message-eof", eof);
	end();

	milter(ALL_STEPS);
	PKT('C', BOGUS);
	FROM("milter-bad-address", "u@fail.test", "Oc");
	check_has("milter-bad-address-line", stub_log,
	    "no usable client address");
	PKT('A', "");
	PKT('K', "");
	PKT('C', CONNECT);
	FROM("milter-quit-nc", "u@fail.test", "y");
	end();

	milter(ALL_STEPS);
	FROM("milter-mail-before-connect", "u@fail.test", "Oc");
	check_int("milter-mail-before-connect-unchecked", stub_checks, 0);
	end();
}

static void
internal_hosts(size_t n)
{
	static char name[] = "internal.test";
	static struct conf_host h = { .kind = HOST_DOMAIN, .name = name };

	conf.internal_hosts = (struct conf_hosts){ &h, n };
}

static void
test_milter_names(void)
{
	internal_hosts(1);
	milter(ALL_STEPS);
	PKT('C', INSIDE);
	PKT('H', "x\0");
	MAIL("u@fail.test");
	check_str("milter-name-waits", letters(2), "O");
	check_str("milter-name-confirmed", letters(40), "c");
	check_int("milter-name-confirmed-unchecked", stub_checks, 0);
	check_has("milter-name-confirmed-line", stub_log, "INTERNAL");
	end();
	milter(ALL_STEPS);
	PKT('C', CONNECT);
	MAIL("u@fail.test");
	check_str("milter-name-not-confirmed", letters(40), "Oy");
	check_has("milter-name-not-confirmed-line", stub_log, "EXTERNAL");
	end();
	milter(ALL_STEPS);
	PKT('C', CONNECT);
	MAIL("u@fail.test");
	pump(2);
	end();
	pump(20);
	check_int("milter-name-eof", env.nconn, 0);
	internal_hosts(0);
}

static void
test_milter_own_ar(void)
{
	int i;

	hello(ALL_STEPS);
	MAIL("u@pass.test");
	OWN_AR("spf=pass");
	PKT('L', "From\0a@b\0");
	PKT('L', "authentication-results\0other; spf=pass\0");
	PKT('L', "AUTHENTICATION-RESULTS\0(x) \"mx.example.test\" 1; a\0");
	PKT('E', "");
	pump(3);
	/* c; then the third field, the first, the insertion, c */
	check("milter-own-ar-last-first",
	    ngot > 60 && got[5 + 4] == 'm' && got[5 + 8] == 3 &&
		got[5 + 33 + 8] == 1);
	check_str("milter-own-ar-removed", letters(1), "cmmic");
	MAIL("u@local.test");
	OWN_AR("spf=pass");
	PKT('E', "");
	expect("milter-own-ar-kept-for-skip_addresses", "cic");
	MAIL("u@pass.test");
	for (i = 0; i < 1001; i++) {
		OWN_AR("a");
		if (i % 100 == 0)
			pump(1);
	}
	PKT('E', "");
	check_str("milter-own-ar-flood-refused", letters(30), "cy");
	end();
}

static void
test_milter_order(void)
{
	size_t i;

	for (i = 0; i < NITEMS(closing); i++) {
		if (closing[i].first)
			begin(CONF_MILTER);
		else
			hello(ALL_STEPS);
		pkt(closing[i].cmd, closing[i].data, closing[i].len);
		pump(3);
		check(closing[i].name, eof && ngot == 0);
		check_has(check_name("%s-line", closing[i].name), stub_log,
		    "milter connection closed: ");
		end();
	}
	hello(NO_STEPS);
	PKT('E', "");
	PKT('R', "<a>\0");
	PKT('L', "a\0b\0");
	PKT('U', "FOO\0");
	expect("milter-misplaced-answered", "cccc");
	check("milter-misplaced-goes-on", !eof);
	end();
	begin(CONF_MILTER);
	out("\xff\xff\xff\xffO", 5);
	pump(3);
	check("milter-4GiB-packet", eof);
	check_has("milter-4GiB-packet-line", stub_log, "length");
	end();
}

/* The answer to a request; the log begins anew. */
static const char *
policy(const char *in)
{
	stub_log[0] = '\0';
	out(in, strlen(in));
	pump(3);
	got[ngot] = '\0';
	ngot = 0;
	return got;
}

static void
test_asks(const struct ask *q, size_t n)
{
	static char user[] = "own@dest.test";
	static struct conf own;
	struct conf_user u = { user, &own };

	stub_conf(&own);
	conf.users = (struct conf_users){ &u, 1 };
	begin(CONF_POLICY);
	for (; n > 0; q++, n--) {
		check_str(q->name, policy(q->request), q->want);
		check_int(check_name("%s/checks", q->name), stub_checks,
		    q->checks);
		check_int(check_name("%s/own", q->name), stub_seen.conf == &own,
		    q->own);
		if (q->log != NULL)
			check_str(check_name("%s/log", q->name), stub_log,
			    q->log);
	}
	end();
	conf.users.n = 0;
}

static void
test_policy_case(void)
{
	begin(CONF_POLICY);
	(void)policy(REQ("U.X@Pass.Test") "\n");
	check_str("policy-case", stub_sender, "U.X@pass.test");
	check_str("policy-case-helo", stub_helo, "helo.test");
	end();
}

static void
test_policy_utf8(void)
{
	size_t i;

	for (i = 0; i < NITEMS(utf8); i++) {
		begin(CONF_POLICY);
		check_str(check_name("%s/answer", utf8[i].name),
		    policy(utf8[i].request), HEADER);
		check_int(utf8[i].name, stub_seen.smtputf8, utf8[i].smtputf8);
		end();
	}
}

/* What stat_inc() and its kin were given since the last call. */
static void
grew(const char *name, enum stat_id id, uint64_t by)
{
	static struct stats old;

	check_int(name, stats->v[id] - old.v[id], by);
	old.v[id] = stats->v[id];
}

static void
test_counters(void)
{
	memset(stats, 0, sizeof(*stats));
	hello(ALL_STEPS);
	grew("count-milter", STAT_CONN_MILTER, 1);
	grew("count-milter-is-not-policy", STAT_CONN_POLICY, 0);
	check_int("count-milter-open", stats->v[STAT_CONN_OPEN], 1);
	SASL;
	MAIL("u@fail.test");
	(void)letters(3);
	grew("count-authenticated", STAT_SKIP_AUTH, 1);
	MAIL("u@pass.test");
	OWN_AR("a");
	OWN_AR("b");
	PKT('E', "");
	(void)letters(3);
	grew("count-own-ar", STAT_OWN_AR_REMOVED, 2);
	pkt('H', "x", 1);
	(void)letters(3);
	grew("count-milter-error", STAT_PROTO_ERROR_MILTER, 1);
	grew("count-milter-error-is-not-policy", STAT_PROTO_ERROR_POLICY, 0);
	end();
	check_int("count-closed", stats->v[STAT_CONN_OPEN], 0);
	internal_hosts(1);
	milter(ALL_STEPS);
	PKT('C', INSIDE);
	MAIL("u@fail.test");
	MAIL("u@fail.test");
	(void)letters(40);
	grew("count-internal", STAT_SKIP_INTERNAL, 2);
	grew("count-internal-is-not-macro", STAT_SKIP_MACRO, 0);
	internal_hosts(0);
	end();
	begin(CONF_POLICY);
	(void)policy(TO("r@d", "u@fail.test", "i"));
	(void)policy(TO("r@d", "u@fail.test", "i"));
	(void)policy(TO("r@d", "u@pass.test", "j"));
	(void)policy(TO("r@d", "u@pass.test", "j"));
	(void)policy(TO("r@d", "u@pass.test", ""));
	grew("count-policy", STAT_CONN_POLICY, 1);
	grew("count-policy-instance", STAT_SKIP_INSTANCE, 2);
	(void)policy(REQ("u@fail.test") "sasl_username=j\n\n");
	grew("count-policy-authenticated", STAT_SKIP_AUTH, 1);
	end();
}

/* The log is one line that begins so. */
static void
logged(const char *name, const char *begins)
{
	char *newline = strchr(stub_log, '\n');

	check(name, strncmp(stub_log, begins, strlen(begins)) == 0, "%s",
	    stub_log);
	check(check_name("%s-one-line", name),
	    newline != NULL && newline[1] == '\0', "%s", stub_log);
}

static void
test_json_milter(void)
{
	conf.log_format = LOGFORMAT_JSON;
	milter(ALL_STEPS);
	PKT('C', CONNECT);
	PKT('H', "he\"lo\x01\xff.test\0");
	PKT('D', "Mi\0004xQ1\0");
	MAIL("u@fail.test");
	(void)letters(3);
	logged("json-milter",
	    "{\"event\":\"spf\","
	    "\"protocol\":\"milter\",\"queue_id\":\"4xQ1\","
	    "\"client\":\"192.0.2.1\",\"client_name\":\"none.test\","
	    "\"helo\":\"he\\\"lo\\u0001\\ufffd.test\","
	    "\"sender\":\"u@fail.test\",\"action\":\"reject\","
	    "\"code\":\"550\",\"enhanced_code\":\"5.7.23\","
	    "\"text\":\"no 100% pass\",\"ms\":");
	check("json-one-line",
	    strchr(stub_log, '\n') == stub_log + strlen(stub_log) - 1);
	stub_log[0] = '\0';
	MAIL("u@fail.test");
	(void)letters(3);
	check("json-queue-id-is-for-one-message",
	    strstr(stub_log, "queue_id") == NULL && stub_log[0] == '{', "%s",
	    stub_log);
	stub_log[0] = '\0';
	SASL;
	MAIL("u@fail.test");
	(void)letters(3);
	check_has("json-skipped", stub_log,
	    "\"sender\":\"u@fail.test\","
	    "\"skipped\":\"authenticated\",\"action\":\"nothing\",\"ms\":");
	conf.log_format = LOGFORMAT_CLASSIC;
	end();
}

static void
test_json_policy(void)
{
	conf.log_format = LOGFORMAT_JSON;
	begin(CONF_POLICY);
	(void)policy(TO("r@d", "u@fail.test", "i"));
	logged("json-policy",
	    "{\"event\":\"spf\","
	    "\"protocol\":\"policy\",\"client\":\"192.0.2.1\","
	    "\"helo\":\"h.test\",\"sender\":\"u@fail.test\","
	    "\"recipient\":\"r@d\",\"instance\":\"i\",\"action\":\"reject\"");
	(void)policy(TO("r@d", "u@fail.test", "i"));
	check_has("json-cached", stub_log,
	    "\"action\":\"reject\","
	    "\"text\":\"550 5.7.23 no 100% pass\",\"cached\":true,");
	logged("json-cached-begins", "{");
	conf.debug_level = 0;
	(void)policy(TO("r@d", "u@fail.test", ""));
	check_str("json-quiet", stub_log, "");
	conf.debug_level = 1;
	conf.log_format = LOGFORMAT_CLASSIC;
	end();
}

static void
test_policy_rough(void)
{
	static const char two[] =
	    REQ("u@slow.test") "\n" REQ("u@pass.test") "\n";
	char big[5000];
	int i;

	begin(CONF_POLICY);
	memset(big, 'a', sizeof(big));
	for (i = 0; i < 20 && !eof; i++) {
		(void)send(peer, big, sizeof(big), MSG_NOSIGNAL);
		pump(1);
	}
	check("policy-64k-line-closed", eof && ngot == 0);
	check_has("policy-64k-line-line", stub_log,
	    "policy connection closed: a request of more than 64 KiB");
	end();

	begin(CONF_POLICY);
	out(two, sizeof(two) - 1);
	shutdown(peer, SHUT_WR);
	pump(5);
	stub_later(-1, 0, stub_pending);
	pump(5);
	got[ngot] = '\0';
	check("policy-answers-after-eof", eof);
	check_str("policy-answers-after-eof-both", got, HEADER HEADER);
	end();

	begin(CONF_POLICY);
	out("sender=x\n", 9);
	shutdown(peer, SHUT_WR);
	pump(3);
	check("policy-unfinished-dropped", eof && ngot == 0);
	end();

	conf.mock = 1;
	begin(CONF_POLICY);
	check_str("policy-mock", policy("\n"),
	    "action=dunno mock header field that should be ignored\n\n");
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
	check_int("policy-all-of-4000-pipelined", replies, 2 * want);
	end();
}

static void
test_drain(void)
{
	begin(CONF_POLICY);
	env.draining = 1;
	out(REQ("u@pass.test") "\n", sizeof(REQ("u@pass.test")));
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
	SENT("drain-milter-goes-on", "u@pass.test", "cic");
	check("drain-milter-stays", !eof);
	PKT('K', "");
	pump(3);
	check("drain-milter-ends-between-clients", eof);
	end();
	env.draining = 0;
}

static void
test_cap(void)
{
	int sv[2];

	begin(CONF_POLICY);
	env.max = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == -1)
		abort();
	check_int("cap-refuses", conn_start(&env, CONF_POLICY, sv[1], sv[1]),
	    -1);
	check_has("cap-refuses-line", stub_log, "too many connections");
	close(sv[0]);
	env.max = 100;
	end();
	check_int("count", env.nconn, 0);
}

/* Input that is no socket, as spawn(8) and an administrator may have it. */
static void
test_files(void)
{
	static const char req[] = REQ("u@dunno.test") "\n";
	unsigned int before = closed;
	int in, p[2];

	in = open("/dev/null", O_RDONLY);
	peer = -1;
	if (pipe(p) == -1)
		abort();
	check_int("dev-null-starts", conn_start(&env, CONF_POLICY, in, p[1]),
	    0);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	check_int("dev-null-ends", closed, before + 1);
	close(p[0]);

	if (pipe(p) == -1 || (in = fileno(tmpfile())) == -1 ||
	    write(in, req, sizeof(req) - 1) == -1)
		abort();
	lseek(in, 0, SEEK_SET);
	before = closed;
	(void)conn_start(&env, CONF_POLICY, in, p[1]);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	event_base_loop(stub_base, EVLOOP_NONBLOCK);
	memset(got, 0, 100);
	check_int("file-answered", read(p[0], got, 100), 14);
	check_str("file-answer", got, DUNNO);
	check_int("file-ends", closed, before + 1);
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
	test_asks(policy_asks, NITEMS(policy_asks));
	test_asks(instance_asks, NITEMS(instance_asks));
	test_asks(header_asks, NITEMS(header_asks));
	test_policy_case();
	test_policy_utf8();
	test_counters();
	test_json_milter();
	test_json_policy();
	test_policy_rough();
	test_backpressure();
	test_drain();
	test_cap();
	test_files();
	event_base_free(stub_base);
	return check_exit();
}
