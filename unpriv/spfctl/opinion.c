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

#define OPINION_QUESTIONS 256 /* libspf2 asks fewer for one copy */
#define OPINION_DNS_TIME  20  /* seconds, for DNS */
#define OPINION_TIMEOUT	  25  /* seconds, for the opinion */

/* A question from the shadow, not answered yet. */
struct opinion_question {
	uint32_t peerid;
	uint16_t type;
	uint8_t len;
	char name[DNAME_MAX];
};

struct opinion {
	struct event_base *base;
	struct chan *questions; /* NULL: the shadow is gone */
	struct chan *copies;
	struct opinion_question pending[OPINION_QUESTIONS];
	size_t npending;
	size_t nquestions; /* for this copy */
	uint32_t asked;	   /* the number of this copy */
	int done;
	time_t until;
	struct shadow_opinion opinion;
};

static const struct dns_answer opinion_refused = { .status = DNS_TEMPERROR };

static void
opinion_reply(struct opinion *s, const struct opinion_question *q,
    const struct dns_answer *from)
{
	static uint8_t buf[DNSMSG_ANSWER_MAX];
	struct dns_answer a = *from;
	struct wbuf w;

	a.type = q->type;
	wbuf_init(&w, buf, sizeof(buf));
	if (dnsmsg_put_answer(&w, &a) == -1) {
		a = opinion_refused;
		a.type = q->type;
		wbuf_init(&w, buf, sizeof(buf));
		if (dnsmsg_put_answer(&w, &a) == -1)
			fatalx("answer without records does not encode");
	}
	(void)chan_send(s->questions, MSG_ANSWER, q->peerid, buf, w.len, -1, 0);
}

/* Closes both channels: a shadow with one of them is of no use. */
static void
opinion_gone(struct chan *c, const char *why, void *arg)
{
	struct opinion *s = arg;

	if (why != NULL)
		log_warnx("message from the shadow: %s", why);
	chan_free(s->questions);
	chan_free(s->copies);
	s->questions = s->copies = NULL;
}

static void
opinion_asked(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct opinion *s = arg;
	struct opinion_question *q;
	const char *name;
	struct rbuf r;
	uint16_t type;
	size_t n;

	rbuf_init(&r, p, len);
	if (++s->nquestions > OPINION_QUESTIONS ||
	    dnsmsg_get_query(&r, &type, &name, &n) == -1) {
		opinion_gone(c, "malformed or too many questions", s);
		return;
	}
	q = &s->pending[s->npending++];
	q->peerid = h->peerid;
	q->type = type;
	q->len = (uint8_t)n;
	memcpy(q->name, name, n);
}

static void
opinion_received(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct opinion *s = arg;
	struct rbuf r;

	rbuf_init(&r, p, len);
	if (h->peerid != s->asked || s->done)
		return; /* an opinion on an earlier copy */
	if (shadowmsg_get_opinion(&r, &s->opinion) == -1) {
		opinion_gone(c, "malformed opinion", s);
		return;
	}
	s->done = 1;
}

struct opinion *
opinion_new(struct event_base *base, int questions, int copies)
{
	struct opinion *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("opinion_new");
	s->base = base;
	s->questions = chan_new(base, questions, ROLE_DNS, ROLE_SHADOW,
	    opinion_asked, opinion_gone, s);
	s->copies = chan_new(base, copies, ROLE_CONTROL, ROLE_SHADOW,
	    opinion_received, opinion_gone, s);
	return s;
}

void
opinion_free(struct opinion *s)
{
	if (s == NULL)
		return;
	chan_free(s->questions);
	chan_free(s->copies);
	free(s);
}

/* Answers the questions whose answers are known. Returns 1 if some remain. */
static int
opinion_serve(struct opinion *s, struct answers *answers)
{
	const struct dns_answer *a;
	size_t i, left = 0;

	for (i = 0; i < s->npending; i++) {
		a = answers_get(answers, s->pending[i].type, s->pending[i].name,
		    s->pending[i].len);
		if (a == NULL)
			s->pending[left++] = s->pending[i];
		else
			opinion_reply(s, &s->pending[i], a);
	}
	s->npending = left;
	return left > 0;
}

/*
 * A ctl_run_fn. Waits for the shadow; returns 1 when it has a question whose
 * answer is missing.
 */
static int
opinion_turn(struct answers *answers, int elapsed, void *arg)
{
	struct opinion *s = arg;

	while (!s->done && s->copies != NULL && clock_seconds() < s->until) {
		if (opinion_serve(s, answers))
			return 1;
		if (event_base_loop(s->base, EVLOOP_ONCE) == -1)
			fatalx("event loop");
	}
	return 0;
}

int
opinion_ask(struct opinion *s, struct spfctl *ctl, struct answers *answers,
    struct shadow_copy *copy, struct shadow_opinion *o)
{
	uint8_t buf[SHADOWMSG_COPY_MAX];
	struct wbuf w;

	s->npending = s->nquestions = 0;
	s->done = 0;
	s->asked++;
	s->until = clock_seconds() + OPINION_TIMEOUT;
	copy->want = 1;
	wbuf_init(&w, buf, sizeof(buf));
	if (s->copies == NULL || shadowmsg_put_copy(&w, copy) == -1 ||
	    chan_send(s->copies, MSG_SHADOW_COPY, s->asked, buf, w.len, -1,
		0) == -1)
		return -1;
	if (ctl_ask_run(ctl, answers, OPINION_DNS_TIME, opinion_turn, s) ==
		-1 ||
	    !s->done)
		return -1;
	*o = s->opinion;
	return 0;
}
