/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Header fields, folding and reply texts, byte for byte. */

#include "unpriv/judge/header.h"
#include "proto/arena.h"
#include "regress/fuzz/header_check.h"
#include "regress/unit/check.h"
#include "unpriv/judge/reply.h"

static struct arena *arena;
static struct rd rd;

static const char *
whole(struct header_field f)
{
	return arena_printf(arena, "%s: %s", f.name, f.value);
}

static struct header_parts
parts(const char *ip, const char *helo, const char *sender, const char *rcpt,
    int utf8)
{
	const char *at = strrchr(sender, '@');
	struct header_parts w = { .id = "mx.example.test", .utf8 = utf8 };

	w.ip = ip;
	w.helo = header_show_domain(arena, helo, utf8);
	w.sender = strcmp(sender, "<>") == 0 ?
	    sender :
	    header_show_sender(arena,
		at == NULL ?
		    NULL :
		    arena_strndup(arena, sender, (size_t)(at - sender)),
		at == NULL ? sender : at + 1, utf8);
	w.receiver = rcpt;
	return w;
}

static const char *
received(const struct header_parts *w)
{
	return whole(
	    header_received_spf(arena, "Pass", "mailfrom", "mailfrom", w));
}

/* clang-format off */
static const struct {
	const char *name, *ip, *helo, *sender, *rcpt, *want;
	int utf8;
} fields[] = {
	{ "spf/plain", "192.0.2.1", "none.test", "user@pass.test", "dest.test",
	    "client-ip=192.0.2.1; helo=none.test; envelope-from=\"user@pass.test\"; receiver=dest.test ", 0 },
	{ "spf/ip6", "2001:db8::1", "none.test", "<>", "<UNKNOWN>",
	    "client-ip=\"2001:db8::1\"; helo=none.test; envelope-from=\"<>\"; receiver=\"<UNKNOWN>\" ", 0 },
	{ "spf/literal", "192.0.2.1", "[192.0.2.1]", "postmaster", "none",
	    "client-ip=192.0.2.1; helo=\"[192.0.2.1]\"; envelope-from=postmaster; receiver=none ", 0 },
	{ "spf/verp", "192.0.2.1", "a..b", "b+u=d.test@l.test", "d.test",
	    "client-ip=192.0.2.1; helo=\"a..b\"; envelope-from=\"b+u\\=d.test@l.test\"; receiver=d.test ", 0 },
	{ "spf/hostile", "192.0.2.1", "x; y=z\r\nX: y",
	    "\"x); identity=mailfrom; (y\"@e.test", "d.test",
	    "client-ip=192.0.2.1; helo=\"x\\; y\\=z??X: y\"; envelope-from=\"\\\"x\\)\\; identity\\=mailfrom\\; \\(y\\\"@e.test\"; receiver=d.test ", 0 },
	{ "spf/utf8-off", "192.0.2.1", "ex\303\244mple.test",
	    "us\303\251r@ex\303\244mple.test", "d.test",
	    "client-ip=192.0.2.1; helo=xn--exmple-cua.test; envelope-from=\"us??r@xn--exmple-cua.test\"; receiver=d.test ", 0 },
	{ "spf/utf8-on", "192.0.2.1", "ex\303\244mple.test",
	    "us\303\251r@ex\303\244mple.test", "d.test",
	    "client-ip=192.0.2.1; helo=ex\303\244mple.test; envelope-from=\"us\303\251r@ex\303\244mple.test\"; receiver=d.test ", 1 },
	{ "spf/utf8-broken", "192.0.2.1", "\377.test",
	    "u\302\205\351@d.test", "d.test",
	    "client-ip=192.0.2.1; helo=?.test; envelope-from=\"u???@d.test\"; receiver=d.test ", 1 },
};
/* clang-format on */

static void
test_spf(void)
{
	struct header_parts w;
	size_t i;

	for (i = 0; i < NITEMS(fields); i++) {
		w = parts(fields[i].ip, fields[i].helo, fields[i].sender,
		    fields[i].rcpt, fields[i].utf8);
		check_str(fields[i].name, received(&w),
		    arena_printf(arena,
			"Received-SPF: Pass (mailfrom) identity=mailfrom; %s",
			fields[i].want));
	}
	w = parts("192.0.2.1", "h.test", "u@d.test", "d.test", 0);
	check_str("spf/comment",
	    whole(header_received_spf(arena, "Fail",
		"x) identity=mailfrom; receiver=s\\", "helo", &w)),
	    "Received-SPF: Fail (x\\) identity\\=mailfrom; receiver=s\\\\) identity=helo; client-ip=192.0.2.1; helo=h.test; envelope-from=\"u@d.test\"; receiver=d.test ");
}

static void
test_ar(void)
{
	struct header_parts w;

	w = parts("192.0.2.1", "none.test", "user@pass.test", "dest.test", 0);
	check_str("ar/plain",
	    whole(header_ar(arena, "pass", "sender SPF authorized",
		"smtp.mailfrom", "pass.test", &w)),
	    "Authentication-Results: mx.example.test; spf=pass (sender SPF authorized) smtp.mailfrom=pass.test (client-ip=192.0.2.1; helo=none.test; envelope-from=user@pass.test; receiver=dest.test)");
	check_str("ar/none",
	    whole(header_ar_none(arena,
		"SPF check N/A for local connections - ", &w)),
	    "Authentication-Results: mx.example.test; none (SPF check N/A for local connections -  client-ip=192.0.2.1; helo=none.test; envelope-from=user@pass.test; receiver=dest.test)");
	check_str("x-comment/plain",
	    whole(header_x_comment(arena,
		"SPF skipped for whitelisted relay - ", &w)),
	    "X-Comment: SPF skipped for whitelisted relay - client-ip=192.0.2.1; helo=none.test; envelope-from=user@pass.test; receiver=dest.test ");
	check_str("ar/helo-literal",
	    whole(header_ar(arena, "none", "no SPF record", "smtp.helo",
		"[192.0.2.1]", &w)),
	    "Authentication-Results: mx.example.test; spf=none (no SPF record) smtp.helo=\"[192.0.2.1]\" (client-ip=192.0.2.1; helo=none.test; envelope-from=user@pass.test; receiver=dest.test)");
	w = parts("192.0.2.1", "a)b(c", "\"x); dkim=pass (y\"@pass.test",
	    "d.test", 0);
	check_str("ar/comment-injection",
	    whole(header_ar(arena, "fail",
		"x) smtp.mailfrom=b.test; dkim=pass (y", "smtp.mailfrom",
		"a\"b\\c d", &w)),
	    "Authentication-Results: mx.example.test; spf=fail (x\\) smtp\\.mailfrom=b.test, dkim\\=pass \\(y) smtp.mailfrom=\"a\\\"b\\\\c d\" (client-ip=192.0.2.1; helo=a\\)b\\(c; envelope-from=\"x\\); dkim\\=pass \\(y\"@pass.test; receiver=d.test)");
	w = parts("192.0.2.1", "h.test", "u@ex\303\244mple.test", "d.test", 1);
	check_str("ar/u-label",
	    whole(header_ar(arena, "pass", "ok", "smtp.mailfrom",
		header_show_domain(arena, "ex\303\244mple.test", 1), &w)),
	    "Authentication-Results: mx.example.test; spf=pass (ok) smtp.mailfrom=ex\303\244mple.test (client-ip=192.0.2.1; helo=h.test; envelope-from=u@ex\303\244mple.test; receiver=d.test)");
	w.id = "a b";
	check_str("ar/odd-id",
	    rd_ar(&rd,
		header_ar(arena, "pass", "ok", "smtp.mailfrom", "d.test", &w)
		    .value,
		1),
	    NULL);
	check_str("ar/odd-id-read", rd.id, "a b");
}

static char *
repeat(char c, size_t n)
{
	char *s = arena_alloc(arena, n + 1);

	memset(s, c, n);
	return s;
}

static void
test_bounds(void)
{
	struct header_parts w;
	const char *h, *d;

	check_str("show/cut", header_show(arena, "abcdefgh", 0, 7), "abcd...");
	check_str("show/fits", header_show(arena, "abcdefg", 0, 7), "abcdefg");
	check_str("show/cut-counts-escapes", header_show(arena, "((((", 0, 7),
	    "((...");
	check_str("show/cut-whole-character",
	    header_show(arena, "abc\303\251def", 1, 7), "abc...");
	w = parts("192.0.2.1", "h.test",
	    arena_printf(arena, "%s@pass.test", repeat('a', 65536)), "d.test",
	    0);
	h = received(&w);
	check("bounds/long-local", strlen(h) < 500, "%zu", strlen(h));
	check_has("bounds/long-local-is-cut", h, "aaa...@pass.test\"; ");
	w = parts("192.0.2.1", repeat('(', 500),
	    arena_printf(arena, "%s@%s", repeat('"', 500), repeat('\\', 500)),
	    header_show(arena, repeat(')', 500), 0, HEADER_HOST_MAX), 0);
	d = header_show_domain(arena, repeat('=', 500), 0);
	w.id = repeat('i', HEADER_ID_MAX);
	h = whole(header_ar(arena, "permerror",
	    header_show(arena, repeat(';', 500), 0, HEADER_REASON_MAX),
	    "smtp.mailfrom", d, &w));
	check("bounds/all-escaped", strlen(h) < HEADER_MAX - 1, "%zu",
	    strlen(h));
	check_str("bounds/all-escaped-is-read",
	    rd_ar(&rd, strstr(h, ": ") + 2, 0), NULL);
}

/* What is wrong with a folded value, or NULL. */
static const char *
fold_why(const char *value)
{
	return rd_folded(header_fold("Authentication-Results", value, arena),
	    value, "Authentication-Results");
}

static void
fold(const char *name, const char *value, const char *want)
{
	check_str(name, header_fold("Authentication-Results", value, arena),
	    want);
}

static void
test_fold(void)
{
	char *label = repeat('a', 60), *blanks = repeat(' ', 200);
	const char *f;

	/* As spf-engine folds it, where it does not cut tokens. */
	fold("fold/plain",
	    "mx.example.test; spf=pass (sender SPF authorized) smtp.mailfrom=pass.test (client-ip=192.0.2.1; helo=none.test; envelope-from=u@pass.test; receiver=<UNKNOWN>)",
	    "mx.example.test; spf=pass (sender SPF \n   authorized) smtp.mailfrom=pass.test (client-ip=192.0.2.1; \n   helo=none.test; envelope-from=u@pass.test; receiver=<UNKNOWN>)");
	fold("fold/short", "mx.example.test; none", "mx.example.test; none");
	fold("fold/token",
	    arena_printf(arena,
		"mx; spf=pass (x) smtp.mailfrom=%s.%s.evil.test (client-ip=192.0.2.1)",
		label, label),
	    arena_printf(arena,
		"mx; spf=pass (x) \n   smtp.mailfrom=%s.%s.evil.test \n   (client-ip=192.0.2.1)",
		label, label));
	fold("fold/long-id", arena_printf(arena, "%s; spf=none (x)", label),
	    arena_printf(arena, "%s; \n   spf=none (x)", label));
	f = header_fold("X",
	    arena_printf(arena, "a; spf=none (\"%s) smtp.helo=\"b %s c\" (d)",
		label, blanks),
	    arena);
	check_has("fold/quoted-string", f, "\"b   ");
	check_has("fold/quoted-string-end", f, "  c\" \n   (d)");
	check_str("fold/blanks",
	    fold_why(arena_printf(arena, "mx; spf=pass (%s%s%s)", blanks, label,
		blanks)),
	    NULL);
	check_str("fold/escapes",
	    fold_why(arena_printf(arena, "mx; none (%s \\\\ \\( %s \\\" %s)",
		label, label, label)),
	    NULL);
}

static void
test_reply(void)
{
	struct reply_parts r = { "rejected", "SPF fail - not authorized",
		"mfrom", "user@fail.test", "192.0.2.1", "dest.test", 0 };
	const char *why =
	    "http://www.openspf.net/Why?s={scope};id={id};ip={ip};r={rcpt}";

#define REPLY(m) reply_text(arena, m, why, &r)
	check_str("reply/default",
	    REPLY("Message {rejectdefer} due to: {spf}. Please see {url}"),
	    "Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why?s=mfrom;id=user@fail.test;ip=192.0.2.1;r=dest.test");
	check_str("reply/no-names", REPLY("Go away"), "Go away");
	check_str("reply/empty", REPLY(""), "");
	check_str("reply/braces", REPLY("{{{rejectdefer}}}"), "{rejected}");
	check_str("reply/unknown-name", REPLY("{foo} {} {0} {"),
	    "{foo} {} {0} {");
	check_str("reply/format",
	    REPLY(
		"[{rejectdefer:>10}|{rejectdefer:*^11.4}|{rejectdefer!s:.3}|{rejectdefer!r}]"),
	    "[  rejected|***reje****|rej|'rejected']");
	check_str("reply/bad-format", REPLY("{spf:d}{spf!x}"),
	    "{spf:d}{spf!x}");
	check_str("reply/no-url", reply_text(arena, "a {url}b", "", &r), "a b");
	check_str("reply/url-template",
	    reply_text(arena, "{url}", "https://x.test/{ip}/{foo}", &r),
	    "https://x.test/192.0.2.1/{foo}");
	r.spf = "a\r\n250 ok\t\177\303\251{url}";
	check_str("reply/controls", REPLY("{spf}"), "a??250 ok????{url}");
	r.utf8 = 1;
	check_str("reply/utf8", REPLY("{spf}"), "a??250 ok??\303\251{url}");
	check_str("reply/own-utf8", REPLY("\303\204\377\n"), "\303\204??");
	r.spf = repeat('y', 449);
	check_int("reply/cut-at-character", strlen(REPLY("{spf}\303\251")),
	    449);
	check_int("reply/cut", strlen(REPLY("{spf}yyyy")), 450);
	check_int("reply/width", strlen(REPLY("{spf:9999999999999999999999}")),
	    450);
	r.id = "100%d@f.test";
	check_has("reply/percent", REPLY("{url}"), "id=100%d@f.test;");
}

/* regress/lib/hostile.txt's escapes; a NUL is '?', as the sessions do. */
static void
unescape(const char *p, char *out, size_t size)
{
	char *end = out + size - 1, *rest, unit[64];
	unsigned long n;

	for (; *p != '\0' && *p != '\n' && out < end; p++) {
		if (*p != '\\')
			*out++ = *p;
		else if (*++p == 'x') {
			char hex[3] = { p[1], p[2], '\0' };

			n = strtoul(hex, NULL, 16);
			*out++ = n == 0 ? '?' : (char)n;
			p += 2;
		} else if (*p == 'R') {
			n = strtoul(p + 2, &rest, 10);
			p = strchr(rest + 2, '}');
			snprintf(unit, sizeof(unit), "%.*s",
			    (int)(p - rest - 2), rest + 2);
			unescape(unit, unit, sizeof(unit));
			for (; n > 0 && out + strlen(unit) < end; n--)
				out = stpcpy(out, unit);
		} else
			*out++ = *p;
	}
	*out = '\0';
}

/* One value at every place of every field; NULL or what is wrong. */
static const char *
hostile_why(const char *v, int utf8)
{
	const char *at = strrchr(v, '@'), *reason, *why, *h, *domain, *t;
	struct header_parts w = parts("192.0.2.1", v, v,
	    header_show(arena, v, utf8, HEADER_HOST_MAX), utf8);
	struct reply_parts r = { "rejected", v, "mfrom", v, v, v, utf8 };

	domain = header_show_domain(arena, at == NULL ? v : at + 1, utf8);
	reason = header_show(arena, v, utf8, HEADER_REASON_MAX);
	h = header_ar(arena, "fail", reason, "smtp.mailfrom", domain, &w).value;
	if ((why = rd_line(h, HEADER_MAX, utf8)) != NULL ||
	    (why = rd_ar(&rd, h, utf8)) != NULL ||
	    (why = rd_naive_ar(h)) != NULL ||
	    (why = rd_folded(header_fold("Authentication-Results", h, arena), h,
		 "Authentication-Results")) != NULL)
		return why;
	if (strcmp(rd.result, "fail") != 0 || strcmp(rd.value, domain) != 0 ||
	    rd.comments != 2)
		return "result or domain changed";
	h = header_received_spf(arena, "Fail", reason, "helo", &w).value;
	if ((why = rd_line(h, HEADER_MAX, utf8)) != NULL ||
	    (why = rd_received_spf(&rd, h, utf8)) != NULL ||
	    (why = rd_naive_pairs(h)) != NULL)
		return why;
	if (strcmp(rd.val[0], "helo") != 0 || rd_count(h, "identity") != 1 ||
	    strcmp(rd.val[3], w.sender) != 0)
		return "identity or sender changed";
	t = reply_text(arena, "{spf} {url}", "{id}{ip}{rcpt}", &r);
	return rd_line(t, REPLY_MAX, utf8);
}

static void
test_hostile(void)
{
	const char *top = getenv("TOP");
	char path[1024], line[1024], value[8192];
	const char *why;
	int n = 0, seen = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/regress/lib/hostile.txt",
	    top == NULL ? "." : top);
	if ((f = fopen(path, "r")) == NULL) {
		check("hostile/file", f != NULL, "%s", path);
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		n++;
		if (line[0] == '#')
			continue;
		seen++;
		unescape(strchr(strchr(line, ' ') + 1, ' ') + 1, value,
		    sizeof(value));
		arena_reset(arena);
		if ((why = hostile_why(value, 0)) == NULL)
			why = hostile_why(value, 1);
		check_str(check_name("hostile/%.*s-%d", (int)strcspn(line, " "),
			      line, n),
		    why, NULL);
	}
	fclose(f);
	check("hostile/enough", seen >= 200, "%d", seen);
}

int
main(void)
{
	if ((arena = arena_new(16 << 20)) == NULL)
		return 1;
	test_spf();
	test_ar();
	test_bounds();
	test_fold();
	test_reply();
	test_hostile();
	arena_free(arena);
	return check_exit();
}
