/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. The policy protocol's line parser. */

#include <stdlib.h>
#include <string.h>

#include "proto/policy.h"
#include "regress/unit/check.h"

static struct policy_parser p;

/* Feeds all of it, piece octets at a time; the last event. */
static enum policy_event
feed(const char *s, size_t n, size_t piece)
{
	enum policy_event e = POLICY_MORE;
	const char *text;
	size_t used, off, k;

	policy_next(&p);
	for (off = 0; off < n; off += used) {
		k = n - off < piece ? n - off : piece;
		e = policy_feed(&p, s + off, k, &used, &text);
		if (e == POLICY_REQUEST || e == POLICY_TOO_MUCH)
			break;
	}
	return e;
}

static int
has(enum policy_attr a, const char *want)
{
	const char *got = policy_get(&p, a);

	if (want == NULL || got == NULL)
		return want == got;
	return strcmp(want, got) == 0;
}

static enum policy_event
text(const char *s)
{
	return feed(s, strlen(s), strlen(s));
}

static void
test_lines(void)
{
	static const char req[] =
	    "request=smtpd_access_policy\n"
	    "client_address=192.0.2.1\nhelo_name=a\nsender=u@x\n\n";

	check("request",
	    text(req) == POLICY_REQUEST &&
		has(POLICY_CLIENT_ADDRESS, "192.0.2.1") &&
		has(POLICY_SENDER, "u@x") && has(POLICY_RECIPIENT, NULL));
	check("request-octet-by-octet",
	    feed(req, sizeof(req) - 1, 1) == POLICY_REQUEST &&
		has(POLICY_CLIENT_ADDRESS, "192.0.2.1") &&
		has(POLICY_HELO_NAME, "a") && has(POLICY_SENDER, "u@x"));
	check("crlf",
	    text("sender=a@b\r\n\r\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "a@b"));
	check_int("white-line-ends", text("sender=a\n  \t \n"), POLICY_REQUEST);
	check("leading-blank-of-value-stays",
	    text("helo_name= n\n\n") == POLICY_REQUEST &&
		has(POLICY_HELO_NAME, " n"));
	check("blanks-round-name",
	    text("  sender \t=x\n\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "x"));
	check("trailing-white-goes",
	    text("sender=x \t\v\f\n\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "x"));
	check("duplicate-last-wins",
	    text("sender=one-long\nhelo_name=h\n"
		 "sender=2\n\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "2") && has(POLICY_HELO_NAME, "h"));
	check("names-have-case",
	    text("Sender=x\n\n") == POLICY_REQUEST && has(POLICY_SENDER, NULL));
	check("empty-value-is-there",
	    text("sender=\n\n") == POLICY_REQUEST && has(POLICY_SENDER, ""));
	check("value-with-equals",
	    text("sender=a=b@c\n\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "a=b@c"));
	check("empty-request",
	    text("\n") == POLICY_REQUEST && has(POLICY_SENDER, NULL));
	check("nul-is-question-mark",
	    feed("sender=a\0b\n\n", 12, 12) == POLICY_REQUEST &&
		has(POLICY_SENDER, "a?b"));
	check("8bit-stays",
	    text("sender=\xe9\xff\n\n") == POLICY_REQUEST &&
		has(POLICY_SENDER, "\xe9\xff"));
}

static void
test_bad_lines(void)
{
	static const char bad[] = "hello world\n=novalue\na b=c\nsender=x\n\n";
	enum policy_event e;
	const char *t = NULL;
	size_t used, off = 0;
	unsigned int n = 0;

	policy_next(&p);
	while ((e = policy_feed(&p, bad + off, sizeof(bad) - 1 - off, &used,
		    &t)) == POLICY_BAD_LINE) {
		if (n++ == 0)
			check_str("bad-line-text", t, "hello world");
		off += used;
	}
	check("bad-lines-told",
	    n == 3 && e == POLICY_REQUEST && has(POLICY_SENDER, "x"), "%u", n);
}

static char *
many(const char *line, size_t n)
{
	size_t len = strlen(line), i;
	char *s = malloc(len * n + 1);

	for (i = 0; i < n; i++)
		memcpy(s + i * len, line, len);
	s[len * n] = '\0';
	return s;
}

static void
test_bounds(void)
{
	char *s = malloc(1 << 17);

	memset(s, 'a', 1 << 17);
	memcpy(s, "sender=", 7);
	check_int("line-over-64k", feed(s, 1 << 17, 4096), POLICY_TOO_MUCH);
	check("memory-stays-bounded", p.size <= 2 * POLICY_REQUEST_MAX);
	s[POLICY_REQUEST_MAX - 10] = '\n';
	s[POLICY_REQUEST_MAX - 9] = '\n';
	check_int("line-below-64k", feed(s, POLICY_REQUEST_MAX - 8, 4096),
	    POLICY_REQUEST);
	policy_next(&p);
	check("memory-given-back", p.size <= 1024);
	free(s);
	s = many("a=b\n", 2000);
	check_int("1000-attributes", feed(s, 1000 * 4, 4000), POLICY_MORE);
	check_int("1001-attributes", feed(s, 1001 * 4, 4000), POLICY_TOO_MUCH);
	free(s);
	s = many("x\n", 990);
	check("bad-lines-bounded",
	    feed(s, 990 * 2, 7) == POLICY_MORE && p.bad == 990);
	free(s);
	s = many("sender=abcdefghij\n", 900);
	check("repeats-below-64k",
	    feed(s, 900 * 18, 100) == POLICY_MORE &&
		has(POLICY_SENDER, "abcdefghij"));
	free(s);
}

static void
test_pipeline(void)
{
	static const char two[] = "sender=a\n\nhelo_name=b\n\n";
	const char *t;
	size_t used, more;

	policy_next(&p);
	check("pipeline-first",
	    policy_feed(&p, two, sizeof(two) - 1, &used, &t) ==
		    POLICY_REQUEST &&
		used == 10 && has(POLICY_SENDER, "a"));
	policy_next(&p);
	check("idle-between", policy_is_idle(&p));
	check("pipeline-second",
	    policy_feed(&p, two + used, sizeof(two) - 1 - used, &more, &t) ==
		    POLICY_REQUEST &&
		has(POLICY_SENDER, NULL) && has(POLICY_HELO_NAME, "b"));
}

int
main(void)
{
	policy_init(&p);
	test_lines();
	test_bad_lines();
	test_bounds();
	test_pipeline();
	policy_free(&p);
	return check_exit();
}
