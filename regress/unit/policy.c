/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. The policy protocol's line parser. */

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

/* What was fed as text: the last event, and the attributes that are there. */
static const char *
show(enum policy_event e)
{
	static const char *const name[] = { [POLICY_CLIENT_ADDRESS] = "client",
		[POLICY_HELO_NAME] = "helo",
		[POLICY_SENDER] = "sender",
		[POLICY_RECIPIENT] = "recipient" };
	static char text[256];
	const char *value;
	size_t i, n;

	n = (size_t)snprintf(text, sizeof(text), "%s",
	    e == POLICY_REQUEST	     ? "request" :
		e == POLICY_TOO_MUCH ? "too much" :
		e == POLICY_MORE     ? "more" :
				       "bad line");
	for (i = 0; i < NITEMS(name); i++)
		if (name[i] != NULL && (value = policy_get(&p, i)) != NULL)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    " %s=[%s]", name[i], value);
	return text;
}

#define REQUEST                                                   \
	"request=smtpd_access_policy\nclient_address=192.0.2.1\n" \
	"helo_name=a\nsender=u@x\n\n"

static void
test_lines(void)
{
	static const struct {
		const char *name, *text, *want;
	} t[] = {
		{ "request", REQUEST,
		    "request client=[192.0.2.1] helo=[a] sender=[u@x]" },
		{ "crlf", "sender=a@b\r\n\r\n", "request sender=[a@b]" },
		{ "white-line-ends", "sender=a\n  \t \n",
		    "request sender=[a]" },
		{ "leading-blank-of-value-stays", "helo_name= n\n\n",
		    "request helo=[ n]" },
		{ "blanks-round-name", "  sender \t=x\n\n",
		    "request sender=[x]" },
		{ "trailing-white-goes", "sender=x \t\v\f\n\n",
		    "request sender=[x]" },
		{ "duplicate-last-wins",
		    "sender=one-long\nhelo_name=h\nsender=2\n\n",
		    "request helo=[h] sender=[2]" },
		{ "names-have-case", "Sender=x\n\n", "request" },
		{ "empty-value-is-there", "sender=\n\n", "request sender=[]" },
		{ "value-with-equals", "sender=a=b@c\n\n",
		    "request sender=[a=b@c]" },
		{ "empty-request", "\n", "request" },
		{ "8bit-stays", "sender=\351\377\n\n",
		    "request sender=[\351\377]" },
	};
	size_t i;

	for (i = 0; i < NITEMS(t); i++)
		check_str(t[i].name,
		    show(feed(t[i].text, strlen(t[i].text), 1000)), t[i].want);
	check_str("request-octet-by-octet",
	    show(feed(REQUEST, sizeof(REQUEST) - 1, 1)), t[0].want);
	check_str("nul-is-question-mark", show(feed("sender=a\0b\n\n", 12, 12)),
	    "request sender=[a?b]");
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
	check_int("bad-lines-told", n, 3);
	check_str("bad-lines-skipped", show(e), "request sender=[x]");
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
	check("memory-given-back", p.size <= 1024, "%zu", p.size);
	free(s);
	s = many("a=b\n", 2000);
	check_int("1000-attributes", feed(s, 1000 * 4, 4000), POLICY_MORE);
	check_int("1001-attributes", feed(s, 1001 * 4, 4000), POLICY_TOO_MUCH);
	free(s);
	s = many("x\n", 990);
	check_int("bad-lines-bounded", feed(s, 990 * 2, 7), POLICY_MORE);
	check_int("bad-lines-counted", p.bad, 990);
	free(s);
	s = many("sender=abcdefghij\n", 900);
	check_str("repeats-below-64k", show(feed(s, 900 * 18, 100)),
	    "more sender=[abcdefghij]");
	free(s);
}

static void
test_pipeline(void)
{
	static const char two[] = "sender=a\n\nhelo_name=b\n\n";
	const char *t;
	size_t used, more;

	policy_next(&p);
	check_str("pipeline-first",
	    show(policy_feed(&p, two, sizeof(two) - 1, &used, &t)),
	    "request sender=[a]");
	check_int("pipeline-first-used", used, 10);
	policy_next(&p);
	check("idle-between", policy_is_idle(&p));
	check_str("pipeline-second",
	    show(
		policy_feed(&p, two + used, sizeof(two) - 1 - used, &more, &t)),
	    "request helo=[b]");
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
