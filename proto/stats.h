/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure; the table of what is counted. */

#ifndef PROTO_STATS_H
#define PROTO_STATS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Counters of one process, in a page that it shares with the parent, which
 * only reads. One writer, aligned 64-bit words: no locks. Rows: name, kind
 * (COUNTER grows, GAUGE is a state now), metric family, its label or "".
 */
#define STAT_TABLE(X)                                                         \
	X(CONN_MILTER, COUNTER, "connections", "protocol=\"milter\"")         \
	X(CONN_POLICY, COUNTER, "connections", "protocol=\"policy\"")         \
	X(CONN_REFUSED, COUNTER, "connections_refused", "")                   \
	X(CONN_OPEN, GAUGE, "connections_open", "")                           \
	X(PROTO_ERROR_MILTER, COUNTER, "protocol_errors",                     \
	    "protocol=\"milter\"")                                            \
	X(PROTO_ERROR_POLICY, COUNTER, "protocol_errors",                     \
	    "protocol=\"policy\"")                                            \
	X(CHECK_MILTER, COUNTER, "checks", "protocol=\"milter\"")             \
	X(CHECK_POLICY, COUNTER, "checks", "protocol=\"policy\"")             \
	X(CHECK_EXPIRED, COUNTER, "checks_expired", "")                       \
	X(CHECK_RUNS, COUNTER, "engine_runs", "")                             \
	X(SKIP_LIST, COUNTER, "skipped", "reason=\"list\"")                   \
	X(SKIP_INTERNAL, COUNTER, "skipped", "reason=\"internal\"")           \
	X(SKIP_AUTH, COUNTER, "skipped", "reason=\"authenticated\"")          \
	X(SKIP_MACRO, COUNTER, "skipped", "reason=\"macro\"")                 \
	X(SKIP_INSTANCE, COUNTER, "skipped", "reason=\"instance\"")           \
	X(HELO_NONE, COUNTER, "results", "identity=\"helo\",result=\"none\"") \
	X(HELO_NEUTRAL, COUNTER, "results",                                   \
	    "identity=\"helo\",result=\"neutral\"")                           \
	X(HELO_PASS, COUNTER, "results", "identity=\"helo\",result=\"pass\"") \
	X(HELO_FAIL, COUNTER, "results", "identity=\"helo\",result=\"fail\"") \
	X(HELO_SOFTFAIL, COUNTER, "results",                                  \
	    "identity=\"helo\",result=\"softfail\"")                          \
	X(HELO_TEMPERROR, COUNTER, "results",                                 \
	    "identity=\"helo\",result=\"temperror\"")                         \
	X(HELO_PERMERROR, COUNTER, "results",                                 \
	    "identity=\"helo\",result=\"permerror\"")                         \
	X(MAIL_NONE, COUNTER, "results",                                      \
	    "identity=\"mailfrom\",result=\"none\"")                          \
	X(MAIL_NEUTRAL, COUNTER, "results",                                   \
	    "identity=\"mailfrom\",result=\"neutral\"")                       \
	X(MAIL_PASS, COUNTER, "results",                                      \
	    "identity=\"mailfrom\",result=\"pass\"")                          \
	X(MAIL_FAIL, COUNTER, "results",                                      \
	    "identity=\"mailfrom\",result=\"fail\"")                          \
	X(MAIL_SOFTFAIL, COUNTER, "results",                                  \
	    "identity=\"mailfrom\",result=\"softfail\"")                      \
	X(MAIL_TEMPERROR, COUNTER, "results",                                 \
	    "identity=\"mailfrom\",result=\"temperror\"")                     \
	X(MAIL_PERMERROR, COUNTER, "results",                                 \
	    "identity=\"mailfrom\",result=\"permerror\"")                     \
	X(ACT_NOTHING, COUNTER, "actions", "action=\"nothing\"")              \
	X(ACT_PREPEND, COUNTER, "actions", "action=\"prepend\"")              \
	X(ACT_REJECT, COUNTER, "actions", "action=\"reject\"")                \
	X(ACT_DEFER, COUNTER, "actions", "action=\"defer\"")                  \
	X(ACT_RESTRICTION, COUNTER, "actions", "action=\"restriction\"")      \
	X(OWN_AR_REMOVED, COUNTER, "own_results_removed", "")                 \
	X(LOG_DROPPED, COUNTER, "log_lines_dropped", "")                      \
	X(DNS_CACHED, COUNTER, "dns_cache", "state=\"hit\"")                  \
	X(DNS_UNCACHED, COUNTER, "dns_cache", "state=\"miss\"")               \
	X(DNS_OK, COUNTER, "dns_answers", "status=\"ok\"")                    \
	X(DNS_NXDOMAIN, COUNTER, "dns_answers", "status=\"nxdomain\"")        \
	X(DNS_NODATA, COUNTER, "dns_answers", "status=\"nodata\"")            \
	X(DNS_TEMPERROR, COUNTER, "dns_answers", "status=\"temperror\"")      \
	X(DNS_TIMEOUT, COUNTER, "dns_answers", "status=\"timeout\"")          \
	X(DNS_INFLIGHT, GAUGE, "dns_in_flight", "")                           \
	X(SECOND_AGREE, COUNTER, "second_opinion", "outcome=\"agree\"")       \
	X(SECOND_DIFFER, COUNTER, "second_opinion", "outcome=\"differ\"")     \
	X(SECOND_DROPPED, COUNTER, "second_opinion", "outcome=\"dropped\"")   \
	X(SECOND_SENT, COUNTER, "second_opinion_copies", "")

enum stat_id {
#define X(n, k, f, l) STAT_##n,
	STAT_TABLE(X)
#undef X
	STAT_MAX
};

enum stat_kind {
	STAT_COUNTER = 1,
	STAT_GAUGE
};

/* Latencies: bucket i holds what took less than 2^i times 16 us. */
#define STAT_BUCKETS   24
#define STAT_BUCKET_US 16

enum stat_hist {
	HIST_CHECK = 0, /* a check, start to verdict */
	HIST_DNS,	/* an uncached question, in dns */
	HIST_MAX
};

/* Results as enum spf_result and enum shadow_result number them. */
#define STAT_RESULTS 7

struct stats {
	uint64_t v[STAT_MAX];
	uint64_t hist[HIST_MAX][STAT_BUCKETS];
	uint64_t hist_sum_us[HIST_MAX];
	uint64_t second[STAT_RESULTS][STAT_RESULTS]; /* ours, theirs */
};

struct stat_row {
	const char *name;
	enum stat_kind kind;
	const char *family;
	const char *label;
};

extern const struct stat_row stat_rows[STAT_MAX];
extern const char *const stat_hist_name[HIST_MAX];

/* Where this process counts; never NULL. */
extern struct stats *stats;

#define stat_inc(s)    (stats->v[STAT_##s]++)
#define stat_add(s, n) (stats->v[STAT_##s] += (n))
#define stat_set(s, n) (stats->v[STAT_##s] = (n))

void stat_observe(enum stat_hist, uint64_t usec);
/* Adds every counter and bucket of the second to the first; no gauges. */
void stat_sum(struct stats *, const struct stats *, int gauges);
/*
 * The latency in microseconds below which share (0..1) of a histogram
 * lies, by the upper bound of its bucket; 0 when it is empty.
 */
uint64_t stat_percentile(const struct stats *, enum stat_hist, double);

/*
 * Payload of CTL_COUNTS: all words of the struct as u64 in network order.
 * The decoder: 0, or -1 when the length is another (another version).
 */
int stat_put(const struct stats *, uint8_t *, size_t, size_t *);
int stat_get(struct stats *, const uint8_t *, size_t);

#endif
