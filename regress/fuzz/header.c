/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Hostile strings into headers, folding and replies. Input: an octet of
 * flags, then strings ended by NUL: HELO, local part, domain, receiver,
 * reason, Reason_Message.
 */

#include "unpriv/judge/header.h"
#include "proto/arena.h"
#include "regress/fuzz/fuzz.h"
#include "regress/fuzz/header_check.h"
#include "unpriv/judge/reply.h"

static struct rd rd, again;

static void
must(const char *why, const char *text)
{
	if (why == NULL)
		return;
	fprintf(stderr, "%s: %s\n", why, text);
	abort();
}

static void
same(const char *a, const char *b, const char *what)
{
	if (strcmp(a, b) != 0) {
		fprintf(stderr, "%s: %s / %s\n", what, a, b);
		abort();
	}
}

static const char *
whole(struct arena *a, struct header_field f)
{
	return arena_printf(a, "%s: %s", f.name, f.value);
}

/* LF taken out, as a reader unfolds (RFC 5322 2.2.3). */
static char *
unfold(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s), *p = out;

	for (; *s != '\0'; s++)
		if (*s != '\n')
			*p++ = *s;
	*p = '\0';
	return out;
}

static void
check_ar(struct arena *a, struct header_field f, const char *domain, int utf8)
{
	const char *h = whole(a, f), *value = f.value, *folded;

	must(rd_line(h, HEADER_MAX - 2, utf8), h);
	must(rd_ar(&rd, value, utf8), h);
	same(rd.result, "pass", "result");
	same(rd.prop, "smtp.mailfrom", "property");
	same(rd.value, domain, "domain");
	must(rd.comments == 2 ? NULL : "comments", h);
	must(rd_naive_ar(value), h);
	folded = header_fold("Authentication-Results", value, a);
	must(rd_folded(folded, value, "Authentication-Results"), folded);
	must(rd_ar(&again, unfold(a, folded), utf8), folded);
	same(again.value, rd.value, "domain after folding");
}

static void
check_spf(struct arena *a, struct header_field f, const struct header_parts *w)
{
	const char *h = whole(a, f), *value = f.value, *folded;

	must(rd_line(h, HEADER_MAX - 2, w->utf8), h);
	must(rd_received_spf(&rd, value, w->utf8), h);
	same(rd.result, "Pass", "result");
	same(rd.val[0], "mailfrom", "identity");
	same(rd.val[1], w->ip, "client-ip");
	same(rd.val[2], w->helo, "helo");
	same(rd.val[3], w->sender, "envelope-from");
	same(rd.val[4], w->receiver, "receiver");
	must(rd_naive_pairs(value), h);
	must(rd_count(value, "identity") == 1 ? NULL : "identities", h);
	folded = header_fold("Received-SPF", value, a);
	must(rd_folded(folded, value, "Received-SPF"), folded);
	must(rd_received_spf(&again, unfold(a, folded), w->utf8), folded);
	same(again.val[3], rd.val[3], "envelope-from after folding");
}

static void
check_all(struct arena *a, const char *const *s, int utf8, int nolocal)
{
	struct header_parts w = { .id = "mx.example.test", .utf8 = utf8 };
	struct reply_parts r = { "rejected", s[4], "mfrom", s[1], "::1", s[3],
		utf8 };
	const char *h, *domain, *reason, *t;
	struct header_field f;

	w.ip = "2001:db8::1";
	w.helo = header_show_domain(a, s[0], utf8);
	w.sender = header_show_sender(a, nolocal ? NULL : s[1], s[2], utf8);
	w.receiver = header_show(a, s[3], utf8, HEADER_HOST_MAX);
	domain = header_show_domain(a, s[2], utf8);
	reason = header_show(a, s[4], utf8, HEADER_REASON_MAX);
	check_ar(a, header_ar(a, "pass", reason, "smtp.mailfrom", domain, &w),
	    domain, utf8);
	check_spf(a, header_received_spf(a, "Pass", reason, "mailfrom", &w),
	    &w);
	f = header_ar_none(a, "SPF skipped for whitelisted relay - ", &w);
	h = whole(a, f);
	must(rd_line(h, HEADER_MAX - 2, utf8), h);
	must(rd_ar(&rd, f.value, utf8), h);
	same(rd.method, "none", "method");
	must(rd_count(h, "spf") + rd_count(h, "dkim") == 0 ?
		NULL :
		"a method for a naive reader",
	    h);
	h = whole(a,
	    header_x_comment(a, "SPF skipped for whitelisted relay - ", &w));
	must(rd_line(h, HEADER_MAX - 2, utf8), h);
	t = reply_text(a,
	    "Message {rejectdefer} due to: {spf}. Please see "
	    "{url}",
	    "http://x/Why?s={scope};id={id};ip={ip};r={rcpt}", &r);
	must(rd_line(t, REPLY_MAX, utf8), t);
	t = reply_text(a, s[5], s[5], &r);
	must(rd_line(t, REPLY_MAX, 1), t); /* UTF-8 of the admin's */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s[6] = { "", "", "", "", "", "" };
	struct arena *a;
	size_t i, n;
	char *buf;

	if (size < 1 || (a = arena_new(1 << 20)) == NULL)
		return 0;
	buf = arena_strndup(a, (const char *)data + 1, size - 1);
	for (i = n = 0; buf != NULL && i < 6 && n < size; i++) {
		s[i] = buf + n;
		n += strlen(buf + n) + 1;
	}
	check_all(a, s, data[0] & 1, data[0] & 2);
	arena_free(a);
	return 0;
}
