/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: tests and fuzz targets of the sessions. Stands for the judge, the
 * check driver, the way to dns and the log: verdicts follow the sender's
 * domain, that of "slow.test" comes when stub_later() is called, that of
 * "never.test" does not come.
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

#define STUB_LOG(type, name, args, result) \
	type name args                     \
	{                                  \
		va_list ap;                \
                                           \
		va_start(ap, fmt);         \
		log_vline(0, fmt, ap);     \
		va_end(ap);                \
		return result;             \
	}
STUB_LOG(void, log_line, (int pri, const char *fmt, ...), )
STUB_LOG(void, log_warnx, (const char *fmt, ...), )
STUB_LOG(void, log_warn, (const char *fmt, ...), )
STUB_LOG(int, log_note, (struct log_note * n, const char *fmt, ...), 1)

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

/* clang-format off */
static const struct bypass_list stub_skip = { .id = BYPASS_SKIP_ADDRESSES,
	.name = "skip_addresses" };
static struct judge_log stub_line = { .level = 1, .text = "a log line" };

/* The outcome for a sender's domain; the last row for any other. */
#define STUB_FIELD	.header_name = "Authentication-Results", \
	.header_value = "mx.example.test; spf=pass"
static const struct {
	const char *domain;
	struct judge_outcome outcome;
} stub_outcomes[] = {
	{ "fail.test", { .action = JUDGE_REJECT, STUB_FIELD, .code = "550",
	    .xcode = "5.7.23", .text = "no 100% pass",
	    .answer = "550 5.7.23 no 100% pass" } },
	{ "defer.test", { .action = JUDGE_DEFER, STUB_FIELD, .code = "450",
	    .text = "later", .answer = "defer_if_permit later" } },
	{ "restrict.test", { .action = JUDGE_RESTRICTION, STUB_FIELD,
	    .text = "permit", .answer = "permit" } },
	{ "dunno.test", { .action = JUDGE_NOTHING } },
	{ "later.test", { .action = JUDGE_PREPEND, STUB_FIELD,
	    .later = "permit_later" } },
	{ "local.test", { .action = JUDGE_PREPEND, STUB_FIELD,
	    .skipped = &stub_skip } },
	{ NULL, { .action = JUDGE_PREPEND, STUB_FIELD } },
};
#undef STUB_FIELD
/* clang-format on */

static const char *
stub_domain(const struct judge_request *r)
{
	const char *at = r->sender == NULL ? NULL : strrchr(r->sender, '@');

	return at == NULL ? "" : at + 1;
}

static void
stub_judge(const struct judge_request *r, check_done_fn done, void *arg)
{
	struct judge_outcome o;
	size_t i = 0;

	while (stub_outcomes[i].domain != NULL &&
	    strcmp(stub_outcomes[i].domain, stub_domain(r)) != 0)
		i++;
	o = stub_outcomes[i].outcome;
	o.log = &stub_line;
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
    const struct judge_request *r, check_done_fn done, void *arg)
{
	struct check *c;

	stub_checks++;
	stub_seen = *r;
	strlcpy(stub_sender, r->sender == NULL ? "NULL" : r->sender,
	    sizeof(stub_sender));
	strlcpy(stub_helo, r->helo == NULL ? "NULL" : r->helo,
	    sizeof(stub_helo));
	if ((c = calloc(1, sizeof(*c))) == NULL)
		abort();
	c->req = r;
	c->done = done;
	c->arg = arg;
	stub_pending = c;
	c->ev = evtimer_new(stub_base, stub_later, c);
	if (strcmp(stub_domain(r), "slow.test") != 0 &&
	    strcmp(stub_domain(r), "never.test") != 0)
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
static struct {
	struct event *ev; /* NULL: free */
	asker_fn fn;
	void *arg;
	uint16_t type;
} stub_asked[64];

static void
stub_answer(evutil_socket_t fd, short what, void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	static const uint8_t name[] = "in.internal.test",
			     good[] = { 192, 0, 2, 7 };
	struct dns_rr rr = { name, sizeof(name) - 1, 0 };
	struct dns_answer a = { .status = DNS_OK, .nrr = 1, .rr = &rr };

	if (stub_asked[i].type != DNS_T_PTR) {
		rr.data = good;
		rr.len = 4;
	}
	event_free(stub_asked[i].ev);
	stub_asked[i].ev = NULL;
	stub_asked[i].fn(&a, stub_asked[i].arg);
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
	struct event *ev;
	size_t i;

	for (i = 0; i < 64 && stub_asked[i].ev != NULL; i++)
		;
	if (i == 64)
		return 0;
	ev = evtimer_new(stub_base, stub_answer, (void *)(uintptr_t)i);
	stub_asked[i].ev = ev;
	stub_asked[i].fn = fn;
	stub_asked[i].arg = arg;
	stub_asked[i].type = type;
	evtimer_add(ev, &tv);
	return (uint32_t)i + 1;
}

void
asker_cancel(struct asker *k, uint32_t id)
{
	event_free(stub_asked[id - 1].ev);
	stub_asked[id - 1].ev = NULL;
}

#endif
