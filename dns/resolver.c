/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns; resolver_new() before sandbox_enter(), the rest after. */

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <unbound-event.h>
#include <unbound.h>

#include "dns/decode.h"
#include "dns/resolver.h"
#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role_table.h"
#include "proto/dname.h"
#include "proto/text.h"

/* Each query of libunbound has its own port, and so its own descriptor. */
#define RANGE_MIN    64
#define NUM_TCP	     32
#define NOFILE_SPARE 160 /* workers' channels, the log, the loop */

#define PATIENCE_MIN_MS 400
#define PATIENCE_MAX_MS 4000

#define CLASS_IN    1
#define SEC_BOGUS   1
#define SEC_SECURE  2
#define FAILS_NOTED 5 /* failures in a row before a log line */

struct resolver {
	struct ub_ctx *ctx;
	resolver_fn fn;
	void *arg;
	size_t inflight; /* questions in libunbound */
	size_t limit;	 /* of inflight */
	int asking;	 /* inside ub_resolve_event() */
	uint32_t asking_id;
	int answered;	    /* the callback of asking_id has run */
	unsigned int fails; /* in a row, not from the cache */
	int broken;	    /* the failures were logged */
	struct log_note note_broken, note_bad;
};

static void resolver_done(void *, int, void *, int, int, char *, int);

/* The process has one resolver. libunbound's callbacks get only a cookie. */
static struct resolver *the_resolver;
static struct dns_rr decode_rr[DNSMSG_MAXRR];
static uint8_t decode_buf[65536];

/*
 * By default libunbound drops questions that wait seconds in its queue (range
 * 16, 2 TCP connections), avoids a forwarder that failed for 15 minutes, and
 * answers for test., invalid. and private addresses without asking.
 */
static const struct resolver_option {
	const char *name;
	const char *value;
} options[] = {
	{ "do-not-query-localhost:", "no" },
	{ "use-syslog:", "no" },
	{ "infra-host-ttl:", "10" }, /* recovery after an outage */
	{ "infra-keep-probing:", "yes" },
	{ "cache-max-negative-ttl:", "900" },
	{ "cache-min-ttl:", "0" },
	{ "serve-expired:", "no" },
	{ "prefetch:", "no" },
	{ "edns-buffer-size:", "1232" },
	{ "minimal-responses:", "yes" },
	{ "rrset-roundrobin:", "no" },
	{ "unblock-lan-zones:", "yes" }, /* PTR of private addresses */
	{ "insecure-lan-zones:", "yes" },
	{ "local-zone:", "test. transparent" },
	{ "local-zone:", "invalid. transparent" },
	{ "local-zone:", "home.arpa. transparent" },
	{ "use-caps-for-id:", "no" },
	{ "qname-minimisation:", "no" },
	{ "trust-anchor-signaling:", "no" },
	{ "root-key-sentinel:", "no" },
	{ "outgoing-num-tcp:", "32" },
};

static void
option(struct ub_ctx *ctx, const char *name, const char *value)
{
	int rv;

	if ((rv = ub_ctx_set_option(ctx, name, value)) != 0)
		fatalx("libunbound: %s %s: %s", name, value, ub_strerror(rv));
}

static void
option_size(struct ub_ctx *ctx, const char *name, unsigned long n)
{
	char value[32];

	snprintf(value, sizeof(value), "%lu", n);
	option(ctx, name, value);
}

/* Logs libunbound's lines, which would otherwise go to stderr. */
static ssize_t
resolver_log(void *cookie, const char *buf, size_t len)
{
	size_t n = len;

	while (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n > 0)
		log_debug("%.*s", n > 1024 ? 1024 : (int)n, buf);
	return (ssize_t)len;
}

static void
set_log(struct ub_ctx *ctx)
{
	cookie_io_functions_t io = { .write = resolver_log };
	FILE *f;

	if ((f = fopencookie(NULL, "w", io)) == NULL)
		fatal("libunbound's log");
	setvbuf(f, NULL, _IOLBF, 1024);
	if (ub_ctx_debugout(ctx, f) != 0)
		fatalx("libunbound: log refused");
}

void
resolver_verbose(int on)
{
	if (the_resolver != NULL)
		(void)ub_ctx_debuglevel(the_resolver->ctx, on ? 1 : 0);
}

/*
 * Queries without a descriptor fail at once. When the limit of descriptors
 * cannot be raised, allow fewer queries in flight.
 */
static unsigned long
set_range(const struct conf *conf)
{
	unsigned long want = role_nofile(role_find(ROLE_DNS), conf);
	unsigned long n = sandbox_nofile(want);
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("RLIMIT_NOFILE");
	if (n < want)
		log_warnx("only %lu descriptors: fewer questions in flight", n);
	want = rl.rlim_cur = n;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("RLIMIT_NOFILE");
	if (want < RANGE_MIN + NUM_TCP + NOFILE_SPARE)
		fatalx("%lu descriptors are too few to resolve names", want);
	return want - NUM_TCP - NOFILE_SPARE;
}

static void
set_forwarders(struct ub_ctx *ctx, const struct conf *conf)
{
	char addr[ADDR_STRLEN], text[ADDR_STRLEN + 8];
	size_t i;
	int rv;

	if (conf->nameservers.n == 0)
		fatalx("no nameservers");
	for (i = 0; i < conf->nameservers.n; i++) {
		snprintf(text, sizeof(text), "%s@%u",
		    addr_format(&conf->nameservers.v[i].addr, addr,
			sizeof(addr)),
		    conf->nameservers.v[i].port);
		if ((rv = ub_ctx_set_fwd(ctx, text)) != 0)
			fatalx("libunbound: nameserver %s: %s", text,
			    ub_strerror(rv));
	}
	if (conf->nameservers.n > 1) {
		/* Use the fastest: a dead one costs a probe now and then. */
		option(ctx, "fast-server-permil:", "1000");
		option(ctx, "fast-server-num:", "1");
	}
}

/*
 * Sets how long libunbound tries. By default it learns a round trip of a
 * millisecond from answers in the forwarder's cache, waits 50 ms, and gives up
 * after four doublings, in less than a second, while the forwarder still
 * resolves the name. It should give up soon after DNS_Timeout: not before, as
 * it caches a failure, and not much later, as the question keeps a place among
 * those in flight. 1.17 tries in two rounds, 1.26 in one. The releases between
 * are taken for 1.17: they may give up too early, but never too late.
 */
static void
set_patience(struct ub_ctx *ctx, const struct conf *conf)
{
	unsigned long ms = (unsigned long)conf->dns_timeout * 1000;
	char *minor;
	int one_round;

	one_round = strtol(ub_version(), &minor, 10) > 1 ||
	    (*minor == '.' && strtol(minor + 1, NULL, 10) >= 26);
	option(ctx, "outbound-msg-retry:", one_round ? "3" : "2");
	ms /= one_round ? 4 : 5;
	if (ms < PATIENCE_MIN_MS)
		ms = PATIENCE_MIN_MS;
	if (ms > PATIENCE_MAX_MS)
		ms = PATIENCE_MAX_MS;
	option_size(ctx, "infra-cache-min-rtt:", ms);
}

/* Adds the lines of the file that the parent read; ';' begins a comment. */
static void
set_anchors(struct ub_ctx *ctx, const struct conf *conf)
{
	char *copy, *line, *next;
	size_t n = 0;
	int rv;

	if (conf->trust_anchor_text[0] == '\0') {
		option(ctx, "module-config:", "iterator");
		return;
	}
	option(ctx, "module-config:", "validator iterator");
	if ((copy = strdup(conf->trust_anchor_text)) == NULL)
		fatal("trust anchor");
	for (next = copy; (line = strsep(&next, "\n")) != NULL;) {
		line[strcspn(line, ";\r")] = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if ((rv = ub_ctx_add_ta(ctx, line)) != 0)
			fatalx("Trust_Anchor: %s: %s", line, ub_strerror(rv));
		n++;
	}
	free(copy);
	if (n == 0)
		fatalx("Trust_Anchor: no key in the file");
}

static void
set_cache(struct ub_ctx *ctx, const struct conf *conf)
{
	unsigned long total =
	    (unsigned long)(conf->dns_cache < 1 ? 1 : conf->dns_cache) * 1024 *
	    1024;

	/* libunbound's manual: twice as much memory for records */
	option_size(ctx, "msg-cache-size:", total / 3);
	option_size(ctx, "rrset-cache-size:", total - total / 3);
}

static void
primed(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	if (rcode == 0)
		the_resolver->answered = 1;
}

/*
 * Asks a question that libunbound answers itself, without a query: it then
 * reads its files and allocates memory, which it must do before the sandbox.
 */
static void
prime(struct resolver *r)
{
	int rv;

	if ((rv = ub_resolve_event(r->ctx, "localhost", DNS_T_A, CLASS_IN, NULL,
		 primed, NULL)) != 0)
		fatalx("libunbound does not start: %s", ub_strerror(rv));
	if (!r->answered)
		fatalx("libunbound does not answer for localhost");
}

struct resolver *
resolver_new(struct event_base *base, const struct conf *conf, resolver_fn fn,
    void *arg)
{
	struct resolver *r;
	size_t i;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("resolver_new");
	the_resolver = r;
	r->fn = fn;
	r->arg = arg;
	if ((r->ctx = ub_ctx_create_event(base)) == NULL)
		fatalx("libunbound: no context");
	set_log(r->ctx);
	for (i = 0; i < nitems(options); i++)
		option(r->ctx, options[i].name, options[i].value);
	r->limit = set_range(conf);
	option_size(r->ctx, "outgoing-range:", r->limit);
	set_cache(r->ctx, conf);
	set_patience(r->ctx, conf);
	set_anchors(r->ctx, conf);
	set_forwarders(r->ctx, conf);
	prime(r);
	return r;
}

size_t
resolver_inflight(const struct resolver *r)
{
	return r->inflight;
}

size_t
resolver_limit(const struct resolver *r)
{
	return r->limit;
}

/*
 * Writes a name as text for libunbound: \DDD (RFC 1035 5.1) for each octet
 * that is not a letter, a digit, '-', '_' or '.'.
 */
static void
name_text(char *out, const char *name, size_t len)
{
	size_t i;
	unsigned char c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)name[i];
		if (ascii_is_ldh(c) || c == '_' || c == '.')
			*out++ = (char)c;
		else {
			*out++ = '\\';
			*out++ = (char)('0' + c / 100);
			*out++ = (char)('0' + c / 10 % 10);
			*out++ = (char)('0' + c % 10);
		}
	}
	*out = '\0';
}

void
resolver_ask(struct resolver *r, uint32_t id, uint16_t type, const char *name,
    size_t len)
{
	struct dns_answer failed = { .status = DNS_TEMPERROR, .type = type };
	char text[DNAME_MAX * 4 + 1];
	int rv;

	/* libunbound leaks the memory of a malformed question. */
	if (!dname_valid(name, len)) {
		r->fn(id, &failed, r->arg);
		return;
	}
	name_text(text, name, len);
	r->asking = 1;
	r->asking_id = id;
	r->answered = 0;
	r->inflight++;
	/* resolver_done() gets id and type: the request may be freed by then */
	rv = ub_resolve_event(r->ctx, text, type, CLASS_IN,
	    (void *)((uintptr_t)type << 32 | id), resolver_done, NULL);
	r->asking = 0;
	if (rv != 0 && !r->answered) {
		r->inflight--;
		log_note(&r->note_bad, "libunbound refuses a question: %s",
		    ub_strerror(rv));
		r->fn(id, &failed, r->arg);
	}
}

/* Logs that nameservers fail, at most once a minute, and when they recover. */
static void
note_outcome(struct resolver *r, int failed)
{
	if (!failed) {
		if (r->broken)
			log_info("nameservers answer again");
		r->fails = 0;
		r->broken = 0;
		return;
	}
	if (++r->fails < FAILS_NOTED)
		return;
	r->broken |= log_note(&r->note_broken,
	    "nameservers give no answer: the last %u questions failed",
	    r->fails);
}

/* Decodes a message; the records are valid until the next call. */
static void
decode_outcome(struct resolver *r, const void *packet, int len, int sec,
    const char *why, struct dns_answer *a)
{
	enum dns_decoded rv;

	/* libunbound also delivers data that failed validation */
	if (sec == SEC_BOGUS) {
		log_debug("bogus: %s", why == NULL ? "?" : why);
		return;
	}
	rv = dns_decode(packet, (size_t)len, a->type, a, decode_rr,
	    DNSMSG_MAXRR, decode_buf, sizeof(decode_buf));
	if (rv == DECODE_MALFORMED)
		log_debug("malformed message from libunbound, %d octets", len);
	else if (rv == DECODE_TOO_LARGE)
		log_note(&r->note_bad,
		    "an answer of more than %u records was refused",
		    DNSMSG_MAXRR);
	a->secure = sec == SEC_SECURE;
}

/* libunbound's callback; may run inside ub_resolve_event(). */
static void
resolver_done(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	struct resolver *r = the_resolver;
	uint32_t id = (uint32_t)((uintptr_t)arg & 0xffffffff);
	struct dns_answer a = { .status = DNS_TEMPERROR,
		.type = (uint16_t)((uintptr_t)arg >> 32) };

	r->inflight--;
	if (r->asking && id == r->asking_id) {
		r->answered = 1;
		a.cached = 1;
	}
	/* if rcode is not 0, the packet is not an answer */
	if (rcode == 0 && packet != NULL && len > 0)
		decode_outcome(r, packet, len, sec, why, &a);
	if (!a.cached)
		note_outcome(r, rcode != 0);
	r->fn(id, &a, r->arg);
}
