/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: tests and fuzz targets of the sessions. Stands for the judge, the
 * check driver, the way to dns and the log: verdicts follow the sender's
 * domain, "slow.test" and "never.test" take a while or for ever.
 */

#ifndef SESSION_STUBS_H
#define SESSION_STUBS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "conf/conf.h"
#include "privsep/base/log.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/check.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/judge/header.h"
#include "unpriv/worker/conn.h"

static struct event_base *stub_base;
static char stub_log[65536]; /* all lines since the last reset */
static unsigned int stub_checks, stub_cancels, stub_prefetches;
static struct judge_request stub_seen; /* the last request */
static char stub_sender[65536], stub_helo[65536];

/* -- log -- */
static void
log_vline(int pri, const char *fmt, va_list ap)
{
	size_t len = strlen(stub_log);

	if (len + 2 >= sizeof(stub_log))
		return;
	vsnprintf(stub_log + len, sizeof(stub_log) - len - 1, fmt, ap);
	strlcat(stub_log, "\n", sizeof(stub_log));
}

#define STUB_LOG(name, args, last)     \
	void name args                 \
	{                              \
		va_list ap;            \
                                       \
		va_start(ap, last);    \
		log_vline(0, fmt, ap); \
		va_end(ap);            \
	}
STUB_LOG(log_line, (int pri, const char *fmt, ...), fmt)
STUB_LOG(log_warnx, (const char *fmt, ...), fmt)
STUB_LOG(log_warn, (const char *fmt, ...), fmt)

int
log_note(struct log_note *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(0, fmt, ap);
	va_end(ap);
	return 1;
}

void
fatal(const char *fmt, ...)
{
	abort();
}

void
fatalx(const char *fmt, ...)
{
	abort();
}

/* clang-format off */
const char *const spf_result_name[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "none", [SPF_RESULT_NEUTRAL] = "neutral",
	[SPF_RESULT_PASS] = "pass", [SPF_RESULT_FAIL] = "fail",
	[SPF_RESULT_SOFTFAIL] = "softfail",
	[SPF_RESULT_TEMPERROR] = "temperror",
	[SPF_RESULT_PERMERROR] = "permerror",
};
/* clang-format on */

/* -- configuration -- */
const struct conf *
conf_for(const struct conf *conf, const char *rcpt)
{
	size_t i;

	for (i = 0; i < conf->users.n; i++)
		if (strcmp(conf->users.v[i].user, rcpt) == 0)
			return conf->users.v[i].conf;
	return conf;
}

static void
stub_conf(struct conf *c)
{
	static char id[] = "mx.example.test", empty[] = "";

	memset(c, 0, sizeof(*c));
	c->debug_level = 1;
	c->test_only = 1;
	c->authserv_id = id;
	c->per_user_path = empty;
	c->lookup_time = 20;
	c->remove_own_ar = 1;
	c->skip_authenticated = 1;
	c->queue_id = 1;
}

/* -- the check -- */
struct check {
	struct event *ev;
	const struct judge_request *req;
	check_done_fn done;
	void *arg;
};

static struct check *stub_pending; /* the last, until it is done */

static void
stub_judge(const struct judge_request *r, check_done_fn done, void *arg)
{
	static const struct bypass_list skip = { .id = BYPASS_SKIP_ADDRESSES,
		.name = "skip_addresses" };
	static struct judge_log line = { .level = 1, .text = "a log line" };
	struct judge_outcome o;
	const char *at = r->sender == NULL ? NULL : strrchr(r->sender, '@');
	const char *domain = at == NULL ? "" : at + 1;

	memset(&o, 0, sizeof(o));
	o.log = &line;
	o.action = JUDGE_PREPEND;
	o.header_name = "Authentication-Results";
	o.header_value = "mx.example.test; spf=pass";
	if (strcmp(domain, "fail.test") == 0) {
		o.action = JUDGE_REJECT;
		o.code = "550";
		o.xcode = "5.7.23";
		o.text = "no 100% pass";
		o.answer = "550 5.7.23 no 100% pass";
	} else if (strcmp(domain, "defer.test") == 0) {
		o.action = JUDGE_DEFER;
		o.code = "450";
		o.text = "later";
		o.answer = "defer_if_permit later";
	} else if (strcmp(domain, "restrict.test") == 0) {
		o.action = JUDGE_RESTRICTION;
		o.text = o.answer = "permit";
	} else if (strcmp(domain, "dunno.test") == 0) {
		o.action = JUDGE_NOTHING;
		o.header_name = o.header_value = NULL;
	} else if (strcmp(domain, "later.test") == 0)
		o.later = "permit_later";
	else if (strcmp(domain, "local.test") == 0)
		o.skipped = &skip;
	done(&o, arg);
}

static void
stub_later(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;

	if (c == stub_pending)
		stub_pending = NULL;
	stub_judge(c->req, c->done, c->arg);
	event_free(c->ev);
	free(c);
}

struct check *
check_start(struct asker *k, struct check_prefetch *p,
    const struct judge_request *r, int seconds, check_done_fn done, void *arg)
{
	struct timeval tv = { 0, 20000 };
	struct check *c;
	const char *at;

	stub_checks++;
	stub_seen = *r;
	strlcpy(stub_sender, r->sender == NULL ? "NULL" : r->sender,
	    sizeof(stub_sender));
	strlcpy(stub_helo, r->helo == NULL ? "NULL" : r->helo,
	    sizeof(stub_helo));
	at = r->sender == NULL ? NULL : strrchr(r->sender, '@');
	if ((c = calloc(1, sizeof(*c))) == NULL)
		abort();
	c->req = r;
	c->done = done;
	c->arg = arg;
	stub_pending = c;
	c->ev = evtimer_new(stub_base, stub_later, c);
	if (at != NULL && strcmp(at, "@slow.test") == 0)
		evtimer_add(c->ev, &tv);
	else if (at == NULL || strcmp(at, "@never.test") != 0)
		event_active(c->ev, EV_TIMEOUT, 0);
	return c;
}

void
check_cancel(struct check *c)
{
	stub_cancels++;
	if (c == stub_pending)
		stub_pending = NULL;
	event_free(c->ev);
	free(c);
}

struct check_prefetch {
	int x;
};

struct check_prefetch *
check_prefetch_new(struct asker *k)
{
	return calloc(1, sizeof(struct check_prefetch));
}

void
check_prefetch_free(struct check_prefetch *p)
{
	free(p);
}

void
check_prefetch_reset(struct check_prefetch *p)
{
}

void
check_prefetch_helo(struct check_prefetch *p, const struct conf *conf,
    const char *helo)
{
	stub_prefetches++;
}

const char *
header_fold(const char *name, const char *value, struct arena *a)
{
	return value;
}

/* -- dns, for names of InternalHosts: 192.0.2.7 is in.internal.test -- */
static asker_fn stub_fn[64];
static void *stub_arg[64];
static struct event *stub_ev[64];
static uint16_t stub_type[64];

static void
stub_answer(evutil_socket_t fd, short what, void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	static const uint8_t name[] = "in.internal.test",
			     good[] = { 192, 0, 2, 7 };
	struct dns_rr rr = { name, sizeof(name) - 1, 0 };
	struct dns_answer a = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	asker_fn fn = stub_fn[i];

	if (stub_type[i] != DNS_T_PTR) {
		rr.data = good;
		rr.len = 4;
	}
	event_free(stub_ev[i]);
	stub_ev[i] = NULL;
	fn(&a, stub_arg[i]);
}

struct event_base *
asker_base(const struct asker *k)
{
	return stub_base;
}

uint32_t
asker_ask(struct asker *k, uint16_t type, const char *name, size_t len,
    asker_fn fn, void *arg)
{
	struct timeval tv = { 0, 5000 };
	size_t i;

	for (i = 0; i < 64 && stub_ev[i] != NULL; i++)
		;
	if (i == 64)
		return 0;
	stub_fn[i] = fn;
	stub_arg[i] = arg;
	stub_type[i] = type;
	stub_ev[i] = evtimer_new(stub_base, stub_answer, (void *)(uintptr_t)i);
	evtimer_add(stub_ev[i], &tv);
	return (uint32_t)i + 1;
}

void
asker_cancel(struct asker *k, uint32_t id)
{
	event_free(stub_ev[id - 1]);
	stub_ev[id - 1] = NULL;
}

#endif
