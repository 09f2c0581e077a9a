/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter. Pure: no system calls, no allocation. */

#include <string.h>
#include <strings.h>

#include "proto/milter.h"

#define IN_NEW	   (1U << MILTER_ST_NEW)
#define IN_AGREED  (1U << MILTER_ST_AGREED)
#define IN_CLIENT  (1U << MILTER_ST_CLIENT)
#define IN_MESSAGE (1U << MILTER_ST_MESSAGE)
#define IN_ALL	   (IN_AGREED | IN_CLIENT | IN_MESSAGE)
#define IN_ANY	   (IN_NEW | IN_ALL)

const struct milter_rule milter_rules[MILTER_CMD_MAX] = {
	[MILTER_NONE] = { '\0', "NONE", 0, 0, 0 },
#define X(l, n, s, nr, r) [MILTER_##n] = { l, #n, s, nr, r },
	MILTER_CMDS(X)
#undef X
};

/* Steps that an SPF filter does not need. */
#define STEPS_UNWANTED                                        \
	(MILTER_P_NORCPT | MILTER_P_NOBODY | MILTER_P_NOEOH | \
	    MILTER_P_NOUNKNOWN | MILTER_P_NODATA)
/* Steps that it needs, and to which it never replies. */
#define STEPS_SILENT (MILTER_P_NR_CONN | MILTER_P_NR_HELO)

enum milter_cmd
milter_cmd_of(uint8_t letter)
{
	int i;

	for (i = MILTER_NONE + 1; i < MILTER_CMD_MAX; i++)
		if ((uint8_t)milter_rules[i].letter == letter)
			return (enum milter_cmd)i;
	return MILTER_NONE;
}

int
milter_reply_due(enum milter_cmd cmd, uint32_t steps)
{
	return milter_rules[cmd].reply && (milter_rules[cmd].nr & steps) == 0;
}

int
milter_agree(const struct milter_options *offer, int headers,
    struct milter_options *agreed)
{
	uint32_t steps = STEPS_UNWANTED | STEPS_SILENT;
	uint32_t actions = MILTER_F_ADDHDRS;

	if (offer->version < MILTER_VERSION_MIN)
		return -1;
	/* Without the right to delete fields, do not ask for them. */
	if (headers && (offer->actions & MILTER_F_CHGHDRS) != 0) {
		actions |= MILTER_F_CHGHDRS;
		steps |= MILTER_P_NR_HDR;
	} else
		steps |= MILTER_P_NOHDRS | MILTER_P_NR_HDR;
	agreed->version = offer->version < MILTER_VERSION_MAX ?
	    offer->version :
	    MILTER_VERSION_MAX;
	agreed->actions = offer->actions & actions;
	agreed->steps = offer->steps & steps;
	return 0;
}

int
milter_packet(const uint8_t *buf, size_t len, uint8_t *cmd,
    const uint8_t **data, size_t *datalen, size_t *used)
{
	struct rbuf r;
	uint32_t n;

	if (len < MILTER_LEN_SIZE)
		return 0;
	rbuf_init(&r, buf, len);
	n = rbuf_u32(&r);
	if (n == 0 || n > MILTER_PACKET_MAX)
		return -1;
	if (r.left < n)
		return 0;
	*cmd = rbuf_u8(&r);
	*datalen = n - 1;
	*data = rbuf_bytes(&r, *datalen);
	*used = MILTER_LEN_SIZE + n;
	return 1;
}

const char *
milter_next_string(struct rbuf *r, int *err)
{
	const uint8_t *p = r->p, *end;

	if (r->left == 0)
		return NULL;
	if ((end = memchr(p, '\0', r->left)) == NULL) {
		*err = 1;
		return NULL;
	}
	(void)rbuf_bytes(r, (size_t)(end - p) + 1);
	return (const char *)p;
}

int
milter_get_options(const uint8_t *p, size_t len, struct milter_options *o)
{
	struct rbuf r;

	rbuf_init(&r, p, len);
	o->version = rbuf_u32(&r);
	o->actions = rbuf_u32(&r);
	o->steps = rbuf_u32(&r);
	return r.err ? -1 : 0;
}

int
milter_get_connect(const uint8_t *p, size_t len, struct milter_connect *c)
{
	const char *text;
	struct addr a;
	struct rbuf r;
	int err = 0;

	memset(c, 0, sizeof(*c));
	c->address = "";
	rbuf_init(&r, p, len);
	if ((c->host = milter_next_string(&r, &err)) == NULL)
		return -1;
	c->family = (char)rbuf_u8(&r);
	if (r.err)
		return -1;
	if (c->family != '4' && c->family != '6' && c->family != 'L') {
		c->family = 'U';
		return 0;
	}
	c->port = rbuf_u16(&r);
	if (r.err || (c->address = milter_next_string(&r, &err)) == NULL)
		return -1;
	/* Sendmail writes IPv6 addresses with a prefix, Postfix without. */
	text = c->address;
	if (c->family == '6' && strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	if (addr_parse(&a, text, strlen(text)) == 0 &&
	    a.family == c->family - '0')
		c->addr = a;
	return 0;
}

int
milter_get_string(const uint8_t *p, size_t len, const char **s)
{
	if (len == 0 || p[len - 1] != '\0')
		return -1;
	*s = (const char *)p;
	return 0;
}

int
milter_get_header(const uint8_t *p, size_t len, const char **name,
    const char **value)
{
	struct rbuf r;
	int err = 0;

	rbuf_init(&r, p, len);
	*name = milter_next_string(&r, &err);
	*value = milter_next_string(&r, &err);
	return *name == NULL || *value == NULL ? -1 : 0;
}

static void
put_head(struct wbuf *w, size_t datalen, char cmd)
{
	wbuf_u32(w, (uint32_t)(datalen + 1));
	wbuf_u8(w, (uint8_t)cmd);
}

void
milter_put_simple(struct wbuf *w, char cmd)
{
	put_head(w, 0, cmd);
}

void
milter_put_options(struct wbuf *w, const struct milter_options *o)
{
	put_head(w, 12, 'O');
	wbuf_u32(w, o->version);
	wbuf_u32(w, o->actions);
	wbuf_u32(w, o->steps);
}

int
milter_percent(char *out, size_t size, const char *s)
{
	size_t run, n, len = 0;

	while (*s != '\0') {
		run = strspn(s, "%");
		n = run == 0 ? 1 : run % 2 == 1 ? run * 2 : run;
		if (size - len <= n)
			return -1;
		memset(out + len, *s, n);
		len += n;
		s += run == 0 ? 1 : run;
	}
	if (size == 0)
		return -1;
	out[len] = '\0';
	return 0;
}

void
milter_put_reply(struct wbuf *w, const char *code, const char *xcode,
    const char *text)
{
	char buf[2048];

	if (milter_percent(buf, sizeof(buf), text) == -1) {
		w->err = 1;
		return;
	}
	put_head(w, strlen(code) + strlen(xcode) + strlen(buf) + 3, 'y');
	wbuf_bytes(w, code, strlen(code));
	wbuf_u8(w, ' ');
	wbuf_bytes(w, xcode, strlen(xcode));
	wbuf_u8(w, ' ');
	wbuf_bytes(w, buf, strlen(buf) + 1);
}

void
milter_put_header(struct wbuf *w, char cmd, uint32_t idx, const char *name,
    const char *value)
{
	size_t n = strlen(name) + 1, v = strlen(value) + 1;

	put_head(w, 4 + n + v, cmd);
	wbuf_u32(w, idx);
	wbuf_bytes(w, name, n);
	wbuf_bytes(w, value, v);
}
