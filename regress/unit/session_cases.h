/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. What the sessions of session.c receive. */

/* clang-format off */
/* Packets that end the connection: some first of all, some after HELO. */
static const struct {
	const char *name;
	int first;
	char cmd;
	const char *data;
	size_t len;
} closing[] = {
	{ "milter-mail-before-optneg", 1, 'M', "<u@x>\0", 6 },
	{ "milter-unknown-command", 1, 'z', "", 0 },
	{ "milter-optneg-short", 1, 'O', "\0\0\0\6", 4 },
	{ "milter-optneg-v1", 1, 'O', "\0\0\0\1\0\0\0\1\0\0\0\0", 12 },
	{ "milter-optneg-twice", 0, 'O', "\0\0\0\6\0\0\0\1\0\0\0\0", 12 },
	{ "milter-helo-no-nul", 0, 'H', "abc", 3 },
	{ "milter-connect-no-nul", 0, 'C', "abc", 3 },
	{ "milter-mail-no-nul", 0, 'M', "<u@x>", 5 },
	{ "milter-mail-empty", 0, 'M', "", 0 },
	{ "milter-macro-no-nul", 0, 'D', "Mabc", 4 },
	{ "milter-macro-empty", 0, 'D', "", 0 },
};

#define REQ(sender) "request=smtpd_access_policy\nclient_address=192.0.2.1\n" \
	"helo_name=HELO.Test\nsender=" sender "\nrecipient=R@Dest.Test\n"
#define TO(rcpt, sender, inst) "client_address=192.0.2.1\nhelo_name=h.test\n" \
	"sender=" sender "\nrecipient=" rcpt "\ninstance=" inst "\n\n"
#define OWN(sender, inst) TO("Own@dest.test", sender, inst)
#define R(sender, inst) TO("r@dest.test", sender, inst)
#define S(sender, inst) TO("s@dest.test", sender, inst)
#define HEADER "action=prepend Authentication-Results: " \
	"mx.example.test; spf=pass\n\n"
#define REJECT	"action=550 5.7.23 no 100% pass\n\n"
#define DUNNO	"action=dunno\n\n"
#define PERMIT	"action=permit\n\n"

/*
 * Requests of one connection: the answer, how many checks there were so far,
 * whether the last had the settings of own@dest.test, and what is logged
 * (NULL: anything).
 */
struct ask {
	const char *name, *request, *want;
	unsigned int checks;
	int own;
	const char *log;
};

static const struct ask policy_asks[] = {
	{ "policy-prepend", REQ("U.X@Pass.Test") "\n", HEADER, 1, 0, NULL },
	{ "policy-reject", REQ("u@fail.test") "\n", REJECT, 2, 0, NULL },
	{ "policy-defer", REQ("u@defer.test") "\n", "action=defer_if_permit later\n\n", 3, 0, NULL },
	{ "policy-restriction", REQ("u@restrict.test") "\n", PERMIT, 4, 0, NULL },
	{ "policy-dunno", REQ("u@dunno.test") "\n", DUNNO, 5, 0, NULL },
	{ "policy-queue-id", REQ("u@dunno.test") "queue_id=Q1\n\n", DUNNO, 6, 0, "Q1: a log line\n" },
	{ "policy-queue-id-empty", REQ("u@dunno.test") "queue_id=\n\n", DUNNO, 7, 0, ": a log line\n" },
	{ "policy-sasl", REQ("u@fail.test") "sasl_username=j\n\n", DUNNO, 7, 0, NULL },
	{ "policy-empty", "\n", HEADER, 8, 0, NULL },
	{ "policy-pipelined", REQ("u@fail.test") "\n" REQ("u@pass.test") "\n", REJECT HEADER, 10, 0, NULL },
	{ "policy-bad-line", "hello world\n\n", HEADER, 11, 0,
	    "ERROR: Could not match line \"hello world\"\na log line\n" },
};

static const struct ask instance_asks[] = {
	{ "instance-first", REQ("u@pass.test") "instance=i1\n\n", HEADER, 1, 0, NULL },
	{ "instance-one-header", REQ("u@pass.test") "instance=i1\n\n", DUNNO, 1, 0, "" },
	{ "instance-exact", REQ("u@dunno.test") "instance=I1\n\n", DUNNO, 2, 0, NULL },
	{ "instance-reject", REQ("u@fail.test") "instance=i2\n\n", REJECT, 3, 0, NULL },
	{ "instance-reject-again", REQ("u@pass.test") "instance=i2\n\n", REJECT, 3, 0, "550 5.7.23 no 100% pass\n" },
	{ "instance-restriction", REQ("u@restrict.test") "instance=i3\n\n", PERMIT, 4, 0, NULL },
	{ "instance-restriction-again", REQ("u@pass.test") "instance=i3\n\n", PERMIT, 4, 0, "result_only permit\n" },
	{ "instance-empty", REQ("u@fail.test") "instance=\n\n", REJECT, 5, 0, NULL },
	{ "instance-empty-not-kept", REQ("u@pass.test") "instance=\n\n", HEADER, 6, 0, NULL },
	{ "instance-peruser-judged-anew", OWN("u@fail.test", "i1"), REJECT, 7, 1, NULL },
	{ "instance-peruser-not-kept", REQ("u@pass.test") "instance=i1\n\n", DUNNO, 7, 1, NULL },
};

/* COMPAT "one-header" */
static const struct ask header_asks[] = {
	{ "one-header-own-first", OWN("u@pass.test", "a"), HEADER, 1, 1, NULL },
	{ "one-header-own-again-judged", OWN("u@pass.test", "a"), DUNNO, 2, 1, NULL },
	{ "one-header-others-judged", R("u@pass.test", "a"), DUNNO, 3, 0, NULL },
	{ "one-header-others-kept", S("u@pass.test", "a"), DUNNO, 3, 0, NULL },
	{ "one-header-own-reject", OWN("u@fail.test", "a"), REJECT, 4, 1, NULL },
	{ "one-header-no-leak-of-reject", S("u@pass.test", "a"), DUNNO, 4, 1, NULL },
	{ "one-header-others-first", R("u@pass.test", "b"), HEADER, 5, 0, NULL },
	{ "one-header-own-later", OWN("u@pass.test", "b"), DUNNO, 6, 1, NULL },
	{ "one-header-own-reject-first", OWN("u@fail.test", "c"), REJECT, 7, 1, NULL },
	{ "one-header-after-own-reject", R("u@pass.test", "c"), HEADER, 8, 0, NULL },
	{ "one-header-no-instance", OWN("u@pass.test", ""), HEADER, 9, 1, NULL },
	{ "one-header-no-instance-again", OWN("u@pass.test", ""), HEADER, 10, 1, NULL },
	{ "later-first-header", R("u@later.test", "d"), HEADER, 11, 0, NULL },
	{ "later-restriction", S("u@later.test", "d"), "action=permit_later\n\n", 11, 0, "result_only permit_later\n" },
	{ "later-not-for-own", OWN("u@later.test", "e"), HEADER, 12, 1, NULL },
	{ "later-not-for-others", R("u@pass.test", "e"), DUNNO, 13, 0, NULL },
};

/* Whether a policy request is of SMTPUTF8. */
#define U(sender, helo, rcpt) "client_address=192.0.2.1\nsender=" sender \
	"\nhelo_name=" helo "\nrecipient=" rcpt "\n\n"
static const struct {
	const char *name, *request;
	int smtputf8;
} utf8[] = {
	{ "utf8-none", U("u@pass.test", "h.test", "r@d.test"), 0 },
	{ "utf8-sender", U("\303\274@pass.test", "h", "r@d"), 1 },
	{ "utf8-recipient", U("u@pass.test", "h", "\303\274@d"), 1 },
	{ "utf8-helo-proves-nothing", U("u@pass.test", "\303\274.test", "r@d"), 0 },
	{ "utf8-all", U("\303\274@pass.test", "\303\274.test", "\360\237\230\200@d"), 1 },
	{ "utf8-latin1-sender", U("\374@pass.test", "h", "r@d"), 0 },
	{ "utf8-latin1-helo", U("\303\274@pass.test", "\374", "r"), 0 },
	{ "utf8-surrogate", U("\355\240\200@pass.test", "h", "r"), 0 },
	{ "utf8-c1-control", U("\302\205@pass.test", "h", "r"), 0 },
};
