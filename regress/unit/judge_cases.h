/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* What judge_run() must say: see judge.c. */

/* clang-format off */
#ifndef REGRESS_UNIT_JUDGE_CASES_H
#define REGRESS_UNIT_JUDGE_CASES_H

#include "unpriv/judge/judge.h"

/*
 * NULL takes the usual value, "-" means the field is missing. In what is
 * wanted, {c}, {h}, {s} stand for client, helo and sender of the case, {r} for
 * the receiver: the domain of the usual recipient, <UNKNOWN> for a milter.
 */
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
	const char	*log;		/* all records, SAME as want, or NULL */
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
	"temp.test ANY !TIMEOUT\n"
	"servfail.test ANY !TEMPERROR\n"
	"inj.test TXT v=spf1 -all exp=e.inj.test\n"
	"six.test TXT v=spf1 a:h.six.test mx:h.six.test a:h.six.test exists:h.six.test ip4:192.0.2.1 -all\n"
	"h.six.test AAAA 2001:db8::99\n"
	"h.six.test MX h.six.test\n";

#define C(n, w, ...)	{ .name = n, .want = w, __VA_ARGS__ }
#define SAME		"="
#define MILTER		.program = CONF_MILTER

/* Why: texts of results. */
#define OK		"sender SPF authorized"
#define FAILED		"SPF fail - not authorized"
#define SOFTLY		"domain owner discourages use of this host"
#define NO_RECORD	"no SPF record"
#define BROKEN		"SPF Permanent Error: Unknown mechanism found: foo:bar"
#define LATE		"SPF Temporary Error: DNS Timeout"
#define LOCAL		"SPF check N/A for local connections"
#define SKIPPED		"SPF skipped for "
#define POLICY		"Receiver policy for SPF Softfail"

/* The fields' tails: as they are, or with some values quoted or shown anew. */
#define SHOWN(ip, helo, from, receiver) "client-ip=" ip "; helo=" helo \
	"; envelope-from=" from "; receiver=" receiver
#define PLAIN		SHOWN("{c}", "{h}", "{s}", "{r}")
#define PAIRS		SHOWN("{c}", "{h}", "\"{s}\"", "{r}") " "

#define RECEIVED(r, why, id) \
	"prepend Received-SPF: " r " (" why ") identity=" id "; "
#define FROM(r)		RECEIVED(r, "mailfrom", "mailfrom") PAIRS
#define FROM_AS(r, ...)	RECEIVED(r, "mailfrom", "mailfrom") \
	SHOWN(__VA_ARGS__) " "
#define PASS		FROM("Pass")
#define HELO(r, why)	RECEIVED(r, why, "helo") PAIRS
#define HELO_AS(r, why, ...) RECEIVED(r, why, "helo") SHOWN(__VA_ARGS__) " "
#define AR_FIELD	"prepend Authentication-Results: mx.example.test; "
#define AR(r, why, prop) \
	AR_FIELD "spf=" r " (" why ") smtp." prop " (" PLAIN ")"
#define AR_AS(r, why, prop, ...) \
	AR_FIELD "spf=" r " (" why ") smtp." prop " (" SHOWN(__VA_ARGS__) ")"
#define AR_NONE		AR_FIELD "none (" LOCAL " -  " PLAIN ")"
#define SKIP(text)	"prepend X-Comment: " text " - " PLAIN " "
#define SKIP_AS(text, ...) "prepend X-Comment: " text " - " \
	SHOWN(__VA_ARGS__) " "

#define URL(s, id, ip, r) ". Please see http://www.openspf.net/Why?s=" s \
	";id=" id ";ip=" ip ";r=" r
#define REJ(code, why, s, id, ip, r) code "Message rejected due to: " why \
	URL(s, id, ip, r)
#define REJ_FROM_AS(code, why) REJ(code, why, "mfrom", "{s}", "{c}", "{r}")
#define REJ_HELO_AS(code, why) REJ(code, why, "helo", "{h}", "{c}", "{r}")
#define REJ_FROM	REJ_FROM_AS("550 5.7.23 ", FAILED)
#define REJ_HELO	REJ_HELO_AS("550 5.7.23 ", FAILED)
#define REJ_FROM_POLICY	REJ_FROM_AS("550 5.7.23 ", POLICY)
#define REJ_HELO_POLICY	REJ_HELO_AS("550 5.7.23 ", POLICY)
#define DEFER(s, id) "defer_if_permit 4.7.24 Message deferred due to: " LATE \
	URL(s, id, "{c}", "{r}")

static const struct judge_case judge_cases[] = {
/* outcome and header, defaults */
C("judge/pass", PASS, .log = SAME, .asked = "none.test,pass.test"),
C("judge/fail", REJ_FROM, .sender = "user@fail.test", .log = SAME),
C("judge/none", FROM("None"), .sender = "user@none.test"),
C("judge/helo-fail", REJ_HELO, .helo = "fail.test"),
C("judge/helo-soft-mfrom-none", HELO("Softfail", SOFTLY), .helo = "soft.test", .sender = "user@none.test"),
C("judge/helo-perm-mfrom-none", HELO("Permerror", BROKEN), .helo = "perm.test", .sender = "user@none.test"),
C("judge/helo-temp-mfrom-none", HELO("Temperror", LATE), .helo = "temp.test", .sender = "user@none.test"),
C("judge/helo-temp-mfrom-pass", PASS, .helo = "temp.test"),
C("judge/both-pass", PASS, .helo = "pass.test", .asked = "pass.test"),
C("judge/ip6", FROM_AS("Pass", "\"{c}\"", "{h}", "\"{s}\"", "{r}"), .client = "2001:db8::1"),
C("judge/ip6-fail", REJ_FROM, .client = "2001:db8::2"),
C("judge/ip-mapped", FROM_AS("Pass", "\"{c}\"", "{h}", "\"{s}\"", "{r}"), .client = "::ffff:192.0.2.1"),
C("judge/null-pass", HELO_AS("Pass", OK, "{c}", "{h}", "\"<>\"", "{r}"), .helo = "pass.test", .sender = "",
    .asked = "pass.test"),
C("judge/null-none", HELO_AS("None", NO_RECORD, "{c}", "{h}", "\"<>\"", "{r}"), .sender = ""),
C("judge/null-fail", REJ_HELO, .helo = "fail.test", .sender = ""),
C("judge/null-no-check", "dunno", .conf = "HELO_reject = No_Check", .sender = "", .log = "", .asked = ""),
C("judge/null-mfrom-no-check", HELO_AS("Pass", OK, "{c}", "{h}", "\"<>\"", "{r}"),
    .conf = "Mail_From_reject = No_Check", .helo = "pass.test", .sender = ""),
C("judge/null-defer", DEFER("helo", "{h}"), .conf = "TempError_Defer = True", .helo = "temp.test", .sender = ""),
C("judge/mfrom-no-check", HELO("None", NO_RECORD), .conf = "Mail_From_reject = No_Check", .sender = "user@perm.test",
    .asked = "none.test"),
C("judge/both-no-check", "dunno", .conf = "Mail_From_reject = No_Check\nHELO_reject = No_Check", .asked = ""),
C("judge/no-helo-no-sender", "dunno", .conf = "debugLevel = 2", .helo = "", .sender = "",
    .log = "spfcheck: No sender or helo, exiting"),
C("judge/no-helo", FROM_AS("Pass", "{c}", "pass.test", "\"{s}\"", "{r}"), .helo = ""),
C("judge/missing-helo", FROM_AS("Pass", "{c}", "pass.test", "\"{s}\"", "{r}"), .conf = "HELO_reject = No_Check",
    .helo = "-"),
C("judge/no-helo-no-at", FROM_AS("None", "{c}", "unknown", "foo", "{r}"), .helo = "", .sender = "foo"),
C("judge/missing-sender", HELO_AS("Pass", OK, "{c}", "{h}", "\"<>\"", "{r}"), .helo = "pass.test", .sender = "-"),
C("judge/no-address", "dunno", .conf = "debugLevel = 2", .client = "-", .log = "spfcheck: No client address, exiting"),
C("judge/bad-address", "dunno", .client = "unknown", .log = "ERROR: no check: \"unknown\" is no client address"),
C("judge/empty-address", "dunno", .client = "", .log = "ERROR: no check: \"\" is no client address"),
C("judge/helo-literal", FROM_AS("Pass", "{c}", "\"[192.0.2.1]\"", "\"{s}\"", "{r}"), .helo = "[192.0.2.1]"),

/* Errors and codes */
C("judge/perm-reject", REJ_FROM_AS("550 5.7.24 ", BROKEN), .conf = "PermError_reject = True", .sender = "u@perm.test"),
C("judge/helo-perm-reject", REJ_HELO_AS("550 5.7.24 ", BROKEN), .conf = "PermError_reject = True", .helo = "perm.test"),
C("judge/temp-defer", DEFER("mfrom", "{s}"), .conf = "TempError_Defer = True", .sender = "u@temp.test", .log = SAME),
C("judge/rcode-defer", "defer_if_permit 4.7.24 deferred",
    .conf = "TempError_Defer = True\nReason_Message = {rejectdefer}", .sender = "u@servfail.test"),
C("judge/helo-null", FROM("None"), .conf = "PermError_reject = True\nHELO_reject = Null",
    .helo = "perm.test", .sender = "u@none.test"),
C("judge/enhanced-no", REJ_FROM_AS("550 ", FAILED), .conf = "SPF_Enhanced_Status_Codes = No", .sender = "u@fail.test",
    .log = SAME),
C("judge/enhanced-no-defer", "defer_if_permit x",
    .conf = "SPF_Enhanced_Status_Codes = No\nTempError_Defer = True\nReason_Message = x", .sender = "u@temp.test",
    .log = SAME),
C("judge/reason-empty", "550 5.7.23 ", .conf = "Reason_Message =", .sender = "u@fail.test"),

/* lists */
C("list/skip", SKIP(LOCAL), .client = "127.0.0.1", .sender = "user@fail.test", .log = SAME, .asked = ""),
C("list/skip-mapped", SKIP(LOCAL), .client = "::ffff:127.0.0.1"),
C("list/skip-null", SKIP(LOCAL), .client = "127.0.0.1", .sender = ""),
C("list/skip-missing", SKIP_AS(LOCAL, "{c}", "<UNKNOWN>", "<UNKNOWN>", "{r}"), .client = "127.0.0.1", .helo = "-",
    .sender = "-"),
C("list/skip-ar", AR_NONE,
    .conf = "Header_Type = AR", .client = "127.0.0.1"),
C("list/skip-header-none", "dunno", .conf = "Header_Type = None", .client = "127.0.0.1",
    .log = "Header field not prepended: X-Comment: " LOCAL " - " PLAIN " "),
C("list/skip-debug3", SKIP(LOCAL), .conf = "debugLevel = 3\nReason_Message = x", .client = "127.0.0.1",
    .log = "X-Comment: " LOCAL " - " PLAIN " \nAction: prepend: Text: X-Comment: " LOCAL " - " PLAIN
    "  Reject action: 550 5.7.23\nprepend X-Comment: " LOCAL " - " PLAIN " "),
C("list/whitelist", SKIP(SKIPPED "whitelisted relay"), .conf = "Whitelist = 192.0.2.0/30"),
C("list/domain", SKIP(SKIPPED "whitelisted relay domain"), .conf = "Domain_Whitelist = fail.test,pass.test",
    .sender = "user@fail.test"),
C("list/domain-no", PASS, .conf = "Domain_Whitelist = fail.test,none.test,temp.test",
    .asked = "fail.test,none.test,temp.test,pass.test"),
C("list/domain-null", SKIP(SKIPPED "whitelisted relay domain"), .conf = "Domain_Whitelist = pass.test",
    .helo = "fail.test", .sender = ""),
C("list/domain-void", PASS, .conf = "Domain_Whitelist = six.test"),
C("list/domain-void-any", SKIP(SKIPPED "whitelisted relay domain"),
    .conf = "Domain_Whitelist = six.test\nVoid_Family = any", .sender = "user@fail.test"),
C("list/helo", SKIP(SKIPPED "whitelisted HELO domain"), .conf = "HELO_Whitelist = relay.test", .helo = "Relay.test",
    .zone = "relay.test A 192.0.2.1\n"),
C("list/helo-ip6", SKIP(SKIPPED "whitelisted HELO domain"), .conf = "HELO_Whitelist = relay.test",
    .client = "2001:db8::1", .helo = "relay.test", .zone = "relay.test AAAA 2001:db8::1\n"),
C("list/helo-no-address", PASS, .conf = "HELO_Whitelist = relay.test", .helo = "relay.test",
    .zone = "relay.test A 192.0.2.77\n"),
C("list/helo-mapped", FROM_AS("Pass", "\"{c}\"", "{h}", "\"{s}\"", "{r}"), .conf = "HELO_Whitelist = relay.test",
    .client = "::ffff:192.0.2.1", .helo = "relay.test", .zone = "relay.test A 192.0.2.1\n"),
C("list/ptr", SKIP(SKIPPED "PTR whitelisted relay domain"), .conf = "Domain_Whitelist_PTR = yahoo.test",
    .zone = "1.2.0.192.in-addr.arpa PTR x.other.test\n1.2.0.192.in-addr.arpa PTR OUT.Yahoo.TEST\n"
    "out.yahoo.test A 192.0.2.1\n", .asked = "1.2.0.192.in-addr.arpa,none.test,pass.test; out.yahoo.test"),
C("list/ptr-mapped", SKIP(SKIPPED "PTR whitelisted relay domain"), .conf = "Domain_Whitelist_PTR = .yahoo.test",
    .client = "::ffff:192.0.2.1", .zone = "1.2.0.192.in-addr.arpa PTR out.yahoo.test\nout.yahoo.test A 192.0.2.1\n"),
C("list/ptr-unconfirmed", PASS, .conf = "Domain_Whitelist_PTR = yahoo.test",
    .zone = "1.2.0.192.in-addr.arpa PTR out.yahoo.test\nout.yahoo.test A 203.0.113.9\n"),
C("list/ptr-label-boundary", PASS, .conf = "Domain_Whitelist_PTR = yahoo.test",
    .zone = "1.2.0.192.in-addr.arpa PTR out.notyahoo.test\nout.notyahoo.test A 192.0.2.1\n",
    .asked = "1.2.0.192.in-addr.arpa,none.test,pass.test"),
C("list/ptr-empty-entry", PASS, .conf = "Domain_Whitelist_PTR = yahoo.test,",
    .zone = "1.2.0.192.in-addr.arpa PTR evil.test\nevil.test A 192.0.2.1\n"),
C("list/ptr-timeout", PASS, .conf = "Domain_Whitelist_PTR = yahoo.test",
    .zone = "1.2.0.192.in-addr.arpa ANY !TIMEOUT\n"),
C("list/order", SKIP(SKIPPED "whitelisted relay domain"),
    .conf = "Domain_Whitelist_PTR = relay.test\nHELO_Whitelist = relay.test\nDomain_Whitelist = pass.test",
    .helo = "relay.test", .zone = "relay.test A 192.0.2.1\n1.2.0.192.in-addr.arpa PTR relay.test\n"),
C("list/milter", AR_NONE, MILTER,
    .conf = "InternalHosts = 192.0.2.200", .client = "127.0.0.1"),

/* pass restrictions */
C("restrict/mfrom", "mfrom_ok", .conf = "Mail_From_pass_restriction = mfrom_ok", .log = "result_only mfrom_ok"),
C("restrict/mfrom-fail", REJ_FROM, .conf = "Mail_From_pass_restriction = mfrom_ok", .sender = "u@fail.test"),
C("restrict/helo-mfrom-none", "helo_ok", .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test",
    .sender = "u@none.test"),
C("restrict/helo-mfrom-fail", "helo_ok", .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test",
    .sender = "u@fail.test"),
C("restrict/helo-mfrom-temp", "helo_ok", .conf = "HELO_pass_restriction = helo_ok\nTempError_Defer = True",
    .helo = "pass.test", .sender = "u@temp.test"),
C("restrict/helo-mfrom-pass-unset", PASS, .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test"),
C("restrict/both", "m_ok, x y", .conf = "HELO_pass_restriction = helo_ok\nMail_From_pass_restriction = m_ok, x y",
    .helo = "pass.test"),
C("restrict/helo-fail-first", REJ_HELO, .conf = "Mail_From_pass_restriction = mfrom_ok", .helo = "fail.test"),
C("restrict/null-sender", "helo_ok", .conf = "HELO_pass_restriction = helo_ok", .helo = "pass.test", .sender = ""),
C("restrict/helo-null", FROM("None"), .conf = "HELO_reject = Null\nHELO_pass_restriction = helo_ok", .helo = "pass.test",
    .sender = "u@none.test"),
C("restrict/mfrom-no-check", HELO("Pass", OK), .conf = "HELO_pass_restriction = helo_ok\nMail_From_reject = No_Check",
    .helo = "pass.test"),
C("restrict/milter", AR("pass", OK, "mailfrom=pass.test"), MILTER, .conf = "Mail_From_pass_restriction = x"),

/* No_Mail */
C("no-mail/exact", REJ_FROM, .conf = "No_Mail = True", .sender = "u@fail.test"),
C("no-mail/upper-name", REJ_HELO, .conf = "No_Mail = True", .helo = "FAIL.test"),
C("no-mail/other-record", FROM("Fail"), .conf = "No_Mail = True", .client = "192.0.2.9"),
C("no-mail/helo-other-record", HELO("Fail", FAILED), .conf = "No_Mail = True", .client = "192.0.2.9",
    .helo = "pass.test", .sender = "u@none.test"),
C("no-mail/split-record", FROM("Fail"), .conf = "No_Mail = True", .sender = "u@nm.test",
    .zone = "nm.test TXT v=spf1 |-all\n"),
C("no-mail/other-txt-first", FROM("Fail"), .conf = "No_Mail = True", .sender = "u@nm.test",
    .zone = "nm.test TXT other\nnm.test TXT v=spf1 -all\n"),
C("no-mail/permerror", FROM("Permerror"), .conf = "No_Mail = True\nPermError_reject = True", .sender = "u@perm.test"),
C("no-mail/two-at", REJ_FROM, .conf = "No_Mail = True", .sender = "a@b@fail.test"),
C("no-mail/no-txt", FROM("None"), .conf = "No_Mail = True\nPermError_reject = True\nVoid_Limit = 0",
    .sender = "u@none.test"),
C("void-any/passes", PASS, .conf = "Void_Family = any", .sender = "u@six.test"),

/* Reject_Not_Pass_Domains; COMPAT "subdomains" */
C("domains/softfail", REJ_FROM_POLICY, .conf = "Reject_Not_Pass_Domains = soft.test,neut.test",
    .sender = "u@soft.test"),
C("domains/below", REJ_FROM_POLICY, .conf = "Reject_Not_Pass_Domains = soft.test", .sender = "u@sub.soft.test",
    .zone = "sub.soft.test TXT v=spf1 ~all\n"),
C("domains/parent", FROM("Softfail"), .conf = "Reject_Not_Pass_Domains = mail.soft.test", .sender = "u@soft.test"),
C("domains/helo", REJ_HELO_POLICY, .conf = "Reject_Not_Pass_Domains = soft.test", .helo = "soft.test"),
C("domains/pass-ar", AR("pass", "Receiver policy for SPF Pass", "mailfrom=pass.test"),
    .conf = "Header_Type = AR\nReject_Not_Pass_Domains = pass.test"),
C("domains/none-ar", AR("none", NO_RECORD, "mailfrom=none.test"),
    .conf = "Header_Type = AR\nReject_Not_Pass_Domains = none.test", .sender = "u@none.test"),
C("domains/over-false", REJ_FROM_POLICY, .conf = "Reject_Not_Pass_Domains = soft.test\nMail_From_reject = False",
    .sender = "u@soft.test"),
C("domains/helo-null", FROM("None"), .conf = "Reject_Not_Pass_Domains = soft.test\nHELO_reject = Null",
    .helo = "soft.test", .sender = "u@none.test"),
C("domains/no-check", FROM("None"), .conf = "Reject_Not_Pass_Domains = soft.test\nHELO_reject = No_Check",
    .helo = "soft.test", .sender = "u@none.test"),

/* Prospective, TestOnly */
C("prospective/pass", "dunno", .conf = "Prospective = 192.0.2.1", .client = "10.9.9.9", .log = ""),
C("prospective/fail", REJ("550 5.7.23 ", FAILED, "mfrom", "user@pass.test", "192.0.2.50", "{r}"),
    .conf = "Prospective = 192.0.2.50", .client = "10.9.9.9"),
C("prospective/skip-not-client", "550 5.7.23 x", .conf = "Prospective = 192.0.2.50\nReason_Message = x",
    .client = "127.0.0.1"),
C("prospective/skip", "dunno", .conf = "Prospective = 127.0.0.1", .client = "10.9.9.9", .sender = "u@fail.test",
    .log = "", .asked = ""),
C("prospective/milter", AR_AS("pass", OK, "mailfrom=pass.test", "192.0.2.1", "{h}", "{s}", "{r}"), MILTER,
    .conf = "Prospective = 192.0.2.1", .client = "10.9.9.9"),
C("testonly/pass", PASS, .conf = "TestOnly = 0"),
C("testonly/2", "550 5.7.23 x", .conf = "TestOnly = 2\nReason_Message = x", .sender = "u@fail.test"),
C("testonly/fail", "dunno", .conf = "TestOnly = 0\nReason_Message = x", .sender = "u@fail.test",
    .log = "TestOnly = 0, not done: 550 5.7.23 x"),
C("testonly/defer", "dunno", .conf = "TestOnly = 0\nTempError_Defer = True\nReason_Message = x",
    .sender = "u@temp.test", .log = "TestOnly = 0, not done: defer_if_permit 4.7.24 x"),
C("testonly/restriction", "dunno", .conf = "TestOnly = 0\nMail_From_pass_restriction = ok",
    .log = "TestOnly = 0, not done: result_only ok"),
C("testonly/milter", AR("fail", FAILED, "mailfrom=fail.test"), MILTER, .conf = "TestOnly = 0\nReason_Message = x",
    .sender = "u@fail.test",
    .log = "TestOnly = 0, not done: 5.7.23 x\nprepend Authentication-Results: mx.example.test; spf=fail (" FAILED
    ") smtp.mailfrom=fail.test (" PLAIN ")"),
C("testonly/milter-helo", "dunno", MILTER, .conf = "TestOnly = 0\nHeader_Type = None\nReason_Message = x",
    .helo = "fail.test", .log = "TestOnly = 0, not done: 5.7.23 x\nHeader field not prepended: Received-SPF: Fail ("
    FAILED
    ") identity=helo; client-ip=192.0.2.1; helo=fail.test; envelope-from=\"user@pass.test\"; receiver=\"<UNKNOWN>\" "),

/* Header_Type, receiver */
C("header/ar", AR("pass", OK, "mailfrom=pass.test"), .conf = "Header_Type = AR"),
C("header/ar-helo", AR("neutral", "access neither permitted nor denied", "helo=neut.test"), .conf = "Header_Type = AR",
    .helo = "neut.test", .sender = "u@none.test"),
C("header/ar-null", AR_AS("pass", OK, "helo=pass.test", "{c}", "{h}", "<>", "{r}"), .conf = "Header_Type = AR",
    .helo = "pass.test", .sender = ""),
C("header/none", "dunno", .conf = "Header_Type = None",
    .log = "Header field not prepended: Received-SPF: Pass (mailfrom) identity=mailfrom; " PAIRS),
C("header/hide", FROM_AS("Pass", "{c}", "{h}", "\"{s}\"", "\"<UNKNOWN>\""), .conf = "Hide_Receiver = Yes"),
C("header/hide-reply", REJ("550 5.7.23 ", FAILED, "mfrom", "u@fail.test", "{c}", "<UNKNOWN>"),
    .conf = "Hide_Receiver = Yes", .sender = "u@fail.test", .recipient = "-"),
C("header/no-recipient", FROM_AS("Pass", "{c}", "{h}", "\"{s}\"", "none"), .recipient = "-"),
C("header/recipient-no-at", FROM_AS("Pass", "{c}", "{h}", "\"{s}\"", "root"), .recipient = "root"),
C("header/peruser", FROM_AS("Pass", "{c}", "{h}", "\"{s}\"", "\"rcpt@dest.test\""), .peruser = 1,
    .conf = "Hide_Receiver = Yes"),
C("header/exp", HELO("Fail", "x\\) identity\\=mailfrom; receiver=192.0.2.1"), .conf = "HELO_reject = False",
    .helo = "inj.test", .sender = "u@none.test", .zone = "e.inj.test TXT x) identity=mailfrom; receiver=%{i}\n"),
C("header/exp-softfail", AR("softfail", "hm \\(softexp.test\\)", "mailfrom=softexp.test"), .conf = "Header_Type = AR",
    .sender = "u@softexp.test",
    .zone = "softexp.test TXT v=spf1 ~all exp=e.softexp.test\ne.softexp.test TXT hm (%{d})\n"),
C("header/exp-reject", REJ_FROM_AS("550 5.7.23 ", "c=192.0.2.1 l=u"), .sender = "u@inj.test",
    .zone = "e.inj.test TXT c=%{c} l=%{l}\n"),

/* COMPAT "last-at", "trailing-dot", "quote", "case" */
C("last-at/internal-form", REJ_FROM, .sender = "u@x@fail.test"),
C("last-at/quoted", FROM_AS("Pass", "{c}", "{h}", "\"\\\"u@x\\\"@pass.test\"", "{r}"), .sender = "\"u@x\"@pass.test"),
C("trailing-dot/fail", REJ("550 5.7.23 ", FAILED, "mfrom", "u@fail.test", "{c}", "{r}"), .sender = "u@fail.test."),
C("trailing-dot/header", FROM_AS("Pass", "{c}", "none.test", "\"u@pass.test\"", "{r}"), .helo = "none.test.",
    .sender = "u@pass.test.", .recipient = "r@dest.test."),
C("trailing-dot/helo", REJ("550 5.7.23 ", FAILED, "helo", "fail.test", "{c}", "{r}"), .helo = "fail.test."),
C("quote/ar-sender", AR_AS("pass", OK, "mailfrom=pass.test", "{c}", "{h}",
    "\"x\\); dkim\\=pass header.d=bank.test \\(y\"@pass.test", "{r}"), MILTER,
    .sender = "\"x); dkim=pass header.d=bank.test (y\"@pass.test"),
C("quote/control", FROM_AS("Pass", "{c}", "{h}", "\"u??[31m?x@pass.test\"", "{r}"),
    .sender = "u\007\033[31m\011x@pass.test"),
C("quote/reply", REJ("550 5.7.23 ", FAILED, "mfrom", "u??x%@fail.test", "{c}", "{r}"), .sender = "u\r\nx%@fail.test"),
C("quote/utf8-off", FROM_AS("Pass", "{c}", "{h}", "\"us??r@pass.test\"", "{r}"), .sender = "us\303\251r@pass.test"),
C("quote/utf8-on", PASS, .utf8 = 1, .sender = "us\303\251r@pass.test"),
C("quote/u-label", AR_AS("pass", OK, "mailfrom=xn--exmple-cua.test", "{c}", "{h}", "u@xn--exmple-cua.test", "{r}"),
    .conf = "Header_Type = AR", .sender = "u@ex\303\244mple.test", .zone = "xn--exmple-cua.test TXT v=spf1 +all\n"),
C("case/local-part", PASS, .sender = "User@PASS.Test"),

/* The milter's texts */
C("milter/pass", AR("pass", OK, "mailfrom=pass.test"), MILTER, .log = SAME),
C("milter/header-type", AR("pass", OK, "mailfrom=pass.test"), MILTER, .conf = "Header_Type = SPF"),
C("milter/fail", REJ_FROM, MILTER, .sender = "u@fail.test", .log = REJ_FROM_AS("5.7.23 ", FAILED)),
C("milter/perm", REJ_FROM_AS("550 5.7.24 ", BROKEN), MILTER, .conf = "PermError_reject = True", .sender = "u@perm.test",
    .log = REJ_FROM_AS("5.7.24 ", BROKEN)),
C("milter/defer", "450 4.7.24 x", MILTER, .conf = "TempError_Defer = True\nReason_Message = x", .sender = "u@temp.test",
    .log = "4.7.24 x"),
C("milter/enhanced-no", "550 5.7.1 x", MILTER, .conf = "SPF_Enhanced_Status_Codes = No\nReason_Message = x",
    .sender = "u@fail.test", .log = "5.7.1 x"),
C("milter/enhanced-no-defer", "450 4.7.1 x", MILTER,
    .conf = "SPF_Enhanced_Status_Codes = No\nReason_Message = x\nTempError_Defer = True", .sender = "u@temp.test"),
C("milter/null-no-check", "dunno", MILTER, .conf = "HELO_reject = No_Check", .sender = "", .log = ""),
C("milter/header-none", "dunno", MILTER, .conf = "Header_Type = None",
    .log = "Header field not prepended: Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; "
    "helo=none.test; envelope-from=\"user@pass.test\"; receiver=\"<UNKNOWN>\" "),
C("milter/hide", AR("pass", OK, "mailfrom=pass.test"), MILTER, .conf = "Hide_Receiver = No"),

/* debug 0, 2 and 3 */
C("log/0", PASS, .conf = "debugLevel = 0", .log = ""),
C("log/2", PASS, .conf = "debugLevel = 2",
    .log = "spfcheck: pyspf result: \"['None', '', 'helo']\"\nNone; identity=helo; " PLAIN
    " \nspfcheck: pyspf result: \"['Pass', '" OK "', 'mailfrom']\"\nPass; identity=mailfrom; " PLAIN
    " \nprepend Received-SPF: Pass (mailfrom) identity=mailfrom; " PAIRS),
C("log/2-helo-header", HELO("Softfail", SOFTLY), .conf = "debugLevel = 2", .helo = "soft.test", .sender = "u@none.test",
    .log = "spfcheck: pyspf result: \"['Softfail', '" SOFTLY "', 'helo']\"\nSoftfail; identity=helo; " PLAIN
    " \nspfcheck: pyspf result: \"['None', '', 'mailfrom']\"\nprepend Received-SPF: Softfail (" SOFTLY
    ") identity=helo; " PAIRS),
C("log/3", "550 5.7.23 it's", .conf = "debugLevel = 3\nReason_Message = it's", .helo = "inj.test",
    .zone = "e.inj.test TXT it's\n",
    .log = "spfcheck: pyspf result: \"['Fail', \"it's\", 'helo']\"\nFail; identity=helo; " PLAIN
    " \nAction: reject: Text: it's Reject action: 550 5.7.23\n550 5.7.23 it's"),

/* COMPAT "none-skip", and what is asked when */
C("none-skip/not-asked", PASS, .conf = "HELO_reject = False", .helo = "fail.test", .asked = "pass.test"),
C("none-skip/for-header", HELO("Softfail", SOFTLY), .conf = "HELO_reject = False", .helo = "soft.test",
    .sender = "u@none.test", .asked = "none.test; soft.test"),
C("none-skip/null-other", PASS, .conf = "HELO_reject = Null", .helo = "fail.test", .asked = "pass.test"),
C("helo-null/not-asked", FROM("None"), .conf = "HELO_reject = Null\nHELO_pass_restriction = x", .helo = "pass.test",
    .sender = "u@none.test", .asked = "none.test"),
C("helo-null/no-check", "dunno", .conf = "HELO_reject = Null\nMail_From_reject = No_Check", .helo = "fail.test",
    .asked = ""),
C("none-skip/null-bounce", "550 5.7.23 x", .conf = "HELO_reject = Null\nReason_Message = x", .helo = "fail.test",
    .sender = ""),
C("asked/helo-decides-mfrom-unknown", "550 5.7.23 x", .conf = "Reason_Message = x", .helo = "fail.test",
    .sender = "u@temp.test", .asked = "fail.test,temp.test"),
};

#endif
