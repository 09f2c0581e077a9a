/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, shadow, spfctl. Pure. */

#include <string.h>

#include "proto/shadowmsg.h"

const char *const shadow_result_name[SHADOW_RESULTS] = { "none", "neutral",
	"pass", "fail", "softfail", "temperror", "permerror" };

static int
copy_ok(const struct shadow_copy *c)
{
	return c->want <= 1 &&
	    (c->client.family == 4 || c->client.family == 6) &&
	    (c->identity == SHADOW_HELO || c->identity == SHADOW_MAILFROM) &&
	    c->result < SHADOW_RESULTS && c->helo[0] != '\0' &&
	    (c->sender[0] == '\0') == (c->identity == SHADOW_HELO);
}

/* Reads a blob as a string. -1 when it does not fit or holds a NUL. */
static int
get_text(struct rbuf *r, char *buf, size_t max)
{
	const uint8_t *p;
	size_t len;

	if ((p = rbuf_blob(r, &len)) == NULL || len > max ||
	    memchr(p, '\0', len) != NULL)
		return -1;
	memcpy(buf, p, len);
	buf[len] = '\0';
	return 0;
}

int
shadowmsg_put_copy(struct wbuf *w, const struct shadow_copy *c)
{
	if (!copy_ok(c))
		return -1;
	wbuf_u8(w, c->want);
	wbuf_u8(w, c->client.family);
	wbuf_bytes(w, c->client.b, c->client.family == 4 ? 4 : 16);
	wbuf_u8(w, c->identity);
	wbuf_u8(w, c->result);
	wbuf_blob(w, c->helo, strlen(c->helo));
	wbuf_blob(w, c->sender, strlen(c->sender));
	return wbuf_ok(w) ? 0 : -1;
}

int
shadowmsg_get_copy(struct rbuf *r, struct shadow_copy *c)
{
	const uint8_t *p;
	size_t len;

	memset(&c->client, 0, sizeof(c->client));
	c->want = rbuf_u8(r);
	c->client.family = rbuf_u8(r);
	len = c->client.family == 4 ? 4 : 16;
	if ((p = rbuf_bytes(r, len)) == NULL)
		return -1;
	memcpy(c->client.b, p, len);
	c->identity = rbuf_u8(r);
	c->result = rbuf_u8(r);
	if (get_text(r, c->helo, SHADOW_TEXT_MAX) == -1 ||
	    get_text(r, c->sender, SHADOW_TEXT_MAX) == -1)
		return -1;
	return rbuf_done(r) && copy_ok(c) ? 0 : -1;
}

int
shadowmsg_put_opinion(struct wbuf *w, const struct shadow_opinion *o)
{
	if (o->result >= SHADOW_RESULTS || o->cut > 1)
		return -1;
	wbuf_u8(w, o->result);
	wbuf_u8(w, o->cut);
	wbuf_u16(w, o->questions);
	wbuf_blob(w, o->why, strlen(o->why));
	return wbuf_ok(w) ? 0 : -1;
}

int
shadowmsg_get_opinion(struct rbuf *r, struct shadow_opinion *o)
{
	o->result = rbuf_u8(r);
	o->cut = rbuf_u8(r);
	o->questions = rbuf_u16(r);
	if (get_text(r, o->why, SHADOW_WHY_MAX) == -1)
		return -1;
	return rbuf_done(r) && o->result < SHADOW_RESULTS && o->cut <= 1 ? 0 :
									   -1;
}
