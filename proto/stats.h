/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure; the tables of counters. */

#ifndef PROTO_STATS_H
#define PROTO_STATS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A process counts in a page that it shares with the parent, which only reads
 * it. Aligned 64-bit words with one writer need no locks.
 *
 * Families of counters: kind (a COUNTER grows, a GAUGE is a present state),
 * name in --json and OpenMetrics, up to two labels or "", title and help.
 */
#define STAT_FAMILY_TABLE(X)                                                   \
	X(CONNECTIONS, COUNTER, "connections", "protocol", "", "Connections",  \
	    "Connections taken")                                               \
	X(CONNECTIONS_REFUSED, COUNTER, "connections_refused", "", "",         \
	    "  refused", "Connections refused at the limit")                   \
	X(CONNECTIONS_OPEN, GAUGE, "connections_open", "", "", "  open",       \
	    "Connections open now")                                            \
	X(PROTOCOL_ERRORS, COUNTER, "protocol_errors", "protocol", "",         \
	    "  broken", "Connections ended because of what the client sent")   \
	X(CHECKS, COUNTER, "checks", "protocol", "", "Checks",                 \
	    "Messages and requests that were judged")                          \
	X(CHECKS_EXPIRED, COUNTER, "checks_expired", "", "", "  out of time",  \
	    "Checks that had no answer from the DNS in time")                  \
	X(ENGINE_RUNS, COUNTER, "engine_runs", "", "", "  engine runs",        \
	    "Runs of the engine, one or more for each check")                  \
	X(SKIPPED, COUNTER, "skipped", "reason", "", "Not checked",            \
	    "Messages and requests that are excepted from checks")             \
	X(RESULTS, COUNTER, "results", "identity", "result", "Results",        \
	    "Results of checks by identity")                                   \
	X(ACTIONS, COUNTER, "actions", "action", "", "Actions",                \
	    "What was done after checks")                                      \
	X(OWN_RESULTS_REMOVED, COUNTER, "own_results_removed", "", "",         \
	    "Forged fields",                                                   \
	    "Fields with results in our name that were removed")               \
	X(LOG_LINES_DROPPED, COUNTER, "log_lines_dropped", "", "",             \
	    "Log dropped", "Lines that did not reach the log")                 \
	X(DNS_CACHE, COUNTER, "dns_cache", "state", "", "DNS cache",           \
	    "Questions by whether the cache had the answer")                   \
	X(DNS_ANSWERS, COUNTER, "dns_answers", "status", "", "DNS answers",    \
	    "Answers of the resolvers")                                        \
	X(DNS_IN_FLIGHT, GAUGE, "dns_in_flight", "", "", "  in flight",        \
	    "Questions on their way now")                                      \
	X(SECOND_OPINION, COUNTER, "second_opinion", "outcome", "", "libspf2", \
	    "Second opinions by how they compare with ours")                   \
	X(SECOND_OPINION_COPIES, COUNTER, "second_opinion_copies", "", "",     \
	    "  asked", "Requests sent for a second opinion")

/* Counters: family, and the values of its labels. */
#define STAT_TABLE(X)                                        \
	X(CONN_MILTER, CONNECTIONS, "milter", "")            \
	X(CONN_POLICY, CONNECTIONS, "policy", "")            \
	X(CONN_REFUSED, CONNECTIONS_REFUSED, "", "")         \
	X(CONN_OPEN, CONNECTIONS_OPEN, "", "")               \
	X(PROTO_ERROR_MILTER, PROTOCOL_ERRORS, "milter", "") \
	X(PROTO_ERROR_POLICY, PROTOCOL_ERRORS, "policy", "") \
	X(CHECK_MILTER, CHECKS, "milter", "")                \
	X(CHECK_POLICY, CHECKS, "policy", "")                \
	X(CHECK_EXPIRED, CHECKS_EXPIRED, "", "")             \
	X(CHECK_RUNS, ENGINE_RUNS, "", "")                   \
	X(SKIP_LIST, SKIPPED, "list", "")                    \
	X(SKIP_INTERNAL, SKIPPED, "internal", "")            \
	X(SKIP_AUTH, SKIPPED, "authenticated", "")           \
	X(SKIP_MACRO, SKIPPED, "macro", "")                  \
	X(SKIP_INSTANCE, SKIPPED, "instance", "")            \
	X(HELO_NONE, RESULTS, "helo", "none")                \
	X(HELO_NEUTRAL, RESULTS, "helo", "neutral")          \
	X(HELO_PASS, RESULTS, "helo", "pass")                \
	X(HELO_FAIL, RESULTS, "helo", "fail")                \
	X(HELO_SOFTFAIL, RESULTS, "helo", "softfail")        \
	X(HELO_TEMPERROR, RESULTS, "helo", "temperror")      \
	X(HELO_PERMERROR, RESULTS, "helo", "permerror")      \
	X(MAIL_NONE, RESULTS, "mailfrom", "none")            \
	X(MAIL_NEUTRAL, RESULTS, "mailfrom", "neutral")      \
	X(MAIL_PASS, RESULTS, "mailfrom", "pass")            \
	X(MAIL_FAIL, RESULTS, "mailfrom", "fail")            \
	X(MAIL_SOFTFAIL, RESULTS, "mailfrom", "softfail")    \
	X(MAIL_TEMPERROR, RESULTS, "mailfrom", "temperror")  \
	X(MAIL_PERMERROR, RESULTS, "mailfrom", "permerror")  \
	X(ACT_NOTHING, ACTIONS, "nothing", "")               \
	X(ACT_PREPEND, ACTIONS, "prepend", "")               \
	X(ACT_REJECT, ACTIONS, "reject", "")                 \
	X(ACT_DEFER, ACTIONS, "defer", "")                   \
	X(ACT_RESTRICTION, ACTIONS, "restriction", "")       \
	X(OWN_AR_REMOVED, OWN_RESULTS_REMOVED, "", "")       \
	X(LOG_DROPPED, LOG_LINES_DROPPED, "", "")            \
	X(DNS_CACHED, DNS_CACHE, "hit", "")                  \
	X(DNS_UNCACHED, DNS_CACHE, "miss", "")               \
	X(DNS_OK, DNS_ANSWERS, "ok", "")                     \
	X(DNS_NXDOMAIN, DNS_ANSWERS, "nxdomain", "")         \
	X(DNS_NODATA, DNS_ANSWERS, "nodata", "")             \
	X(DNS_TEMPERROR, DNS_ANSWERS, "temperror", "")       \
	X(DNS_TIMEOUT, DNS_ANSWERS, "timeout", "")           \
	X(DNS_INFLIGHT, DNS_IN_FLIGHT, "", "")               \
	X(SECOND_AGREE, SECOND_OPINION, "agree", "")         \
	X(SECOND_DIFFER, SECOND_OPINION, "differ", "")       \
	X(SECOND_DROPPED, SECOND_OPINION, "dropped", "")     \
	X(SECOND_SENT, SECOND_OPINION_COPIES, "", "")

/* Latencies: name, title, help. */
#define STAT_HIST_TABLE(X)                        \
	X(CHECK, "check_duration", "Checks",      \
	    "Time from a request to its verdict") \
	X(DNS, "dns_duration", "Questions",       \
	    "Time of questions that were not in the cache")

enum stat_family_id {
#define X(n, k, name, l1, l2, title, help) STAT_FAMILY_##n,
	STAT_FAMILY_TABLE(X)
#undef X
	STAT_FAMILY_MAX
};

enum stat_id {
#define X(n, f, v1, v2) STAT_##n,
	STAT_TABLE(X)
#undef X
	STAT_MAX
};

enum stat_kind {
	STAT_COUNTER = 1,
	STAT_GAUGE
};

/* Bucket i of a latency counts times below 2^i * STAT_BUCKET_US. */
#define STAT_BUCKETS   24
#define STAT_BUCKET_US 16

enum stat_hist {
#define X(n, name, title, help) HIST_##n,
	STAT_HIST_TABLE(X)
#undef X
	HIST_MAX
};

/* The number of results in enum spf_result and in enum shadow_result. */
#define STAT_RESULTS 7

struct stats {
	uint64_t v[STAT_MAX];
	uint64_t hist[HIST_MAX][STAT_BUCKETS];
	uint64_t hist_sum_us[HIST_MAX];
	uint64_t second[STAT_RESULTS][STAT_RESULTS]; /* our result, libspf2's */
};

#define STAT_LABELS 2

struct stat_family {
	enum stat_kind kind;
	const char *name;
	const char *label[STAT_LABELS];
	const char *title, *help;
};

struct stat_row {
	enum stat_family_id family;
	const char *value[STAT_LABELS]; /* of the family's labels */
};

struct stat_hist_row {
	const char *name, *title, *help;
};

extern const struct stat_family stat_families[STAT_FAMILY_MAX];
extern const struct stat_row stat_rows[STAT_MAX];
extern const struct stat_hist_row stat_hists[HIST_MAX];

/* Where this process counts; never NULL. */
extern struct stats *stats;

#define stat_inc(s)    (stats->v[STAT_##s]++)
#define stat_add(s, n) (stats->v[STAT_##s] += (n))
#define stat_set(s, n) (stats->v[STAT_##s] = (n))

enum stat_kind stat_kind(enum stat_id);
void stat_observe(enum stat_hist, uint64_t usec);
/* Adds counters and buckets of the second to the first; gauges on request. */
void stat_sum(struct stats *, const struct stats *, int gauges);
/*
 * The latency in microseconds below which share (0..1) of a histogram lies: the
 * upper bound of a bucket, or 0 when the histogram is empty.
 */
uint64_t stat_percentile(const struct stats *, enum stat_hist, double);

/*
 * Payload of CTL_COUNTS: all words of the struct as u64 in network order.
 * Return 0, or -1 when the buffer is too small, or the payload has another
 * length (the sender is of another version).
 */
int stat_put(const struct stats *, uint8_t *, size_t, size_t *);
int stat_get(struct stats *, const uint8_t *, size_t);

#endif
