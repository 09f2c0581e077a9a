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

/* Changes one octet of a good message. */
static int
get_with(size_t pos, uint8_t value)
{
	struct shadow_copy c;
	size_t len;

	sample(&c);
	len = put(&c);
	buf[pos] = value;
	return get(len, &c);
}

static void
test_copy(void)
{
	static const uint8_t want[] = { 0, 4, 192, 0, 2, 1, 2, 4, 0, 6, 'h',
		'.', 't', 'e', 's', 't', 0, 8, 'u', '@', 'd', '.', 't', 'e',
		's', 't' };
	struct shadow_copy c, d;
	size_t len, i, good;

	sample(&c);
	len = put(&c);
	check_mem("shadowmsg-copy-octets", buf, len, want, sizeof(want));
	memset(&d, 0xaa, sizeof(d));
	check("shadowmsg-copy-comes-back",
	    get(len, &d) == 0 && d.want == 0 &&
		addr_equal(&d.client, &c.client) && d.identity == c.identity &&
		d.result == c.result && strcmp(d.helo, c.helo) == 0 &&
		strcmp(d.sender, c.sender) == 0);
	for (i = 0, good = 0; i < len; i++)
		good += get(i, &d) == 0;
	check_int("shadowmsg-copy-cut-short", good, 0);
	buf[len] = 0;
	check_int("shadowmsg-copy-octet-left-over", get(len + 1, &d), -1);
	check_int("shadowmsg-copy-want-2", get_with(0, 2), -1);
	check_int("shadowmsg-copy-want-1", get_with(0, 1), 0);
	check_int("shadowmsg-copy-family-0", get_with(1, 0), -1);
	check_int("shadowmsg-copy-identity-0", get_with(6, 0), -1);
	check_int("shadowmsg-copy-identity-3", get_with(6, 3), -1);
	check_int("shadowmsg-copy-helo-with-sender", get_with(6, 1), -1);
	check_int("shadowmsg-copy-result-6", get_with(7, 6), 0);
	check_int("shadowmsg-copy-result-7", get_with(7, 7), -1);
	check_int("shadowmsg-copy-nul-in-helo", get_with(10, 0), -1);
	check_int("shadowmsg-copy-nul-in-sender", get_with(18, 0), -1);

	c.helo[0] = '\0';
	check_int("shadowmsg-copy-no-helo", put(&c), 0);
	sample(&c);
	c.sender[0] = '\0';
	check_int("shadowmsg-copy-no-sender", put(&c), 0);
	c.identity = SHADOW_HELO;
	check("shadowmsg-copy-null-sender",
	    (len = put(&c)) != 0 && get(len, &d) == 0 && d.sender[0] == '\0');
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
	check("shadowmsg-copy-largest",
	    len == SHADOWMSG_COPY_MAX && get(len, &d) == 0 &&
		strcmp(d.sender, c.sender) == 0,
	    "%zu", len);
	sample(&c);
	c.identity = SHADOW_HELO;
	c.sender[0] = '\0';
	strlcpy(c.helo, "h", sizeof(c.helo));
	len = put(&c);
	check_int("shadowmsg-copy-smallest", len, SHADOWMSG_COPY_MIN);
	check("shadowmsg-copy-table-row",
	    m->min == SHADOWMSG_COPY_MIN && m->max == SHADOWMSG_COPY_MAX,
	    "%u-%u", m->min, m->max);

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_bytes(&w, "\0\4\300\0\2\1\2\4", 8);
	wbuf_blob(&w, "h", 1);
	memset(d.sender, 's', sizeof(d.sender));
	wbuf_blob(&w, d.sender, SHADOW_TEXT_MAX + 1);
	check_int("shadowmsg-copy-sender-too-long", get(w.len, &d), -1);
}

static void
test_opinion(void)
{
	const struct msg_rule *m = &msg_rules[MSG_SHADOW_RESULT];
	struct shadow_opinion o, p;
	struct rbuf r;
	struct wbuf w;

	memset(&o, 0, sizeof(o));
	o.result = SHADOW_PERMERROR;
	o.cut = 1;
	o.questions = 513;
	memset(o.why, 'w', SHADOW_WHY_MAX);
	wbuf_init(&w, buf, sizeof(buf));
	check("shadowmsg-opinion-put",
	    shadowmsg_put_opinion(&w, &o) == 0 &&
		w.len == SHADOWMSG_RESULT_MAX && m->max == w.len &&
		m->min == SHADOWMSG_RESULT_MIN,
	    "%zu", w.len);
	rbuf_init(&r, buf, w.len);
	check("shadowmsg-opinion-comes-back",
	    shadowmsg_get_opinion(&r, &p) == 0 && p.result == o.result &&
		p.cut == 1 && p.questions == 513 && strcmp(p.why, o.why) == 0);
	rbuf_init(&r, buf, w.len - 1);
	check_int("shadowmsg-opinion-cut-short", shadowmsg_get_opinion(&r, &p),
	    -1);
	buf[0] = SHADOW_RESULTS;
	rbuf_init(&r, buf, w.len);
	check_int("shadowmsg-opinion-unknown-result",
	    shadowmsg_get_opinion(&r, &p), -1);
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
