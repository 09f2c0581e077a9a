/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. InternalHosts, MacroList, senders, forged fields. */

#include <stdlib.h>
#include <string.h>

#include "proto/smtp.h"
#include "regress/unit/check.h"
#include "unpriv/milter/forged.h"
#include "unpriv/milter/hosts.h"

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

static void
free_hosts(void)
{
	while (hosts.n > 0)
		free(hostv[--hosts.n].name);
}

static enum hosts_match
by_addr(const char *const *v, const char *client)
{
	enum hosts_match r;
	struct addr a;

	set_hosts(v);
	addr_parse(&a, client, strlen(client));
	r = hosts_addr(&hosts, &a);
	free_hosts();
	return r;
}

static enum hosts_match
by_name(const char *const *v, const char *name)
{
	enum hosts_match r;

	set_hosts(v);
	r = hosts_name(&hosts, name, strlen(name));
	free_hosts();
	return r;
}

/* clang-format off */
#define V(...)	((const char *const []){ __VA_ARGS__, NULL })
/* clang-format on */

static void
test_hosts(void)
{
	check_int("host-address", by_addr(V("127.0.0.1"), "127.0.0.1"),
	    HOSTS_YES);
	check_int("host-other", by_addr(V("127.0.0.1"), "127.0.0.2"),
	    HOSTS_UNKNOWN);
	check_int("host-negated-in-net",
	    by_addr(V("192.0.2.0/24", "!192.0.2.1"), "192.0.2.1"), HOSTS_NO);
	check_int("host-in-negated-net",
	    by_addr(V("!192.0.2.0/24", "192.0.2.1"), "192.0.2.1"), HOSTS_YES);
	check_int("host-address-beats-later-net",
	    by_addr(V("!192.0.2.1", "192.0.2.0/24"), "192.0.2.1"), HOSTS_NO);
	check_int("host-last-of-equals",
	    by_addr(V("192.0.2.1", "!192.0.2.1"), "192.0.2.1"), HOSTS_NO);
	check_int("host-v6",
	    by_addr(V("10.0.0.0/8", "2001:db8::/32"), "2001:db8::1"),
	    HOSTS_YES);
	check_int("host-mapped-is-v6",
	    by_addr(V("192.0.2.1"), "::ffff:192.0.2.1"), HOSTS_UNKNOWN);
	check_int("name-exact",
	    by_name(V("mail.example.test"), "MAIL.example.test"), HOSTS_YES);
	check_int("name-not-below",
	    by_name(V("example.test"), "mail.example.test"), HOSTS_UNKNOWN);
	check_int("domain-below",
	    by_name(V(".example.test"), "mail.example.test"), HOSTS_YES);
	check_int("domain-not-itself",
	    by_name(V(".example.test"), "example.test"), HOSTS_UNKNOWN);
	check_int("domain-label-boundary",
	    by_name(V(".example.test"), "notexample.test"), HOSTS_UNKNOWN);
	check_int("name-beats-domain",
	    by_name(V("!a.b.test", ".b.test"), "a.b.test"), HOSTS_NO);
	check_int("name-trailing-dot", by_name(V("a.b.test"), "a.b.test."),
	    HOSTS_YES);
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

static int
sender(const char *in, const char *want)
{
	char *s = strdup(in);
	int same = strcmp(smtp_sender(s), want) == 0;

	free(s);
	return same;
}

static void
test_sender(void)
{
	check("sender", sender("<u@Pass.TEST>", "u@pass.test"));
	check("sender-null", sender("<>", ""));
	check("sender-no-brackets", sender("U@x", "U@x"));
	check("sender-unbalanced", sender("<u@x", "<u@x"));
	check("sender-one-bracket", sender("<", "<"));
	check("sender-source-route", sender("<@a.test,@b.test:u@x>", "u@x"));
	check("sender-quoted",
	    sender("<\"A@B c\"@Fail.test>", "A@B c@fail.test"));
	check("sender-quoted-colon", sender("<\"@a:b\"@x>", "@a:b@x"));
	check("sender-quoted-pairs",
	    sender("<\"a\\\"b\\\\\\@\"@x>", "a\"b\\@@x"));
	check("sender-quoted-empty", sender("<\"\"@x>", "@x"));
	check("sender-half-quoted", sender("<\"a@x>", "\"a@x"));
	check("sender-one-quote", sender("<\"@x>", "\"@x"));
	check("sender-no-domain", sender("<Postmaster>", "Postmaster"));
}

static int
is_ar(const char *name)
{
	return forged_is_field(name, "Authentication-Results");
}

static void
test_ar(void)
{
	static const struct {
		const char *name, *value;
		int own;
	} t[] = {
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
	char big[2000];
	size_t i;

	for (i = 0; i < NITEMS(t); i++)
		check_int(t[i].name,
		    forged_own_ar(t[i].value, "mx.example.test"), t[i].own);
	check("ar-id-unset",
	    forged_own_ar("; spf=pass", "") == 0 &&
		forged_own_ar("\"\"; x", "") == 0);
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	check_int("ar-long", forged_own_ar(big, "mx.example.test"), 0);
	check("ar-name",
	    is_ar("authentication-results") &&
		is_ar("Authentication-Results ") &&
		!is_ar("Authentication-Results-Old") &&
		!is_ar("ARC-Authentication-Results"));
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
