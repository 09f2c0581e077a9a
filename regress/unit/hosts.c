/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. InternalHosts, MacroList, senders, forged fields. */

#include "unpriv/milter/hosts.h"
#include "proto/smtp.h"
#include "regress/unit/check.h"
#include "unpriv/milter/forged.h"

static struct conf_host hostv[8];
static struct conf_hosts hosts = { hostv, 0 };

/* "192.0.2.1", "!192.0.2.0/24", "name", ".domain" as conf reads them */
static void
set_hosts(const char *const *v)
{
	struct conf_host *h;
	char *s;

	for (hosts.n = 0; v[hosts.n] != NULL; hosts.n++) {
		h = &hostv[hosts.n];
		memset(h, 0, sizeof(*h));
		s = strdup(v[hosts.n]);
		if (*s == '!') {
			h->negated = 1;
			memmove(s, s + 1, strlen(s));
		}
		if (cidr_parse(&h->net, s, strlen(s)) == 0) {
			h->kind = HOST_NET;
			h->is_addr = strchr(s, '/') == NULL;
			free(s);
			continue;
		}
		h->kind = *s == '.' ? HOST_DOMAIN : HOST_NAME;
		if (*s == '.')
			memmove(s, s + 1, strlen(s));
		h->name = s;
	}
}

/* clang-format off */
#define V(...)	{ __VA_ARGS__, NULL }
static const struct {
	const char *name, *list[4], *client;
	enum hosts_match want;
} matches[] = {
	{ "host-address", V("127.0.0.1"), "127.0.0.1", HOSTS_YES },
	{ "host-other", V("127.0.0.1"), "127.0.0.2", HOSTS_UNKNOWN },
	{ "host-negated-in-net", V("192.0.2.0/24", "!192.0.2.1"), "192.0.2.1",
	    HOSTS_NO },
	{ "host-in-negated-net", V("!192.0.2.0/24", "192.0.2.1"), "192.0.2.1",
	    HOSTS_YES },
	{ "host-address-beats-later-net", V("!192.0.2.1", "192.0.2.0/24"),
	    "192.0.2.1", HOSTS_NO },
	{ "host-last-of-equals", V("192.0.2.1", "!192.0.2.1"), "192.0.2.1",
	    HOSTS_NO },
	{ "host-v6", V("10.0.0.0/8", "2001:db8::/32"), "2001:db8::1",
	    HOSTS_YES },
	{ "host-mapped-is-v6", V("192.0.2.1"), "::ffff:192.0.2.1",
	    HOSTS_UNKNOWN },
	{ "name-exact", V("mail.example.test"), "MAIL.example.test",
	    HOSTS_YES },
	{ "name-not-below", V("example.test"), "mail.example.test",
	    HOSTS_UNKNOWN },
	{ "domain-below", V(".example.test"), "mail.example.test", HOSTS_YES },
	{ "domain-not-itself", V(".example.test"), "example.test",
	    HOSTS_UNKNOWN },
	{ "domain-label-boundary", V(".example.test"), "notexample.test",
	    HOSTS_UNKNOWN },
	{ "name-beats-domain", V("!a.b.test", ".b.test"), "a.b.test",
	    HOSTS_NO },
	{ "name-trailing-dot", V("a.b.test"), "a.b.test.", HOSTS_YES },
};
/* clang-format on */

static void
test_hosts(void)
{
	const char *client;
	struct addr a;
	size_t i, n;

	for (i = 0; i < NITEMS(matches); i++) {
		client = matches[i].client;
		n = strlen(client);
		set_hosts(matches[i].list);
		check_int(matches[i].name,
		    addr_parse(&a, client, n) == 0 ?
			hosts_addr(&hosts, &a) :
			hosts_name(&hosts, client, n),
		    matches[i].want);
		while (hosts.n > 0)
			free(hostv[--hosts.n].name);
	}
}

static const char *
get_macro(const char *name, void *arg)
{
	const char *const *v = arg;

	for (; *v != NULL; v += 2)
		if (strcmp(v[0], name) == 0)
			return v[1];
	return NULL;
}

/* As "checked,external". */
static int
macros(struct conf_macro *m, size_t n, const char **have)
{
	struct conf_macros list = { m, n };
	int external, checked;

	checked = hosts_macros(&list, get_macro, have, &external);
	return checked * 10 + external;
}

static void
test_macros(void)
{
	char verifying[] = "VERIFYING", smtpd[] = "smtpd", dn[] = "daemon_name",
	     at[] = "auth_type";
	char *v1[] = { verifying }, *v2[] = { smtpd };
	struct conf_macro m[2] = { { dn, { v1, 1 } } };
	const char *match[] = { "daemon_name", "VERIFYING", NULL },
		   *other[] = { "daemon_name", "smtpd", NULL },
		   *none[] = { NULL };

	check_int("macro-match", macros(m, 1, match), 11);
	check_int("macro-other-value", macros(m, 1, other), 0);
	check_int("macro-missing", macros(m, 1, none), 0);
	check_int("macro-empty-list", macros(m, 0, none), 11);
	m[0].values.n = 0;
	check_int("macro-any-value", macros(m, 1, other), 11);
	m[0] = (struct conf_macro){ dn, { v2, 1 } };
	m[1] = (struct conf_macro){ at, { NULL, 0 } };
	check_int("macro-mixed-is-checked", macros(m, 2, other), 10);
}

static const struct {
	const char *name, *in, *want;
} senders[] = {
	{ "sender", "<u@Pass.TEST>", "u@pass.test" },
	{ "sender-null", "<>", "" },
	{ "sender-no-brackets", "U@x", "U@x" },
	{ "sender-unbalanced", "<u@x", "<u@x" },
	{ "sender-one-bracket", "<", "<" },
	{ "sender-source-route", "<@a.test,@b.test:u@x>", "u@x" },
	{ "sender-quoted", "<\"A@B c\"@Fail.test>", "A@B c@fail.test" },
	{ "sender-quoted-colon", "<\"@a:b\"@x>", "@a:b@x" },
	{ "sender-quoted-pairs", "<\"a\\\"b\\\\\\@\"@x>", "a\"b\\@@x" },
	{ "sender-quoted-empty", "<\"\"@x>", "@x" },
	{ "sender-half-quoted", "<\"a@x>", "\"a@x" },
	{ "sender-one-quote", "<\"@x>", "\"@x" },
	{ "sender-no-domain", "<Postmaster>", "Postmaster" },
};

static void
test_sender(void)
{
	char text[64];
	size_t i;

	for (i = 0; i < NITEMS(senders); i++) {
		strlcpy(text, senders[i].in, sizeof(text));
		check_str(senders[i].name, smtp_sender(text), senders[i].want);
	}
}

/* Fields, and whether they carry the name mx.example.test. */
static const struct {
	const char *name, *value;
	int own;
} ars[] = {
	{ "ar-plain", "mx.example.test; spf=pass", 1 },
	{ "ar-case", "MX.Example.TEST; spf=pass", 1 },
	{ "ar-version", "mx.example.test 1; none", 1 },
	{ "ar-none", "mx.example.test;none", 1 },
	{ "ar-only-id", "mx.example.test", 1 },
	{ "ar-comment-first", " (a (b\\)) c) mx.example.test; x", 1 },
	{ "ar-comment-behind", "mx.example.test(c) 1; x", 1 },
	{ "ar-folded", "\n\tmx.example.test\n ; spf=pass", 1 },
	{ "ar-crlf-folded", "\r\n mx.example.test;\r\n spf=pass", 1 },
	{ "ar-quoted", "\"mx.example.test\"; spf=pass", 1 },
	{ "ar-quoted-pair", "\"mx\\.example.test\"; spf=pass", 1 },
	{ "ar-pair-unquoted", "mx\\.example.test; spf=pass", 1 },
	{ "ar-pair-first", "\\mx.example.test; spf=pass", 1 },
	{ "ar-pair-last", "mx.example.test\\", 0 },
	{ "ar-trailing-dot", "mx.example.test.; spf=pass", 1 },
	{ "ar-split-by-comment", "mx.(c)example.test; spf=pass", 1 },
	{ "ar-split-by-blank", "mx. example.test; spf=pass", 1 },
	{ "ar-split-by-quotes", "\"mx.\"\"example.test\"; a", 1 },
	{ "ar-control", "\001mx.example.test; spf=pass", 1 },
	{ "ar-paren", ")mx.example.test; spf=pass", 1 },
	{ "ar-other", "mx.other.test; spf=pass", 0 },
	{ "ar-prefix", "mx.example.test.other; spf=pass", 0 },
	{ "ar-suffix", "xmx.example.test; spf=pass", 0 },
	{ "ar-id-in-comment", "(mx.example.test) other; x", 0 },
	{ "ar-id-behind", "other; spf=pass mx.example.test", 0 },
	{ "ar-no-id", "spf=pass smtp.mailfrom=mx.example.test", 0 },
	{ "ar-empty", "", 0 },
	{ "ar-semicolon", "; mx.example.test", 0 },
	{ "ar-open-comment", "(mx.example.test; spf=pass", 0 },
};

static int
is_ar(const char *name)
{
	return forged_is_field(name, "Authentication-Results");
}

static void
test_ar(void)
{
	char big[2000];
	size_t i;

	for (i = 0; i < NITEMS(ars); i++)
		check_int(ars[i].name,
		    forged_own_ar(ars[i].value, "mx.example.test"), ars[i].own);
	check_int("ar-id-unset", forged_own_ar("; spf=pass", ""), 0);
	check_int("ar-id-unset-quoted", forged_own_ar("\"\"; x", ""), 0);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	check_int("ar-long", forged_own_ar(big, "mx.example.test"), 0);
	check("ar-name", is_ar("authentication-results"));
	check("ar-name-blank", is_ar("Authentication-Results "));
	check("ar-name-longer", !is_ar("Authentication-Results-Old"));
	check("ar-name-other", !is_ar("ARC-Authentication-Results"));
}

int
main(void)
{
	test_hosts();
	test_macros();
	test_sender();
	test_ar();
	return check_exit();
}
