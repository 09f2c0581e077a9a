/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (its event thread), policyd-spf, spfctl. */

#include <string.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "proto/stats.h"
#include "unpriv/check/shadow_copy.h"

_Static_assert((int)SHADOW_RESULTS == (int)SPF_RESULT_MAX &&
	(int)SHADOW_PASS == (int)SPF_RESULT_PASS &&
	(int)SHADOW_SOFTFAIL == (int)SPF_RESULT_SOFTFAIL &&
	(int)SHADOW_PERMERROR == (int)SPF_RESULT_PERMERROR &&
	(int)STAT_RESULTS == (int)SPF_RESULT_MAX,
    "one numbering of results");

static struct chan *shadow_chan; /* NULL: there is no shadow */
static unsigned int sample_sum;	 /* percent towards the next copy */

/* The message table (proto/msg.h) lets the shadow send nothing here. */
static void
shadow_copy_got(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
}

static void
shadow_copy_gone(struct chan *c, const char *why, void *arg)
{
	if (why != NULL)
		log_warnx("message from the shadow: %s; its channel is closed",
		    why);
	chan_free(c);
	shadow_chan = NULL;
}

void
shadow_copy_connect(struct event_base *base, enum msg_role self, int fd)
{
	chan_free(shadow_chan);
	shadow_chan = chan_new(base, fd, self, ROLE_SHADOW, shadow_copy_got,
	    shadow_copy_gone, NULL);
}

/* Spreads the sample evenly, without random numbers. */
static int
shadow_copy_is_due(const struct conf *conf)
{
	sample_sum += (unsigned int)conf->second_opinion_sample;
	if (sample_sum < 100)
		return 0;
	sample_sum -= 100;
	return 1;
}

/* Copies a name without its trailing dot. 0, or -1 when it is too long. */
static int
shadow_copy_text(char *to, const char *from)
{
	size_t len = dname_undot(from, strlen(from));

	if (len > SHADOW_TEXT_MAX)
		return -1;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* As in judge_run(), the sender's domain replaces an empty HELO. */
static int
shadow_copy_names(struct shadow_copy *s, const struct judge_request *req)
{
	const char *at;

	if (shadow_copy_text(s->helo, req->helo == NULL ? "" : req->helo) ==
		-1 ||
	    shadow_copy_text(s->sender,
		req->sender == NULL ? "" : req->sender) == -1)
		return -1;
	if (s->helo[0] == '\0') {
		at = strrchr(s->sender, '@');
		strlcpy(s->helo,
		    at != NULL && at[1] != '\0' ? at + 1 : "unknown",
		    sizeof(s->helo));
	}
	return 0;
}

int
shadow_copy_fill(struct shadow_copy *s, const struct judge_request *req,
    enum shadow_identity id, enum spf_result result)
{
	s->want = 0;
	s->identity = (uint8_t)id;
	s->result = (uint8_t)result;
	/* IPv4 clients of an IPv6 listener are IPv4 clients */
	addr_unmap(&s->client,
	    req->conf->prospective.family != 0 ? &req->conf->prospective :
						 &req->client);
	if (s->client.family == 0 || shadow_copy_names(s, req) == -1)
		return -1;
	if (id == SHADOW_HELO)
		s->sender[0] = '\0';
	return 0;
}

void
shadow_copy_take(struct shadow_copy_msg *c, const struct judge_request *req,
    const struct judge_outcome *out)
{
	int null = req->sender == NULL || req->sender[0] == '\0';
	const struct judge_checked *checked =
	    null ? &out->helo : &out->mailfrom;
	struct shadow_copy s;
	struct wbuf w;

	c->len = 0;
	if (!req->conf->second_opinion || !checked->done ||
	    !shadow_copy_is_due(req->conf))
		return;
	wbuf_init(&w, c->payload, sizeof(c->payload));
	if (shadow_copy_fill(&s, req, null ? SHADOW_HELO : SHADOW_MAILFROM,
		checked->verdict.result) == -1 ||
	    shadowmsg_put_copy(&w, &s) == -1)
		stat_inc(SECOND_DROPPED);
	else
		c->len = w.len;
}

void
shadow_copy_send(const struct shadow_copy_msg *c)
{
	if (c->len == 0)
		return;
	/* a backlog means that its socket is full */
	if (shadow_chan == NULL || chan_backlog(shadow_chan) > 0 ||
	    chan_send(shadow_chan, MSG_SHADOW_COPY, 0, c->payload, c->len, -1,
		0) == -1)
		stat_inc(SECOND_DROPPED);
	else
		stat_inc(SECOND_SENT);
}
