/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. Rows of the table cases in engine.c. */

/* clang-format off */
#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define X10 "xxxxxxxxx."
#define D10(t) t t t t t t t t t t
#define X100 D10(X10)
#define IP4 "ip4:198.51.100.1 "
#define PTR "1.2.0.192.in-addr.arpa PTR "
#define FQDN "Invalid domain found (use FQDN): "

/* A result of a zone; with the explanation; of another sender. */
#define C(n, res, ...)		{ n, res, .zone = { __VA_ARGS__ } }
#define EXP(n, res, expl, ...)	{ n, res, .explanation = expl, \
	.zone = { __VA_ARGS__ } }
#define BY(n, from, res, ...)	{ n, res, .sender = from, \
	.zone = { __VA_ARGS__ } }
/* Permanent errors: of a zone, and of one record. */
#define ERR(n, why, ...)	{ n, PERM, .zone = { __VA_ARGS__ }, \
	.reason = "SPF Permanent Error: " why }
#define BAD(n, terms, why)	ERR(n, why, "v=spf1 " terms)
/* With Void_Family = any, of a client. */
#define ANY(n, from, res, ...)	{ n, res, .ip = from, .void_any = 1, \
	.zone = { __VA_ARGS__ } }
#define SIX(name)		name " AAAA 2001:db8::2"
#define FOUR(name)		name " A 192.0.2.2"

/* Reasons of results other than errors */
{ "reason-of-fail-with-a-broken-explanation", FAIL, .reason = "SPF fail - not authorized", .explanation = "-",
    .zone = { "v=spf1 -all exp=e.test", "e.test TXT " D10(D10(D10("%{d}%{d}%{d}%{d}"))) } },
{ "reason-pass", PASS, .reason = "sender SPF authorized", .explanation = "-", .zone = { "v=spf1 +all" } },
{ "reason-fail", FAIL, .reason = "SPF fail - not authorized", .explanation = "-", .zone = { "v=spf1 -all" } },
{ "reason-softfail", SOFT, .reason = "domain owner discourages use of this host", .explanation = "-",
    .zone = { "v=spf1 ~all" } },
{ "reason-neutral", NEUTRAL, .reason = "access neither permitted nor denied", .explanation = "-", .zone = { "v=spf1" }
    },
{ "reason-none", NONE, .reason = "", .explanation = "-" },

/* RFC 7208 4.3: domains without a lookup */
{ "domain-single-label", NONE, .sender = "u@test", .reason = "", .zone = { "test TXT v=spf1 +all" } },
{ "domain-literal", NONE, .sender = "u@[192.0.2.1]", .reason = "", .zone = { "[192.0.2.1] TXT v=spf1 +all" } },
{ "domain-with-blank", NONE, .sender = "u@a b.test", .reason = "" },
{ "domain-empty", NONE, .sender = "u@", .reason = "" },
{ "domain-latin1", NONE, .sender = "u@b\374cher.test", .reason = "" },

/* RFC 8616 */
BY("u-labels-are-converted", "u@b\303\274cher.test", PASS, "xn--bcher-kva.test TXT v=spf1 exists:%{d}.%{o}.x.test -all",
    "xn--bcher-kva.test.xn--bcher-kva.test.x.test A 127.0.0.2"),
{ "u-labels-in-helo", PASS, .helo = "b\303\274cher.test", .zone = { "v=spf1 a:%{h} -all",
    "xn--bcher-kva.test A 192.0.2.1" } },
{ "octets-in-helo-match-nothing", FAIL, .helo = "b\374cher.test", .zone = { "v=spf1 a:%{h} -all" } },
BY("local-part-not-ascii", "\303\274@d.test", FAIL,
    "v=spf1 exists:%{l}.x.test exists:%{s}.x.test include:%{l1r}.x.test -all"),
BY("local-part-not-ascii-elsewhere", "\303\274@d.test", PASS, "v=spf1 exists:%{d}.x.test -all",
    "d.test.x.test A 127.0.0.2"),
{ "local-part-not-ascii-in-exp", FAIL, .sender = "\303\274@d.test", .explanation = "-",
    .zone = { "v=spf1 -all exp=e.test", "e.test TXT not %{l}" } },

/* RFC 7208 4.5, 4.6.1 */
C("version-other", NONE, "v=spf10 +all"),
C("version-then-space", NEUTRAL, "v=spf1 "),
C("version-blank-first", NONE, "d.test TXT  v=spf1 +all"),
C("trailing-spaces", FAIL, "v=spf1   -all   "),
ERR("two-records", "Two or more type TXT spf records found.", "v=spf1 +all", "d.test TXT V=SPF1 +all"),
C("other-txt-records", PASS, "v=spf1 +all", "d.test TXT v=spf2.0/pra +all", "v=spf1+all", "d.test TXT \377"),

/* Syntax, whole record first (4.6) */
BAD("unknown-mechanism", "+all foo:bar", "Unknown mechanism found: foo:bar"),
BAD("unknown-qualifier", "!a", "Unknown qualifier, RFC 4408 para 4.6.1, found in: !a"),
BAD("comma", "a, -all", "Do not separate mechnisms with commas: a,"),
BAD("ip4-by-a", "a:192.0.2.1", "Use the ip4 mechanism for ip4 addresses: a:192.0.2.1"),
BAD("ip4-missing", "ip4", "Invalid IP4 address: ip4"),
BAD("ip4-leading-zero", "ip4:192.0.02.1", "Invalid IP4 address: ip4:192.0.02.1"),
BAD("ip4-cidr-leading-zero", "ip4:192.0.2.1/032", "Invalid IP4 address: ip4:192.0.2.1/032"),
BAD("ip4-cidr-33", "ip4:192.0.2.1/33", "Invalid IP4 CIDR length: ip4:192.0.2.1/33"),
BAD("ip4-cidr-wraps", "ip4:0.0.0.0/4294967295", "Invalid IP4 CIDR length: ip4:0.0.0.0/4294967295"),
BAD("ip4-cidr-wraps-to-32", "ip4:192.0.2.1/4294967328", "Invalid IP4 CIDR length: ip4:192.0.2.1/4294967328"),
BAD("ip4-literal-too-long", "ip4:1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1 +all",
    "Invalid IP4 address: ip4:1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"),
BAD("ip6-literal-too-long", "ip6:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000 +all",
    "Invalid IP6 address: ip6:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
BAD("ip6-dual", "ip6:::1//33", "Dual CIDR not allowed: ip6:::1//33"),
BAD("ip6-is-ip4", "ip6:192.0.2.1", "Invalid IP6 address: ip6:192.0.2.1"),
BAD("a-cidr-empty", "a/", "Unknown mechanism found: a/"),
BAD("a-cidr-33", "a/33", "Invalid IP4 CIDR length: a/33"),
BAD("a-cidr6-129", "a/24//129", "Invalid IP6 CIDR length: a/24//129"),
BAD("ptr-cidr", "ptr/24", "CIDR not allowed: ptr/24"),
BAD("all-argument", "all:foo", "Invalid all mechanism format - only qualifier allowed with all: all:foo"),
BAD("exists-implicit", "exists", "implicit exists not allowed: exists"),
BAD("include-missing", "include", "include mechanism missing domain: include"),
BAD("a-empty", "a:/24", "empty domain:: a:/24"),
BAD("not-fqdn", "a:foo", FQDN "foo"),
BAD("port", "a:foo.test:25", FQDN "foo.test:25"),
BAD("toplabel-numeric", "a:foo.12", FQDN "foo.12"),
BAD("toplabel-hyphen-first", "a:foo.-t", FQDN "foo.-t"),
BAD("toplabel-hyphen-last", "a:foo.t-", FQDN "foo.t-"),
BAD("toplabel-behind-macro", "a:foo%{d}com", FQDN "foo%{d}com"),
BAD("macro-then-dot", "a:%{d}.", FQDN "%{d}."),
BAD("redirect-colon", "redirect:foo.test", "Unknown mechanism found: redirect:foo.test"),
BAD("redirect-empty", "redirect=", "redirect has empty domain:"),
BAD("redirect-twice", "redirect=a.test redirect=a.test +all", "redirect= MUST appear at most once: redirect=a.test"),
BAD("redirect-upper-twice", "REDIRECT=a.test redirect=a.test +all",
    "redirect= MUST appear at most once: redirect=a.test"),
BAD("exp-twice", "exp=a.test exp=b.test +all", "exp= MUST appear at most once: exp=b.test"),
BAD("exp-empty", "exp= +all", "exp has empty domain-spec:"),
BAD("exp-macro-r", "exp=%{r}.test +all", "c,r,t macros allowed in exp= text only: %{r}"),
BAD("macro-unknown", "a:%{x}.test", "Unknown Macro Encountered: %{x}"),
BAD("macro-zero", "a:%{d0}", "Unknown Macro Encountered: %{d0}"),
BAD("macro-delimiter", "a:%{d2|}", "Unknown Macro Encountered: %{d2|}"),
BAD("macro-open", "a:foo.test%{", FQDN "foo.test%{"),
BAD("percent-literal", "a:%a.foo.test", "invalid-macro-char : %a"),
BAD("modifier-percent", "foo=% +all", "invalid-macro-char : %"),
BAD("modifier-macro-c", "foo=%{c} +all", "c,r,t macros allowed in exp= text only: %{c}"),
BAD("modifier-qualified", "+foo=bar", "Unknown mechanism found: +foo=bar"),
C("modifier-unknown", PASS, "v=spf1 a.b-c_d=%{l}%%%_%-: a.b-c_d= +all"),
C("modifier-like-a-mechanism", PASS, "v=spf1 all=-all ip4=x +all"),
C("delimiters-all", FAIL, "v=spf1 ?a:%{d2r.-+,/_=} -all"),
C("transformer-upper", FAIL, "v=spf1 ?a:%{d2R} -all"),
C("cidr-zero", PASS, "v=spf1 ip4:10.0.0.0/0 -all"),
C("cidr6-zero-is-not-ip4", FAIL, "v=spf1 ip6:::/0 -all"),
C("mechanism-upper-case", PASS, "v=spf1 IP4:192.0.2.1 -ALL"),

/* Records above 511 octets, which other engines cut */
C("long-record", FAIL, "v=spf1 " D10(IP4 IP4 IP4 IP4 IP4 IP4 IP4) "-all"),

/* RFC 7208 7.3: fewer labels than the digits say */
BY("digits-more-than-labels", "u@dig3.example.com", PASS, "dig3.example.com TXT v=spf1 exists:%{d3}.x.test -all",
    "dig3.example.com.x.test A 127.0.0.2"),
BY("digits-as-labels", "u@two.example", PASS, "two.example TXT v=spf1 exists:%{d2}.x.test -all",
    "two.example.x.test A 127.0.0.2"),
BY("digits-one-word-reversed", "word@d.test", PASS, "v=spf1 exists:%{l1r-}.x.test -all", "word.x.test A 127.0.0.2"),
C("digits-huge", PASS, "v=spf1 exists:%{d99999999999}.x.test -all", "d.test.x.test A 127.0.0.2"),
BY("reverse-then-digits", "u@a.b.c.test", PASS, "a.b.c.test TXT v=spf1 exists:%{d2r}.x.test -all",
    "b.a.x.test A 127.0.0.2"),
BY("split-at-delimiters", "a-b+c_d@d.test", PASS, "v=spf1 exists:%{l3-+_}.x.test -all", "b.c.d.x.test A 127.0.0.2"),
C("long-name-loses-labels-on-the-left", PASS, "v=spf1 exists:a." X100 X100
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.%{d}.test. -all", X100 X100
    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.d.test.test A 127.0.0.2"),
BY("long-label-by-macro", L63 L63 L63 L63 "@d.test", FAIL, "v=spf1 exists:%{l} exists:%{l}.x.test -all"),

/* RFC 7208 4.6.4 */
C("ten-terms", PASS, "v=spf1 a a a a a a a a a a:h.test -all", "d.test A 10.0.0.1", "h.test A 192.0.2.1"),
ERR("eleventh-term-may-not-pass", "Too many DNS lookups", "v=spf1 a a a a a a a a a a a:h.test -all",
    "d.test A 10.0.0.1", "h.test A 192.0.2.1"),
ERR("terms-of-includes-add-up", "Too many DNS lookups", "v=spf1 include:i.test include:i.test -all",
    "i.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test a:h.test", "h.test A 10.0.0.1"),
ERR("redirect-is-the-eleventh", "Too many DNS lookups", "v=spf1 a a a a a a a a a a redirect=r.test",
    "d.test A 10.0.0.1", "r.test TXT v=spf1 +all"),
C("redirect-not-followed-is-not-counted", PASS, "v=spf1 redirect=r.test a a a a a a a a a a:h.test",
    "d.test A 10.0.0.1", "h.test A 192.0.2.1"),
BAD("include-of-itself", "include:D.test. +all", "include has trivial recursion: include:D.test."),
ERR("mx-eleven-though-one-matches", "More than 10 MX records returned", "v=spf1 mx -all", "d.test MX h.test",
    "d.test MX b.test", "d.test MX c.test", "d.test MX e.test", "d.test MX f.test", "d.test MX g.test",
    "d.test MX i.test", "d.test MX j.test", "d.test MX k.test", "d.test MX l.test", "d.test MX m.test",
    "h.test A 192.0.2.1"),
C("mx-null", FAIL, "v=spf1 mx -all", "d.test MX "),
C("void-two", FAIL, "v=spf1 a:x.test mx:x.test -all"),
BAD("void-three", "a:x.test mx:x.test exists:x.test +all", "Void lookup limit of 2 exceeded"),
BAD("void-nodata-counts", "a mx a +all", "Void lookup limit of 2 exceeded"),
ERR("void-hosts-of-mx-count", "Void lookup limit of 2 exceeded", "v=spf1 mx +all", "d.test MX x.test",
    "d.test MX y.test", "d.test MX z.test"),
EXP("void-exp-does-not-count", FAIL, "-", "v=spf1 a:x.test mx:x.test -all exp=x.test"),
ERR("void-client-counts-other-family", "Void lookup limit of 2 exceeded", "v=spf1 a:x.test a:y.test a:z.test -all",
    SIX("x.test"), SIX("y.test"), SIX("z.test")),
ANY("void-any-a", NULL, FAIL, "v=spf1 a:x.test a:y.test a:z.test -all", SIX("x.test"), SIX("y.test"), SIX("z.test")),
ANY("void-any-a-ip6", "2001:db8::1", FAIL, "v=spf1 a:x.test a:y.test a:z.test -all", FOUR("x.test"), FOUR("y.test"),
    FOUR("z.test")),
ANY("void-any-exists", NULL, FAIL, "v=spf1 exists:x.test exists:y.test exists:z.test -all", SIX("x.test"),
    SIX("y.test"), SIX("z.test")),
ANY("void-any-exists-ip6", "2001:db8::1", FAIL, "v=spf1 exists:x.test exists:y.test exists:z.test -all",
    SIX("x.test"), SIX("y.test"), SIX("z.test")),
ANY("void-any-mx-hosts", NULL, FAIL, "v=spf1 mx -all", "d.test MX x.test", "d.test MX y.test", "d.test MX z.test",
    SIX("x.test"), SIX("y.test"), SIX("z.test")),
ANY("void-any-later-host-matches", NULL, PASS, "v=spf1 mx -all", "d.test MX x.test", "d.test MX y.test",
    "d.test MX z.test", "d.test MX h.test", SIX("x.test"), SIX("y.test"), SIX("z.test"), "h.test A 192.0.2.1"),
ANY("void-any-no-mx-counts", NULL, PERM, "v=spf1 mx mx mx -all", SIX("d.test")),
ANY("void-any-no-record-counts", NULL, PERM, "v=spf1 a:x.test a:y.test include:d.test.test -all", "x.test TXT -",
    "y.test TXT -", SIX("d.test.test")),
ANY("void-any-ptr-names-count", NULL, PERM, "v=spf1 ptr -all", PTR "x.test", PTR "y.test", PTR "z.test",
    SIX("x.test"), SIX("y.test"), SIX("z.test")),
ANY("void-any-nxdomain-counts", NULL, PERM, "v=spf1 a:x.test exists:y.test a:z.test -all"),
ANY("void-any-neither-counts", NULL, PERM, "v=spf1 a a exists:d.test -all"),
ANY("void-any-neither-counts-ip6", "2001:db8::1", PERM, "v=spf1 a a exists:d.test -all"),
ANY("void-any-mixed-two", NULL, FAIL, "v=spf1 a:n.test a:x.test a:nx.test a:y.test -all", "n.test TXT -",
    SIX("x.test"), SIX("y.test")),
ANY("void-any-mixed-three", NULL, PERM, "v=spf1 a:n.test a:x.test a:nx.test a:y.test exists:n.test -all",
    "n.test TXT -", SIX("x.test"), SIX("y.test")),
ANY("void-any-other-timeout", NULL, FAIL, "v=spf1 a:x.test a:y.test a:z.test -all", "x.test AAAA !TIMEOUT",
    "y.test AAAA !TEMPERROR", "z.test AAAA !TIMEOUT", "x.test TXT -", "y.test TXT -", "z.test TXT -"),
ANY("void-any-servfail-is-temperror", NULL, TEMP, "v=spf1 a:x.test +all", "x.test A !TEMPERROR", SIX("x.test")),

/* DNS errors (RFC 7208 4.4, 5, 5.2, 5.5) */
{ "timeout-of-the-record", TEMP, .reason = "SPF Temporary Error: DNS Timeout", .zone = { "d.test TXT !TIMEOUT" } },
{ "servfail-of-the-record", TEMP, .reason = "SPF Temporary Error: DNS Error: server failure",
    .zone = { "d.test TXT !TEMPERROR" } },
C("servfail-of-an-include", TEMP, "v=spf1 include:i.test +all", "i.test TXT !TEMPERROR"),
C("servfail-behind-a-match", PASS, "v=spf1 a:h.test include:i.test +all", "i.test TXT !TEMPERROR",
    "h.test A 192.0.2.1"),
C("servfail-of-an-mx-host", TEMP, "v=spf1 mx +all", "d.test MX a.test", "d.test MX b.test", "a.test A !TEMPERROR",
    "b.test A 192.0.2.1"),
C("servfail-behind-the-mx-that-matches", PASS, "v=spf1 mx -all", "d.test MX a.test", "d.test MX b.test",
    "b.test A !TEMPERROR", "a.test A 192.0.2.1"),
C("servfail-of-ptr", FAIL, "v=spf1 ptr -all", PTR "!TEMPERROR"),
C("timeout-of-ptr", FAIL, "v=spf1 ptr -all", PTR "!TIMEOUT"),
C("servfail-of-a-ptr-name", PASS, "v=spf1 ptr -all", PTR "a.d.test", PTR "b.d.test", "a.d.test A !TEMPERROR",
    "b.d.test A 192.0.2.1"),
C("ptr-not-at-label-border", FAIL, "v=spf1 ptr -all", PTR "bad.test", "bad.test A 192.0.2.1"),
BAD("include-without-record", "include:i.test +all", "No valid SPF record for included domain: i.test: include:i.test"),
BAD("redirect-without-record", "redirect=i.test", "redirect domain has no SPF record: i.test"),
ERR("syntax-in-an-include", "Unknown mechanism found: moo", "v=spf1 include:i.test +all", "i.test TXT v=spf1 moo"),
C("include-fail-is-no-match", SOFT, "v=spf1 include:i.test ~all", "i.test TXT v=spf1 -all"),
C("cname-loop-of-a", TEMP, "v=spf1 a:c.test +all", "c.test CNAME c.test"),

/* Explanations (RFC 7208 6.2) */
EXP("exp-fail", FAIL, "192.0.2.1 may not send for d.test at 1700000000, unknown", "v=spf1 -all exp=e.test",
    "e.test TXT %{c} may not send for %{d} at %{t}, %{r}"),
EXP("exp-softfail", SOFT, "why not", "v=spf1 ~all exp=e.test", "e.test TXT why not"),
EXP("exp-neutral", NEUTRAL, "-", "v=spf1 ?all exp=e.test", "e.test TXT why not"),
EXP("exp-of-an-include", FAIL, "-", "v=spf1 include:i.test -all", "i.test TXT v=spf1 -all exp=e.test",
    "e.test TXT why"),
EXP("exp-of-the-redirect", FAIL, "theirs i.test", "v=spf1 redirect=i.test exp=x.test", "x.test TXT ours",
    "i.test TXT v=spf1 -all exp=e.test", "e.test TXT theirs %{d}"),
EXP("exp-two-records", FAIL, "-", "v=spf1 -all exp=e.test", "e.test TXT one", "e.test TXT two"),
EXP("exp-not-ascii", FAIL, "-", "v=spf1 -all exp=e.test", "e.test TXT \303\274"),
EXP("exp-newline", FAIL, "-", "v=spf1 -all exp=e.test", "e.test TXT a\r\nb"),
{ "exp-newline-by-macro", FAIL, .sender = "a\r\nb@d.test", .explanation = "-", .zone = { "v=spf1 -all exp=e.test",
    "e.test TXT %{l}" } },
{ "exp-escapes-by-macro", FAIL, .sender = "a\r\nb@d.test", .explanation = "a%0D%0Ab",
    .zone = { "v=spf1 -all exp=e.test", "e.test TXT %{L}" } },
EXP("exp-syntax", FAIL, "-", "v=spf1 -all exp=e.test", "e.test TXT 100% wrong"),
EXP("exp-servfail", FAIL, "-", "v=spf1 -all exp=e.test", "e.test TXT !TEMPERROR"),
EXP("exp-bad-name", FAIL, "-", "v=spf1 -all exp=a..%{d}"),
C("exp-bomb", FAIL, "v=spf1 -all exp=e.test", "e.test TXT " D10(D10("%{d}") "%{d}%{d}") "A"),
EXP("exp-long-literal", FAIL, X100 X100 X100 "d.test", "v=spf1 -all exp=e.test", "e.test TXT " X100 X100 X100 "%{d}"),

/* %{p} */
C("p-prefers-the-domain", PASS, "v=spf1 exists:%{p}.x.test -all", PTR "other.test", PTR "a.d.test", PTR "d.test",
    "other.test A 192.0.2.1", "a.d.test A 192.0.2.1", "d.test A 192.0.2.1", "d.test.x.test A 127.0.0.2"),
C("p-unknown", PASS, "v=spf1 exists:%{p}.x.test -all", "unknown.x.test A 127.0.0.2"),
C("p-only-the-first-ten", FAIL, "v=spf1 ptr -all", "h.test A 10.0.0.1", PTR "h.test", PTR "h.test", PTR "h.test",
    PTR "h.test", PTR "h.test", PTR "h.test", PTR "h.test", PTR "h.test", PTR "h.test", PTR "h.test", PTR "a.d.test",
    "a.d.test A 192.0.2.1"),

/* Loopback has no special rule */
{ "loopback-is-judged", FAIL, .ip = "127.0.0.1", .zone = { "v=spf1 -all" } },
{ "ip6-client", PASS, .ip = "2001:db8::1", .zone = { "v=spf1 exists:%{ir}.x.test a//64 -all",
    "d.test AAAA 2001:db8::ffff" } },
{ "exists-asks-for-a", PASS, .ip = "2001:db8::1", .zone = { "v=spf1 exists:h.test -all", "h.test A 10.0.0.1" } },
