/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* What judge_run() must say: see judge.c. */

/* clang-format off */
#ifndef REGRESS_UNIT_JUDGE_CASES_H
#define REGRESS_UNIT_JUDGE_CASES_H

#include "unpriv/judge/judge.h"

/* NULL takes the usual value, "-" means the field is missing. */
struct judge_case {
	const char	*name;
	enum conf_program program;	/* 0: CONF_POLICY */
	const char	*conf;		/* lines of the file */
	const char	*client;	/* 192.0.2.1 */
	const char	*helo;		/* none.test */
	const char	*sender;	/* user@pass.test */
	const char	*recipient;	/* rcpt@dest.test */
	const char	*zone;		/* more of it */
	const char	*want;
	const char	*log;		/* all records, or NULL */
	const char	*asked;		/* "name,name; name", by round */
	int		 peruser, utf8;
};

static const char judge_zone[] =
	"pass.test TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all\n"
	"fail.test TXT v=spf1 -all\n"
	"soft.test TXT v=spf1 ~all\n"
	"neut.test TXT v=spf1 ?all\n"
	"none.test A 192.0.2.99\n"
	"perm.test TXT v=spf1 foo:bar -all\n"
	"temp.test TIMEOUT\n"
	"servfail.test SERVFAIL\n"
	"inj.test TXT v=spf1 -all exp=e.inj.test\n";

#define M		.program = CONF_MILTER
#define FROM(r, tail)	"prepend Received-SPF: " r " (mailfrom) " \
	"identity=mailfrom; " tail
#define HELO(r, why, tail) "prepend Received-SPF: " r " (" why ") " \
	"identity=helo; " tail
#define TAIL(helo, from) "client-ip=192.0.2.1; helo=" helo \
	"; envelope-from=\"" from "\"; receiver=dest.test "
#define PASS		FROM("Pass", TAIL("none.test", "user@pass.test"))
#define SKIP(text, tail) "prepend X-Comment: " text " - " tail
#define PLAIN(ip, helo, from) "client-ip=" ip "; helo=" helo \
	"; envelope-from=" from "; receiver=dest.test "
#define URL(s, id, ip, r) ". Please see http://www.openspf.net/Why?s=" s \
	";id=" id ";ip=" ip ";r=" r
#define REJ(code, why, s, id) "550 " code "Message rejected due to: " why \
	URL(s, id, "192.0.2.1", "dest.test")
#define DEF(why, s, id) "defer_if_permit 4.7.24 Message deferred due to: " \
	why URL(s, id, "192.0.2.1", "dest.test")
#define FAILED		"SPF fail - not authorized"
#define BROKEN		"SPF Permanent Error: Unknown mechanism found: foo:bar"
#define LATE		"SPF Temporary Error: DNS Timeout"
#define AR(r, why, prop, helo, from, rcpt) "prepend Authentication-Results: " \
	"mx.example.test; spf=" r " (" why ") smtp." prop " (client-ip=" \
	"192.0.2.1; helo=" helo "; envelope-from=" from "; receiver=" rcpt ")"
#define MAR(r, why, prop, helo, from) AR(r, why, prop, helo, from, "<UNKNOWN>")
#define MREJ(codes, why, s, id) codes " Message rejected due to: " why \
	URL(s, id, "192.0.2.1", "<UNKNOWN>")

/* clang-format off */
static const struct judge_case judge_cases[] = {
	/* outcome and header, defaults */
	{ .name = "judge/pass", .want = PASS, .log = PASS,
	  .asked = "none.test,pass.test" },
	{ .name = "judge/fail", .sender = "user@fail.test",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "user@fail.test"),
	  .log = REJ("5.7.23 ", FAILED, "mfrom", "user@fail.test") },
	{ .name = "judge/none", .sender = "user@none.test",
	  .want = FROM("None", TAIL("none.test", "user@none.test")) },
	{ .name = "judge/helo-fail", .helo = "fail.test",
	  .want = REJ("5.7.23 ", FAILED, "helo", "fail.test") },
	{ .name = "judge/helo-soft-mfrom-none", .helo = "soft.test",
	  .sender = "user@none.test", .want = HELO("Softfail",
	  "domain owner discourages use of this host",
	  TAIL("soft.test", "user@none.test")) },
	{ .name = "judge/helo-perm-mfrom-none", .helo = "perm.test",
	  .sender = "user@none.test", .want = HELO("Permerror", BROKEN,
	  TAIL("perm.test", "user@none.test")) },
	{ .name = "judge/helo-temp-mfrom-none", .helo = "temp.test",
	  .sender = "user@none.test", .want = HELO("Temperror", LATE,
	  TAIL("temp.test", "user@none.test")) },
	{ .name = "judge/helo-temp-mfrom-pass", .helo = "temp.test",
	  .want = FROM("Pass", TAIL("temp.test", "user@pass.test")) },
	{ .name = "judge/both-pass", .helo = "pass.test",
	  .want = FROM("Pass", TAIL("pass.test", "user@pass.test")),
	  .asked = "pass.test" },
	{ .name = "judge/ip6", .client = "2001:db8::1",
	  .want = FROM("Pass", "client-ip=\"2001:db8::1\"; helo=none.test; "
	  "envelope-from=\"user@pass.test\"; receiver=dest.test ") },
	{ .name = "judge/ip6-fail", .client = "2001:db8::2",
	  .want = "550 5.7.23 Message rejected due to: " FAILED
	  URL("mfrom", "user@pass.test", "2001:db8::2", "dest.test") },
	{ .name = "judge/ip-mapped", .client = "::ffff:192.0.2.1",
	  .want = FROM("Pass", "client-ip=\"::ffff:192.0.2.1\"; "
	  "helo=none.test; envelope-from=\"user@pass.test\"; "
	  "receiver=dest.test ") },
	{ .name = "judge/null-pass", .helo = "pass.test", .sender = "",
	  .want = HELO("Pass", "sender SPF authorized",
	  TAIL("pass.test", "<>")), .asked = "pass.test" },
	{ .name = "judge/null-none", .sender = "",
	  .want = HELO("None", "no SPF record", TAIL("none.test", "<>")) },
	{ .name = "judge/null-fail", .helo = "fail.test", .sender = "",
	  .want = REJ("5.7.23 ", FAILED, "helo", "fail.test") },
	{ .name = "judge/null-no-check", .conf = "HELO_reject = No_Check",
	  .sender = "", .want = "dunno", .asked = "", .log = "" },
	{ .name = "judge/null-mfrom-no-check", .helo = "pass.test",
	  .conf = "Mail_From_reject = No_Check", .sender = "",
	  .want = HELO("Pass", "sender SPF authorized",
	  TAIL("pass.test", "<>")) },
	{ .name = "judge/null-defer", .helo = "temp.test", .sender = "",
	  .conf = "TempError_Defer = True",
	  .want = DEF(LATE, "helo", "temp.test") },
	{ .name = "judge/mfrom-no-check", .sender = "user@perm.test",
	  .conf = "Mail_From_reject = No_Check", .want = HELO("None",
	  "no SPF record", TAIL("none.test", "user@perm.test")),
	  .asked = "none.test" },
	{ .name = "judge/both-no-check", .want = "dunno", .asked = "",
	  .conf = "Mail_From_reject = No_Check\nHELO_reject = No_Check" },
	{ .name = "judge/no-helo-no-sender", .helo = "", .sender = "",
	  .conf = "debugLevel = 2", .want = "dunno",
	  .log = "spfcheck: No sender or helo, exiting" },
	{ .name = "judge/no-helo", .helo = "",
	  .want = FROM("Pass", TAIL("pass.test", "user@pass.test")) },
	{ .name = "judge/missing-helo", .helo = "-",
	  .conf = "HELO_reject = No_Check",
	  .want = FROM("Pass", TAIL("pass.test", "user@pass.test")) },
	{ .name = "judge/no-helo-no-at", .helo = "", .sender = "foo",
	  .want = FROM("None", "client-ip=192.0.2.1; helo=unknown; "
	  "envelope-from=foo; receiver=dest.test ") },
	{ .name = "judge/missing-sender", .helo = "pass.test", .sender = "-",
	  .want = HELO("Pass", "sender SPF authorized",
	  TAIL("pass.test", "<>")) },
	{ .name = "judge/no-address", .client = "-", .conf = "debugLevel = 2",
	  .want = "dunno", .log = "spfcheck: No client address, exiting" },
	{ .name = "judge/bad-address", .client = "unknown", .want = "dunno",
	  .log = "ERROR: no check: \"unknown\" is no client address" },
	{ .name = "judge/empty-address", .client = "", .want = "dunno",
	  .log = "ERROR: no check: \"\" is no client address" },
	{ .name = "judge/helo-literal", .helo = "[192.0.2.1]",
	  .want = FROM("Pass", "client-ip=192.0.2.1; helo=\"[192.0.2.1]\"; "
	  "envelope-from=\"user@pass.test\"; receiver=dest.test ") },

	/* Errors and codes */
	{ .name = "judge/perm-reject", .conf = "PermError_reject = True",
	  .sender = "u@perm.test",
	  .want = REJ("5.7.24 ", BROKEN, "mfrom", "u@perm.test") },
	{ .name = "judge/helo-perm-reject", .conf = "PermError_reject = True",
	  .helo = "perm.test",
	  .want = REJ("5.7.24 ", BROKEN, "helo", "perm.test") },
	{ .name = "judge/temp-defer", .conf = "TempError_Defer = True",
	  .sender = "u@temp.test", .want = DEF(LATE, "mfrom", "u@temp.test"),
	  .log = DEF(LATE, "mfrom", "u@temp.test") },
	{ .name = "judge/rcode-defer", .conf = "TempError_Defer = True\n"
	  "Reason_Message = {rejectdefer}", .sender = "u@servfail.test",
	  .want = "defer_if_permit 4.7.24 deferred" },
	{ .name = "judge/helo-null-note", .conf = "PermError_reject = True\n"
	  "HELO_reject = Null", .helo = "perm.test", .sender = "u@none.test",
	  .want = HELO("Permerror", BROKEN,
	  TAIL("perm.test", "u@none.test")) },
	{ .name = "judge/enhanced-no",
	  .conf = "SPF_Enhanced_Status_Codes = No", .sender = "u@fail.test",
	  .want = REJ("", FAILED, "mfrom", "u@fail.test"),
	  .log = REJ("", FAILED, "mfrom", "u@fail.test") },
	{ .name = "judge/enhanced-no-defer", .sender = "u@temp.test",
	  .conf = "SPF_Enhanced_Status_Codes = No\nTempError_Defer = True\n"
	  "Reason_Message = x", .want = "defer_if_permit x",
	  .log = "defer_if_permit x" },
	{ .name = "judge/reason-empty", .conf = "Reason_Message =",
	  .sender = "u@fail.test", .want = "550 5.7.23 " },

	/* lists */
	{ .name = "list/skip", .client = "127.0.0.1", .asked = "",
	  .sender = "user@fail.test",
	  .want = SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "none.test", "user@fail.test")),
	  .log = SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "none.test", "user@fail.test")) },
	{ .name = "list/skip-mapped", .client = "::ffff:127.0.0.1",
	  .want = SKIP("SPF check N/A for local connections",
	  PLAIN("::ffff:127.0.0.1", "none.test", "user@pass.test")) },
	{ .name = "list/skip-null", .client = "127.0.0.1", .sender = "",
	  .want = SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "none.test", "")) },
	{ .name = "list/skip-missing", .client = "127.0.0.1", .sender = "-",
	  .helo = "-", .want = SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "<UNKNOWN>", "<UNKNOWN>")) },
	{ .name = "list/skip-ar", .client = "127.0.0.1",
	  .conf = "Header_Type = AR", .want = "prepend "
	  "Authentication-Results: mx.example.test; none (SPF check N/A for "
	  "local connections -  client-ip=127.0.0.1; helo=none.test; "
	  "envelope-from=user@pass.test; receiver=dest.test)" },
	{ .name = "list/skip-header-none", .client = "127.0.0.1",
	  .conf = "Header_Type = None", .want = "dunno",
	  .log = "Header field not prepended: X-Comment: SPF check N/A for "
	  "local connections - "
	  PLAIN("127.0.0.1", "none.test", "user@pass.test") },
	{ .name = "list/skip-debug3", .client = "127.0.0.1",
	  .conf = "debugLevel = 3\nReason_Message = x",
	  .want = SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "none.test", "user@pass.test")),
	  .log = "X-Comment: SPF check N/A for local connections - "
	  PLAIN("127.0.0.1", "none.test", "user@pass.test") "\n"
	  "Action: prepend: Text: X-Comment: SPF check N/A for local "
	  "connections - " PLAIN("127.0.0.1", "none.test", "user@pass.test")
	  " Reject action: 550 5.7.23\n"
	  SKIP("SPF check N/A for local connections",
	  PLAIN("127.0.0.1", "none.test", "user@pass.test")) },
	{ .name = "list/whitelist", .conf = "Whitelist = 192.0.2.0/30",
	  .want = SKIP("SPF skipped for whitelisted relay",
	  PLAIN("192.0.2.1", "none.test", "user@pass.test")) },
	{ .name = "list/domain", .conf = "Domain_Whitelist = fail.test,"
	  "pass.test", .sender = "user@fail.test",
	  .want = SKIP("SPF skipped for whitelisted relay domain",
	  PLAIN("192.0.2.1", "none.test", "user@fail.test")) },
	{ .name = "list/domain-no", .conf = "Domain_Whitelist = fail.test,"
	  "none.test,temp.test", .want = PASS,
	  .asked = "fail.test,none.test,temp.test,pass.test" },
	{ .name = "list/domain-null", .conf = "Domain_Whitelist = pass.test",
	  .helo = "fail.test", .sender = "",
	  .want = SKIP("SPF skipped for whitelisted relay domain",
	  PLAIN("192.0.2.1", "fail.test", "")) },
	{ .name = "list/helo", .conf = "HELO_Whitelist = relay.test",
	  .helo = "Relay.test", .zone = "relay.test A 192.0.2.1\n",
	  .want = SKIP("SPF skipped for whitelisted HELO domain",
	  PLAIN("192.0.2.1", "Relay.test", "user@pass.test")) },
	{ .name = "list/helo-ip6", .conf = "HELO_Whitelist = relay.test",
	  .client = "2001:db8::1", .helo = "relay.test",
	  .zone = "relay.test AAAA 2001:db8::1\n",
	  .want = SKIP("SPF skipped for whitelisted HELO domain",
	  PLAIN("2001:db8::1", "relay.test", "user@pass.test")) },
	{ .name = "list/helo-no-address", .helo = "relay.test",
	  .conf = "HELO_Whitelist = relay.test",
	  .zone = "relay.test A 192.0.2.77\n",
	  .want = FROM("Pass", TAIL("relay.test", "user@pass.test")) },
	{ .name = "list/helo-mapped", .conf = "HELO_Whitelist = relay.test",
	  .client = "::ffff:192.0.2.1", .helo = "relay.test",
	  .zone = "relay.test A 192.0.2.1\n",
	  .want = FROM("Pass", "client-ip=\"::ffff:192.0.2.1\"; "
	  "helo=relay.test; envelope-from=\"user@pass.test\"; "
	  "receiver=dest.test ") },
	{ .name = "list/ptr", .conf = "Domain_Whitelist_PTR = yahoo.test",
	  .zone = "1.2.0.192.in-addr.arpa PTR x.other.test\n"
	  "1.2.0.192.in-addr.arpa PTR OUT.Yahoo.TEST\n"
	  "out.yahoo.test A 192.0.2.1\n",
	  .want = SKIP("SPF skipped for PTR whitelisted relay domain",
	  PLAIN("192.0.2.1", "none.test", "user@pass.test")),
	  .asked = "1.2.0.192.in-addr.arpa,none.test,pass.test; "
	  "out.yahoo.test" },
	{ .name = "list/ptr-mapped", .client = "::ffff:192.0.2.1",
	  .conf = "Domain_Whitelist_PTR = .yahoo.test",
	  .zone = "1.2.0.192.in-addr.arpa PTR out.yahoo.test\n"
	  "out.yahoo.test A 192.0.2.1\n",
	  .want = SKIP("SPF skipped for PTR whitelisted relay domain",
	  PLAIN("::ffff:192.0.2.1", "none.test", "user@pass.test")) },
	{ .name = "list/ptr-unconfirmed", .want = PASS,
	  .conf = "Domain_Whitelist_PTR = yahoo.test",
	  .zone = "1.2.0.192.in-addr.arpa PTR out.yahoo.test\n"
	  "out.yahoo.test A 203.0.113.9\n" },
	{ .name = "list/ptr-label-boundary", .want = PASS,
	  .conf = "Domain_Whitelist_PTR = yahoo.test",
	  .zone = "1.2.0.192.in-addr.arpa PTR out.notyahoo.test\n"
	  "out.notyahoo.test A 192.0.2.1\n",
	  .asked = "1.2.0.192.in-addr.arpa,none.test,pass.test" },
	{ .name = "list/ptr-empty-entry", .want = PASS,
	  .conf = "Domain_Whitelist_PTR = yahoo.test,",
	  .zone = "1.2.0.192.in-addr.arpa PTR evil.test\n"
	  "evil.test A 192.0.2.1\n" },
	{ .name = "list/ptr-timeout", .want = PASS,
	  .conf = "Domain_Whitelist_PTR = yahoo.test",
	  .zone = "1.2.0.192.in-addr.arpa TIMEOUT\n" },
	{ .name = "list/order", .conf = "Domain_Whitelist_PTR = relay.test\n"
	  "HELO_Whitelist = relay.test\nDomain_Whitelist = pass.test",
	  .helo = "relay.test", .zone = "relay.test A 192.0.2.1\n"
	  "1.2.0.192.in-addr.arpa PTR relay.test\n",
	  .want = SKIP("SPF skipped for whitelisted relay domain",
	  PLAIN("192.0.2.1", "relay.test", "user@pass.test")) },
	{ .name = "list/milter", M, .client = "127.0.0.1",
	  .conf = "InternalHosts = 192.0.2.200", .want = "prepend "
	  "Authentication-Results: mx.example.test; none (SPF check N/A for "
	  "local connections -  client-ip=127.0.0.1; helo=none.test; "
	  "envelope-from=user@pass.test; receiver=<UNKNOWN>)" },

	/* pass restrictions */
	{ .name = "restrict/mfrom", .want = "mfrom_ok",
	  .conf = "Mail_From_pass_restriction = mfrom_ok",
	  .log = "result_only mfrom_ok" },
	{ .name = "restrict/mfrom-fail", .sender = "u@fail.test",
	  .conf = "Mail_From_pass_restriction = mfrom_ok",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "u@fail.test") },
	{ .name = "restrict/helo-mfrom-none", .want = "helo_ok",
	  .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test",
	  .sender = "u@none.test" },
	{ .name = "restrict/helo-mfrom-fail", .want = "helo_ok",
	  .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test",
	  .sender = "u@fail.test" },
	{ .name = "restrict/helo-mfrom-temp", .want = "helo_ok",
	  .conf = "HELO_pass_restriction = helo_ok\nTempError_Defer = True",
	  .helo = "pass.test", .sender = "u@temp.test" },
	{ .name = "restrict/helo-mfrom-pass-unset", .helo = "pass.test",
	  .conf = "HELO_pass_restriction = helo_ok",
	  .want = FROM("Pass", TAIL("pass.test", "user@pass.test")) },
	{ .name = "restrict/both", .helo = "pass.test", .want = "m_ok, x y",
	  .conf = "HELO_pass_restriction = helo_ok\n"
	  "Mail_From_pass_restriction = m_ok, x y" },
	{ .name = "restrict/helo-fail-first", .helo = "fail.test",
	  .conf = "Mail_From_pass_restriction = mfrom_ok",
	  .want = REJ("5.7.23 ", FAILED, "helo", "fail.test") },
	{ .name = "restrict/null-sender", .helo = "pass.test", .sender = "",
	  .conf = "HELO_pass_restriction = helo_ok", .want = "helo_ok" },
	{ .name = "restrict/helo-null", .helo = "pass.test",
	  .conf = "HELO_reject = Null\nHELO_pass_restriction = helo_ok",
	  .sender = "u@none.test", .want = "helo_ok" },
	{ .name = "restrict/mfrom-no-check", .helo = "pass.test",
	  .conf = "HELO_pass_restriction = helo_ok\n"
	  "Mail_From_reject = No_Check", .want = HELO("Pass",
	  "sender SPF authorized", TAIL("pass.test", "user@pass.test")) },
	{ .name = "restrict/milter", M,
	  .conf = "Mail_From_pass_restriction = x",
	  .want = MAR("pass", "sender SPF authorized",
	  "mailfrom=pass.test", "none.test", "user@pass.test") },

	/* No_Mail */
	{ .name = "no-mail/exact", .conf = "No_Mail = True",
	  .sender = "u@fail.test",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "u@fail.test") },
	{ .name = "no-mail/upper-name", .conf = "No_Mail = True",
	  .helo = "FAIL.test",
	  .want = REJ("5.7.23 ", FAILED, "helo", "FAIL.test") },
	{ .name = "no-mail/other-record", .conf = "No_Mail = True",
	  .client = "192.0.2.9", .want = FROM("Fail", "client-ip=192.0.2.9; "
	  "helo=none.test; envelope-from=\"user@pass.test\"; "
	  "receiver=dest.test ") },
	{ .name = "no-mail/helo-other-record", .conf = "No_Mail = True",
	  .client = "192.0.2.9", .helo = "pass.test", .sender = "u@none.test",
	  .want = HELO("Fail", FAILED, "client-ip=192.0.2.9; "
	  "helo=pass.test; envelope-from=\"u@none.test\"; "
	  "receiver=dest.test ") },
	{ .name = "no-mail/split-record", .conf = "No_Mail = True",
	  .sender = "u@nm.test", .zone = "nm.test TXT v=spf1 |-all\n",
	  .want = FROM("Fail", TAIL("none.test", "u@nm.test")) },
	{ .name = "no-mail/other-txt-first", .conf = "No_Mail = True",
	  .sender = "u@nm.test", .zone = "nm.test TXT other\n"
	  "nm.test TXT v=spf1 -all\n",
	  .want = FROM("Fail", TAIL("none.test", "u@nm.test")) },
	{ .name = "no-mail/permerror", .sender = "u@perm.test",
	  .conf = "No_Mail = True\nPermError_reject = True",
	  .want = FROM("Permerror", TAIL("none.test", "u@perm.test")) },
	{ .name = "no-mail/two-at", .conf = "No_Mail = True",
	  .sender = "a@b@fail.test",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "a@b@fail.test") },
	{ .name = "no-mail/no-txt", .conf = "No_Mail = True\n"
	  "PermError_reject = True\nVoid_Limit = 0", .sender = "u@none.test",
	  .want = FROM("None", TAIL("none.test", "u@none.test")) },

	/* Reject_Not_Pass_Domains; COMPAT "subdomains" */
	{ .name = "domains/softfail", .sender = "u@soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test,neut.test",
	  .want = REJ("5.7.23 ", "Receiver policy for SPF Softfail", "mfrom",
	  "u@soft.test") },
	{ .name = "domains/below", .sender = "u@sub.soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test",
	  .zone = "sub.soft.test TXT v=spf1 ~all\n",
	  .want = REJ("5.7.23 ", "Receiver policy for SPF Softfail", "mfrom",
	  "u@sub.soft.test") },
	{ .name = "domains/parent", .sender = "u@soft.test",
	  .conf = "Reject_Not_Pass_Domains = mail.soft.test",
	  .want = FROM("Softfail", TAIL("none.test", "u@soft.test")) },
	{ .name = "domains/helo", .helo = "soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test",
	  .want = REJ("5.7.23 ", "Receiver policy for SPF Softfail", "helo",
	  "soft.test") },
	{ .name = "domains/pass-ar", .conf = "Header_Type = AR\n"
	  "Reject_Not_Pass_Domains = pass.test",
	  .want = AR("pass", "Receiver policy for SPF Pass",
	  "mailfrom=pass.test", "none.test", "user@pass.test", "dest.test") },
	{ .name = "domains/none-ar", .conf = "Header_Type = AR\n"
	  "Reject_Not_Pass_Domains = none.test", .sender = "u@none.test",
	  .want = AR("none", "no SPF record", "mailfrom=none.test",
	  "none.test", "u@none.test", "dest.test") },
	{ .name = "domains/over-false", .sender = "u@soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test\n"
	  "Mail_From_reject = False", .want = REJ("5.7.23 ",
	  "Receiver policy for SPF Softfail", "mfrom", "u@soft.test") },
	{ .name = "domains/helo-null", .helo = "soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test\nHELO_reject = Null",
	  .sender = "u@none.test", .want = HELO("Softfail",
	  "domain owner discourages use of this host",
	  TAIL("soft.test", "u@none.test")) },
	{ .name = "domains/no-check", .helo = "soft.test",
	  .conf = "Reject_Not_Pass_Domains = soft.test\n"
	  "HELO_reject = No_Check", .sender = "u@none.test",
	  .want = FROM("None", TAIL("soft.test", "u@none.test")) },

	/* Prospective, TestOnly */
	{ .name = "prospective/pass", .conf = "Prospective = 192.0.2.1",
	  .client = "10.9.9.9", .want = "dunno", .log = "" },
	{ .name = "prospective/fail", .conf = "Prospective = 192.0.2.50",
	  .client = "10.9.9.9", .want = "550 5.7.23 Message rejected due "
	  "to: " FAILED URL("mfrom", "user@pass.test", "192.0.2.50",
	  "dest.test") },
	{ .name = "prospective/skip-not-client",
	  .conf = "Prospective = 192.0.2.50\nReason_Message = x",
	  .client = "127.0.0.1", .want = "550 5.7.23 x" },
	{ .name = "prospective/skip", .conf = "Prospective = 127.0.0.1",
	  .client = "10.9.9.9", .sender = "u@fail.test", .want = "dunno",
	  .log = "", .asked = "" },
	{ .name = "prospective/milter", M, .client = "10.9.9.9",
	  .conf = "Prospective = 192.0.2.1",
	  .want = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test") },
	{ .name = "testonly/pass", .conf = "TestOnly = 0", .want = PASS },
	{ .name = "testonly/2", .conf = "TestOnly = 2\nReason_Message = x",
	  .sender = "u@fail.test", .want = "550 5.7.23 x" },
	{ .name = "testonly/fail", .sender = "u@fail.test",
	  .conf = "TestOnly = 0\nReason_Message = x", .want = "dunno",
	  .log = "TestOnly = 0, not done: 550 5.7.23 x" },
	{ .name = "testonly/defer", .sender = "u@temp.test",
	  .conf = "TestOnly = 0\nTempError_Defer = True\nReason_Message = x",
	  .want = "dunno",
	  .log = "TestOnly = 0, not done: defer_if_permit 4.7.24 x" },
	{ .name = "testonly/restriction", .conf = "TestOnly = 0\n"
	  "Mail_From_pass_restriction = ok", .want = "dunno",
	  .log = "TestOnly = 0, not done: result_only ok" },
	{ .name = "testonly/milter", M, .sender = "u@fail.test",
	  .conf = "TestOnly = 0\nReason_Message = x",
	  .want = MAR("fail", FAILED, "mailfrom=fail.test", "none.test",
	  "u@fail.test"), .log = "TestOnly = 0, not done: 5.7.23 x\n"
	  MAR("fail", FAILED, "mailfrom=fail.test", "none.test",
	  "u@fail.test") },
	{ .name = "testonly/milter-helo", M, .helo = "fail.test",
	  .conf = "TestOnly = 0\nHeader_Type = None\nReason_Message = x",
	  .want = "dunno", .log = "TestOnly = 0, not done: 5.7.23 x\n"
	  "Header field not prepended: Received-SPF: Fail (" FAILED ") "
	  "identity=helo; client-ip=192.0.2.1; helo=fail.test; "
	  "envelope-from=\"user@pass.test\"; receiver=\"<UNKNOWN>\" " },

	/* Header_Type, receiver */
	{ .name = "header/ar", .conf = "Header_Type = AR",
	  .want = AR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test", "dest.test") },
	{ .name = "header/ar-helo", .conf = "Header_Type = AR",
	  .helo = "neut.test", .sender = "u@none.test",
	  .want = AR("neutral", "access neither permitted nor denied",
	  "helo=neut.test", "neut.test", "u@none.test", "dest.test") },
	{ .name = "header/ar-null", .conf = "Header_Type = AR",
	  .helo = "pass.test", .sender = "",
	  .want = AR("pass", "sender SPF authorized", "helo=pass.test",
	  "pass.test", "<>", "dest.test") },
	{ .name = "header/none", .conf = "Header_Type = None",
	  .want = "dunno", .log = "Header field not prepended: Received-SPF: "
	  "Pass (mailfrom) identity=mailfrom; "
	  TAIL("none.test", "user@pass.test") },
	{ .name = "header/hide", .conf = "Hide_Receiver = Yes",
	  .want = FROM("Pass", "client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=\"user@pass.test\"; receiver=\"<UNKNOWN>\" ") },
	{ .name = "header/hide-reply", .conf = "Hide_Receiver = Yes",
	  .sender = "u@fail.test", .recipient = "-",
	  .want = "550 5.7.23 Message rejected due to: " FAILED
	  URL("mfrom", "u@fail.test", "192.0.2.1", "<UNKNOWN>") },
	{ .name = "header/no-recipient", .recipient = "-",
	  .want = FROM("Pass", "client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=\"user@pass.test\"; receiver=none ") },
	{ .name = "header/recipient-no-at", .recipient = "root",
	  .want = FROM("Pass", "client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=\"user@pass.test\"; receiver=root ") },
	{ .name = "header/peruser", .peruser = 1,
	  .conf = "Hide_Receiver = Yes",
	  .want = FROM("Pass", "client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=\"user@pass.test\"; "
	  "receiver=\"rcpt@dest.test\" ") },
	{ .name = "header/exp", .conf = "HELO_reject = False",
	  .helo = "inj.test", .sender = "u@none.test",
	  .zone = "e.inj.test TXT x) identity=mailfrom; receiver=%{i}\n",
	  .want = HELO("Fail", "x\\) identity\\=mailfrom; "
	  "receiver=192.0.2.1", TAIL("inj.test", "u@none.test")) },
	{ .name = "header/exp-softfail", .conf = "Header_Type = AR",
	  .sender = "u@softexp.test",
	  .zone = "softexp.test TXT v=spf1 ~all exp=e.softexp.test\n"
	  "e.softexp.test TXT hm (%{d})\n",
	  .want = AR("softfail", "hm \\(softexp.test\\)",
	  "mailfrom=softexp.test", "none.test", "u@softexp.test",
	  "dest.test") },
	{ .name = "header/exp-reject", .sender = "u@inj.test",
	  .zone = "e.inj.test TXT c=%{c} l=%{l}\n",
	  .want = REJ("5.7.23 ", "c=192.0.2.1 l=u", "mfrom", "u@inj.test") },

	/* COMPAT "last-at", "trailing-dot", "quote", "case" */
	{ .name = "last-at/internal-form", .sender = "u@x@fail.test",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "u@x@fail.test") },
	{ .name = "last-at/quoted", .sender = "\"u@x\"@pass.test",
	  .want = FROM("Pass", TAIL("none.test",
	  "\\\"u@x\\\"@pass.test")) },
	{ .name = "trailing-dot/fail", .sender = "u@fail.test.",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "u@fail.test") },
	{ .name = "trailing-dot/header", .sender = "u@pass.test.",
	  .helo = "none.test.", .recipient = "r@dest.test.",
	  .want = FROM("Pass", TAIL("none.test", "u@pass.test")) },
	{ .name = "trailing-dot/helo", .helo = "fail.test.",
	  .want = REJ("5.7.23 ", FAILED, "helo", "fail.test") },
	{ .name = "quote/ar-sender", M,
	  .sender = "\"x); dkim=pass header.d=bank.test (y\"@pass.test",
	  .want = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "\"x\\); dkim\\=pass header.d=bank.test "
	  "\\(y\"@pass.test") },
	{ .name = "quote/control", .sender = "u\x07\x1b[31m\tx@pass.test",
	  .want = FROM("Pass", TAIL("none.test", "u??[31m?x@pass.test")) },
	{ .name = "quote/reply", .sender = "u\r\nx%@fail.test",
	  .want = REJ("5.7.23 ", FAILED, "mfrom", "u??x%@fail.test") },
	{ .name = "quote/utf8-off", .sender = "us\xc3\xa9r@pass.test",
	  .want = FROM("Pass", TAIL("none.test", "us??r@pass.test")) },
	{ .name = "quote/utf8-on", .sender = "us\xc3\xa9r@pass.test",
	  .utf8 = 1,
	  .want = FROM("Pass", TAIL("none.test", "us\xc3\xa9r@pass.test")) },
	{ .name = "quote/u-label", .conf = "Header_Type = AR",
	  .sender = "u@ex\xc3\xa4mple.test",
	  .zone = "xn--exmple-cua.test TXT v=spf1 +all\n",
	  .want = AR("pass", "sender SPF authorized",
	  "mailfrom=xn--exmple-cua.test", "none.test",
	  "u@xn--exmple-cua.test", "dest.test") },
	{ .name = "case/local-part", .sender = "User@PASS.Test",
	  .want = FROM("Pass", TAIL("none.test", "User@PASS.Test")) },

	/* The milter's texts */
	{ .name = "milter/pass", M,
	  .want = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test"),
	  .log = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test") },
	{ .name = "milter/header-type", M, .conf = "Header_Type = SPF",
	  .want = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test") },
	{ .name = "milter/fail", M, .sender = "u@fail.test",
	  .want = MREJ("550 5.7.23", FAILED, "mfrom", "u@fail.test"),
	  .log = MREJ("5.7.23", FAILED, "mfrom", "u@fail.test") },
	{ .name = "milter/perm", M, .sender = "u@perm.test",
	  .conf = "PermError_reject = True",
	  .want = MREJ("550 5.7.24", BROKEN, "mfrom", "u@perm.test"),
	  .log = MREJ("5.7.24", BROKEN, "mfrom", "u@perm.test") },
	{ .name = "milter/defer", M, .sender = "u@temp.test",
	  .conf = "TempError_Defer = True\nReason_Message = x",
	  .want = "450 4.7.24 x", .log = "4.7.24 x" },
	{ .name = "milter/enhanced-no", M, .sender = "u@fail.test",
	  .conf = "SPF_Enhanced_Status_Codes = No\nReason_Message = x",
	  .want = "550 5.7.1 x", .log = "5.7.1 x" },
	{ .name = "milter/enhanced-no-defer", M, .sender = "u@temp.test",
	  .conf = "SPF_Enhanced_Status_Codes = No\nReason_Message = x\n"
	  "TempError_Defer = True", .want = "450 4.7.1 x" },
	{ .name = "milter/null-no-check", M, .sender = "",
	  .conf = "HELO_reject = No_Check", .want = "dunno", .log = "" },
	{ .name = "milter/header-none", M, .conf = "Header_Type = None",
	  .want = "dunno", .log = "Header field not prepended: Received-SPF: "
	  "Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; "
	  "helo=none.test; envelope-from=\"user@pass.test\"; "
	  "receiver=\"<UNKNOWN>\" " },
	{ .name = "milter/hide", M, .conf = "Hide_Receiver = No",
	  .want = MAR("pass", "sender SPF authorized", "mailfrom=pass.test",
	  "none.test", "user@pass.test") },

	/* debug 0, 2 and 3 */
	{ .name = "log/0", .conf = "debugLevel = 0", .want = PASS,
	  .log = "" },
	{ .name = "log/2", .conf = "debugLevel = 2", .want = PASS,
	  .log = "spfcheck: pyspf result: \"['None', '', 'helo']\"\n"
	  "None; identity=helo; client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=user@pass.test; receiver=dest.test \n"
	  "spfcheck: pyspf result: \"['Pass', 'sender SPF authorized', "
	  "'mailfrom']\"\n"
	  "Pass; identity=mailfrom; client-ip=192.0.2.1; helo=none.test; "
	  "envelope-from=user@pass.test; receiver=dest.test \n" PASS },
	{ .name = "log/2-helo-header", .conf = "debugLevel = 2",
	  .helo = "soft.test", .sender = "u@none.test",
	  .want = HELO("Softfail",
	  "domain owner discourages use of this host",
	  TAIL("soft.test", "u@none.test")),
	  .log = "spfcheck: pyspf result: \"['Softfail', 'domain owner "
	  "discourages use of this host', 'helo']\"\n"
	  "Softfail; identity=helo; client-ip=192.0.2.1; helo=soft.test; "
	  "envelope-from=u@none.test; receiver=dest.test \n"
	  "spfcheck: pyspf result: \"['None', '', 'mailfrom']\"\n"
	  HELO("Softfail", "domain owner discourages use of this host",
	  TAIL("soft.test", "u@none.test")) },
	{ .name = "log/3", .conf = "debugLevel = 3\nReason_Message = it's",
	  .helo = "inj.test", .zone = "e.inj.test TXT it's\n",
	  .want = "550 5.7.23 it's",
	  .log = "spfcheck: pyspf result: \"['Fail', \"it's\", 'helo']\"\n"
	  "Fail; identity=helo; client-ip=192.0.2.1; helo=inj.test; "
	  "envelope-from=user@pass.test; receiver=dest.test \n"
	  "Action: reject: Text: it's Reject action: 550 5.7.23\n"
	  "550 5.7.23 it's" },

	/* COMPAT "none-skip", and what is asked when */
	{ .name = "none-skip/not-asked", .conf = "HELO_reject = False",
	  .helo = "fail.test", .asked = "pass.test",
	  .want = FROM("Pass", TAIL("fail.test", "user@pass.test")) },
	{ .name = "none-skip/for-header", .conf = "HELO_reject = False",
	  .helo = "soft.test", .sender = "u@none.test",
	  .asked = "none.test; soft.test", .want = HELO("Softfail",
	  "domain owner discourages use of this host",
	  TAIL("soft.test", "u@none.test")) },
	{ .name = "none-skip/null-other", .conf = "HELO_reject = Null",
	  .helo = "fail.test", .asked = "pass.test",
	  .want = FROM("Pass", TAIL("fail.test", "user@pass.test")) },
	{ .name = "none-skip/null-bounce", .conf = "HELO_reject = Null\n"
	  "Reason_Message = x", .helo = "fail.test", .sender = "",
	  .want = "550 5.7.23 x" },
	{ .name = "asked/helo-decides-mfrom-unknown", .helo = "fail.test",
	  .conf = "Reason_Message = x", .sender = "u@temp.test",
	  .want = "550 5.7.23 x", .asked = "fail.test,temp.test" }
};
/* clang-format on */

#endif
