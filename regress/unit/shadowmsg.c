/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test. */

#include "proto/shadowmsg.h"
#include "proto/msg.h"
#include "regress/unit/check.h"

static uint8_t buf[8192];

static void
sample(struct shadow_copy *c)
{
	memset(c, 0, sizeof(*c));
	c->client.family = 4;
	memcpy(c->client.b, "\300\0\2\1", 4);
	c->identity = SHADOW_MAILFROM;
	c->result = SHADOW_SOFTFAIL;
	strlcpy(c->helo, "h.test", sizeof(c->helo));
	strlcpy(c->sender, "u@d.test", sizeof(c->sender));
}

static size_t
put(const struct shadow_copy *c)
{
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	return shadowmsg_put_copy(&w, c) == -1 ? 0 : w.len;
}

/* Decodes a heap copy, so that sanitizers detect overruns. */
static int
get(size_t len, struct shadow_copy *c)
{
	uint8_t *p = malloc(len == 0 ? 1 : len);
	struct rbuf r;
	int rv;

	memcpy(p, buf, len);
	rbuf_init(&r, p, len);
	rv = shadowmsg_get_copy(&r, c);
	free(p);
	return rv;
}

/* One octet of a good message is another. */
static void
get_with(const char *name, size_t pos, uint8_t value, int want)
{
	struct shadow_copy c;
	size_t len;

	sample(&c);
	len = put(&c);
	buf[pos] = value;
	check_int(check_name("shadowmsg-copy-%s", name), get(len, &c), want);
}

static void
test_copy(void)
{
	static const char want[] = "\0\4\300\0\2\1\2\4\0\6h.test\0\10u@d.test";
	struct shadow_copy c, d;
	size_t len, i, good;

	sample(&c);
	len = put(&c);
	check_mem("shadowmsg-copy-octets", buf, len, want, sizeof(want) - 1);
	memset(&d, 0xaa, sizeof(d));
	check_int("shadowmsg-copy-comes-back", get(len, &d), 0);
	check_int("shadowmsg-copy-want", d.want, 0);
	check("shadowmsg-copy-client", addr_equal(&d.client, &c.client));
	check_int("shadowmsg-copy-identity", d.identity, c.identity);
	check_int("shadowmsg-copy-result", d.result, c.result);
	check_str("shadowmsg-copy-helo", d.helo, c.helo);
	check_str("shadowmsg-copy-sender", d.sender, c.sender);
	for (i = 0, good = 0; i < len; i++)
		good += get(i, &d) == 0;
	check_int("shadowmsg-copy-cut-short", good, 0);
	buf[len] = 0;
	check_int("shadowmsg-copy-octet-left-over", get(len + 1, &d), -1);
	get_with("want-2", 0, 2, -1);
	get_with("want-1", 0, 1, 0);
	get_with("family-0", 1, 0, -1);
	get_with("identity-0", 6, 0, -1);
	get_with("identity-3", 6, 3, -1);
	get_with("helo-with-sender", 6, 1, -1);
	get_with("result-6", 7, 6, 0);
	get_with("result-7", 7, 7, -1);
	get_with("nul-in-helo", 10, 0, -1);
	get_with("nul-in-sender", 18, 0, -1);

	c.helo[0] = '\0';
	check_int("shadowmsg-copy-no-helo", put(&c), 0);
	sample(&c);
	c.sender[0] = '\0';
	check_int("shadowmsg-copy-no-sender", put(&c), 0);
	c.identity = SHADOW_HELO;
	check_int("shadowmsg-copy-null-sender", get(put(&c), &d), 0);
	check_str("shadowmsg-copy-null-sender-is-empty", d.sender, "");
	sample(&c);
	c.client.family = 0;
	check_int("shadowmsg-copy-no-client", put(&c), 0);
}

static void
test_bounds(void)
{
	const struct msg_rule *m = &msg_rules[MSG_SHADOW_COPY];
	struct shadow_copy c, d;
	struct wbuf w;
	size_t len;

	sample(&c);
	c.client.family = 6;
	memset(c.helo, 'h', SHADOW_TEXT_MAX);
	c.helo[SHADOW_TEXT_MAX] = '\0';
	memset(c.sender, 's', SHADOW_TEXT_MAX);
	c.sender[SHADOW_TEXT_MAX] = '\0';
	len = put(&c);
	check_int("shadowmsg-copy-largest", len, SHADOWMSG_COPY_MAX);
	check_int("shadowmsg-copy-largest-comes-back", get(len, &d), 0);
	check_str("shadowmsg-copy-largest-sender", d.sender, c.sender);
	sample(&c);
	c.identity = SHADOW_HELO;
	c.sender[0] = '\0';
	strlcpy(c.helo, "h", sizeof(c.helo));
	check_int("shadowmsg-copy-smallest", put(&c), SHADOWMSG_COPY_MIN);
	check_int("shadowmsg-copy-table-row", m->min, SHADOWMSG_COPY_MIN);
	check_int("shadowmsg-copy-table-row-most", m->max, SHADOWMSG_COPY_MAX);

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_bytes(&w, "\0\4\300\0\2\1\2\4", 8);
	wbuf_blob(&w, "h", 1);
	memset(d.sender, 's', sizeof(d.sender));
	wbuf_blob(&w, d.sender, SHADOW_TEXT_MAX + 1);
	check_int("shadowmsg-copy-sender-too-long", get(w.len, &d), -1);
}

/* An opinion of so many octets, the first of them another. */
static int
get_opinion(size_t len, uint8_t first, struct shadow_opinion *o)
{
	struct rbuf r;

	buf[0] = first;
	rbuf_init(&r, buf, len);
	return shadowmsg_get_opinion(&r, o);
}

static void
test_opinion(void)
{
	const struct msg_rule *m = &msg_rules[MSG_SHADOW_RESULT];
	struct shadow_opinion o = { .result = SHADOW_PERMERROR,
		.cut = 1,
		.questions = 513 },
			      p;
	struct wbuf w;

	memset(o.why, 'w', SHADOW_WHY_MAX);
	wbuf_init(&w, buf, sizeof(buf));
	check_int("shadowmsg-opinion-put", shadowmsg_put_opinion(&w, &o), 0);
	check_int("shadowmsg-opinion-largest", w.len, SHADOWMSG_RESULT_MAX);
	check_int("shadowmsg-opinion-table-row", m->min, SHADOWMSG_RESULT_MIN);
	check_int("shadowmsg-opinion-table-row-most", m->max, w.len);
	check_int("shadowmsg-opinion-comes-back",
	    get_opinion(w.len, buf[0], &p), 0);
	check_int("shadowmsg-opinion-result", p.result, o.result);
	check_int("shadowmsg-opinion-cut", p.cut, 1);
	check_int("shadowmsg-opinion-questions", p.questions, 513);
	check_str("shadowmsg-opinion-why", p.why, o.why);
	check_int("shadowmsg-opinion-cut-short",
	    get_opinion(w.len - 1, buf[0], &p), -1);
	check_int("shadowmsg-opinion-unknown-result",
	    get_opinion(w.len, SHADOW_RESULTS, &p), -1);
	o.result = SHADOW_RESULTS;
	wbuf_init(&w, buf, sizeof(buf));
	check_int("shadowmsg-opinion-unknown-result-put",
	    shadowmsg_put_opinion(&w, &o), -1);
}

int
main(void)
{
	test_copy();
	test_bounds();
	test_opinion();
	return check_exit();
}
