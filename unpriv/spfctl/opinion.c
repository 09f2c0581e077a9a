/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/dname.h"
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/opinion.h"

#define SECOND_QUESTIONS 256 /* more than it ever asks of one copy */
#define SECOND_SECONDS	 20  /* for DNS */
#define SECOND_PATIENCE	 25  /* for its opinion: it has limits of its own */

/* A question of the shadow that has no answer yet. */
struct pending {
	uint32_t peerid;
	uint16_t type;
	uint8_t len;
	char name[DNAME_MAX];
};

struct second_check {
	struct event_base *base;
	struct chan *questions; /* NULL: the shadow is gone */
	struct chan *copies;
	struct pending pending[SECOND_QUESTIONS];
	size_t npending;
	size_t nquestions; /* of this copy */
	uint32_t asked;	   /* number of the copy */
	int done;
	time_t until;
	struct shadow_opinion opinion;
};

static const struct dns_answer refused = { .status = DNS_TEMPERROR };

static void
second_reply(struct second_check *s, const struct pending *q,
    const struct dns_answer *from)
{
	static uint8_t buf[DNSMSG_ANSWER_MAX];
	struct dns_answer a = *from;
	struct wbuf w;

	a.type = q->type;
	wbuf_init(&w, buf, sizeof(buf));
	if (dnsmsg_put_answer(&w, &a) == -1) {
		a = refused;
		a.type = q->type;
		wbuf_init(&w, buf, sizeof(buf));
		if (dnsmsg_put_answer(&w, &a) == -1)
			fatalx("answer without records does not encode");
	}
	(void)chan_send(s->questions, MSG_ANSWER, q->peerid, buf, w.len, -1, 0);
}

/* Both channels end together: a shadow with one is of no use. */
static void
second_gone(struct chan *c, const char *why, void *arg)
{
	struct second_check *s = arg;

	if (why != NULL)
		log_warnx("message from the shadow: %s", why);
	chan_free(s->questions);
	chan_free(s->copies);
	s->questions = s->copies = NULL;
}

static void
second_asked(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct second_check *s = arg;
	struct pending *q;
	const char *name;
	struct rbuf r;
	uint16_t type;
	size_t n;

	rbuf_init(&r, p, len);
	if (++s->nquestions > SECOND_QUESTIONS ||
	    dnsmsg_get_query(&r, &type, &name, &n) == -1) {
		second_gone(c, "malformed or too many questions", s);
		return;
	}
	q = &s->pending[s->npending++];
	q->peerid = h->peerid;
	q->type = type;
	q->len = (uint8_t)n;
	memcpy(q->name, name, n);
}

static void
second_said(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct second_check *s = arg;
	struct rbuf r;

	rbuf_init(&r, p, len);
	if (h->peerid != s->asked || s->done)
		return; /* one that we gave up */
	if (shadowmsg_get_opinion(&r, &s->opinion) == -1) {
		second_gone(c, "malformed opinion", s);
		return;
	}
	s->done = 1;
}

struct second_check *
second_check_new(struct event_base *base, int questions, int copies)
{
	struct second_check *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("second_check_new");
	s->base = base;
	s->questions = chan_new(base, questions, ROLE_DNS, ROLE_SHADOW,
	    second_asked, second_gone, s);
	s->copies = chan_new(base, copies, ROLE_CONTROL, ROLE_SHADOW,
	    second_said, second_gone, s);
	return s;
}

void
second_check_free(struct second_check *s)
{
	if (s == NULL)
		return;
	chan_free(s->questions);
	chan_free(s->copies);
	free(s);
}

/* Answers what is known. 1 when something is left. */
static int
second_serve(struct second_check *s, struct answers *answers)
{
	const struct dns_answer *a;
	size_t i, left = 0;

	for (i = 0; i < s->npending; i++) {
		a = answers_get(answers, s->pending[i].type, s->pending[i].name,
		    s->pending[i].len);
		if (a == NULL)
			s->pending[left++] = s->pending[i];
		else
			second_reply(s, &s->pending[i], a);
	}
	s->npending = left;
	return left > 0;
}

/*
 * One turn of ctl_ask_run(): 1 while dns must be asked. While the shadow is
 * at work there is nothing to ask, and we wait here.
 */
static int
second_turn(struct answers *answers, int elapsed, void *arg)
{
	struct second_check *s = arg;

	while (!s->done && s->copies != NULL && clock_seconds() < s->until) {
		if (second_serve(s, answers))
			return 1;
		if (event_base_loop(s->base, EVLOOP_ONCE) == -1)
			fatalx("event loop");
	}
	return 0;
}

int
second_check_ask(struct second_check *s, struct ctl *ctl,
    struct answers *answers, struct shadow_copy *copy, struct shadow_opinion *o)
{
	uint8_t buf[SHADOWMSG_COPY_MAX];
	struct wbuf w;

	s->npending = s->nquestions = 0;
	s->done = 0;
	s->asked++;
	s->until = clock_seconds() + SECOND_PATIENCE;
	copy->want = 1;
	wbuf_init(&w, buf, sizeof(buf));
	if (s->copies == NULL || shadowmsg_put_copy(&w, copy) == -1 ||
	    chan_send(s->copies, MSG_SHADOW_COPY, s->asked, buf, w.len, -1,
		0) == -1)
		return -1;
	if (ctl_ask_run(ctl, answers, SECOND_SECONDS, second_turn, s) == -1 ||
	    !s->done)
		return -1;
	*o = s->opinion;
	return 0;
}
