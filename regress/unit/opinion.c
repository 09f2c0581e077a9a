/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* spfctl's side of the shadow; this test plays the shadow. */

#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/chan.h"
#include "privsep/base/log.h"
#include "regress/unit/check.h"
#include "unpriv/check/asker.h"
#include "unpriv/spfctl/opinion.h"
#include "unpriv/spfctl/zonefile.h"

enum play {
	ASK,
	DIE,
	GARBLED,
	LATE,
	FLOOD
};

static struct event_base *base;
static struct spfctl ctl;
static struct chan *ask, *copies; /* the shadow's ends */
static enum play play;
static uint32_t copy_id;
static struct shadow_copy got;
static struct dns_answer heard[4];
static char text[4][64];
static int nheard, nasked;

static void
quiet(int pri, const char *line, void *arg)
{
}

static void
query(uint32_t id, uint16_t type, const char *name)
{
	uint8_t buf[DNSMSG_QUERY_MAX];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	dnsmsg_put_query(&w, type, name, strlen(name));
	chan_send(ask, MSG_QUERY, id, buf, w.len, -1, 0);
	nasked++;
}

static void
say(uint32_t id, uint8_t result)
{
	struct shadow_opinion o;
	uint8_t buf[SHADOWMSG_RESULT_MAX];
	struct wbuf w;

	memset(&o, 0, sizeof(o));
	o.result = SHADOW_NEUTRAL;
	o.questions = 3;
	strlcpy(o.why, "because", sizeof(o.why));
	wbuf_init(&w, buf, sizeof(buf));
	shadowmsg_put_opinion(&w, &o);
	buf[0] = result;
	chan_send(copies, MSG_SHADOW_RESULT, id, buf, w.len, -1, 0);
}

static void
gone(struct chan *c, const char *why, void *arg)
{
	chan_free(c);
	if (c == ask)
		ask = NULL;
	if (c == copies)
		copies = NULL;
}

static void
on_copy(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct rbuf r;
	int i;

	rbuf_init(&r, p, len);
	if (shadowmsg_get_copy(&r, &got) == -1)
		abort();
	copy_id = h->peerid;
	nheard = 0;
	switch (play) {
	case ASK:
		query(7, DNS_T_TXT, "z.test");
		query(8, DNS_T_A, "known.test");
		query(9, DNS_T_A, "no.z.test");
		break;
	case DIE:
		chan_free(ask);
		chan_free(copies);
		ask = copies = NULL;
		break;
	case GARBLED:
		say(copy_id, SHADOW_RESULTS);
		break;
	case LATE:
		say(copy_id - 1, SHADOW_FAIL);
		say(copy_id, SHADOW_PASS);
		break;
	case FLOOD:
		for (i = 0; i < 300; i++)
			query(100 + i, DNS_T_A, "no.z.test");
		break;
	}
}

static void
on_answer(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	static struct dns_rr rr[8];
	struct dns_answer a;
	struct rbuf r;
	uint32_t i = h->peerid - 7;

	rbuf_init(&r, p, len);
	if (i > 2 || dnsmsg_get_answer(&r, &a, rr, 8) == -1)
		return;
	heard[i] = a;
	if (a.nrr > 0)
		snprintf(text[i], sizeof(text[i]), "%.*s", rr[0].len,
		    (const char *)rr[0].data);
	if (++nheard == 3)
		say(copy_id, SHADOW_SOFTFAIL);
}

static struct opinion *
opinion_from(enum play what)
{
	int q[2], c[2];

	if (chan_pair(q) == -1 || chan_pair(c) == -1)
		abort();
	play = what;
	nasked = 0;
	chan_free(ask);
	chan_free(copies);
	ask =
	    chan_new(base, q[1], ROLE_SHADOW, ROLE_DNS, on_answer, gone, NULL);
	copies = chan_new(base, c[1], ROLE_SHADOW, ROLE_CONTROL, on_copy, gone,
	    NULL);
	return opinion_new(base, q[0], c[0]);
}

static void
copy_of(struct shadow_copy *c)
{
	memset(c, 0, sizeof(*c));
	c->client.family = 4;
	c->identity = SHADOW_MAILFROM;
	c->result = SHADOW_FAIL;
	strlcpy(c->helo, "h.test", sizeof(c->helo));
	strlcpy(c->sender, "u@z.test", sizeof(c->sender));
}

static void
test_ask(struct answers *answers)
{
	static const uint8_t addr[4] = { 192, 0, 2, 1 };
	struct dns_rr rr = { addr, 4, 0 };
	struct dns_answer a = { .status = DNS_OK,
		.type = DNS_T_A,
		.nrr = 1,
		.rr = &rr };
	struct opinion *s = opinion_from(ASK);
	struct shadow_opinion o;
	struct shadow_copy c;
	int rv;

	/* what our own check has learnt is not asked again */
	answers_begin(answers);
	(void)answers_get(answers, DNS_T_A, "known.test", 10);
	answers_put(answers, answers_next(answers), &a);
	copy_of(&c);
	rv = opinion_ask(s, &ctl, answers, &c, &o);
	check_int("shadow-check-opinion", rv, 0);
	check_int("shadow-check-opinion-result", o.result, SHADOW_SOFTFAIL);
	check_int("shadow-check-opinion-questions", o.questions, 3);
	check_str("shadow-check-opinion-why", o.why, "because");
	check_int("shadow-check-answer-is-wanted", got.want, 1);
	check_str("shadow-check-sender", got.sender, "u@z.test");
	check_int("shadow-check-from-zone", heard[0].status, DNS_OK);
	check_str("shadow-check-from-zone-text", text[0], "v=spf1 -all");
	check_int("shadow-check-from-our-check", heard[1].status, DNS_OK);
	check_mem("shadow-check-from-our-check-octets", text[1], 1, addr, 1);
	check_int("shadow-check-not-in-zone", heard[2].status, DNS_NXDOMAIN);
	rv = opinion_ask(s, &ctl, answers, &c, &o);
	check_int("shadow-check-once-more", rv, 0);
	check_int("shadow-check-once-more-asks", nasked, 6);
	opinion_free(s);
}

static int
play_once(enum play what, struct answers *answers, struct shadow_opinion *o)
{
	struct opinion *s = opinion_from(what);
	struct shadow_copy c;
	int rv;

	copy_of(&c);
	rv = opinion_ask(s, &ctl, answers, &c, o);
	if (rv == -1)
		check_int("shadow-check-nobody-left",
		    opinion_ask(s, &ctl, answers, &c, o), -1);
	opinion_free(s);
	return rv;
}

int
main(void)
{
	static const char zone[] = "$ORIGIN z.test.\n@ TXT \"v=spf1 -all\"\n";
	struct answers *answers = answers_new();
	struct shadow_opinion o;
	char err[128];

	log_init_callback(quiet, NULL);
	base = event_base_new();
	ctl.base = base;
	ctl.asker = asker_new(base, ROLE_WORKER);
	ctl.zone =
	    zonefile_parse(zone, sizeof(zone) - 1, NULL, err, sizeof(err));
	check("shadow-check-zone", ctl.zone != NULL, "%s", err);
	test_ask(answers);
	check_int("shadow-check-it-dies", play_once(DIE, answers, &o), -1);
	check_int("shadow-check-garbled", play_once(GARBLED, answers, &o), -1);
	check_int("shadow-check-too-many-questions",
	    play_once(FLOOD, answers, &o), -1);
	check_int("shadow-check-old-opinion", play_once(LATE, answers, &o), 0);
	check_int("shadow-check-old-opinion-result", o.result, SHADOW_PASS);
	answers_free(answers);
	asker_free(ctl.asker);
	zonefile_free(ctl.zone);
	chan_free(ask);
	chan_free(copies);
	event_base_free(base);
	return check_exit();
}
