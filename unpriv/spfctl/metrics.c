/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/spf/spf.h"
#include "unpriv/spfctl/daemon.h"

/*
 * OpenMetrics text, of those types only that the older text format of
 * Prometheus knows too: node_exporter reads files by that one.
 */
#define PREFIX		"pyspf_milter_"
#define METRICS_SECONDS 10

/* clang-format off */
static const struct ctl_family families[] = {
	{ "connections", "Connections", "Connections taken" },
	{ "connections_refused", "  refused",
	    "Connections refused at the limit" },
	{ "connections_open", "  open", "Connections open now" },
	{ "protocol_errors", "  broken",
	    "Connections ended because of what the client sent" },
	{ "checks", "Checks", "Messages and requests that were judged" },
	{ "checks_expired", "  out of time",
	    "Checks that had no answer from the DNS in time" },
	{ "engine_runs", "  engine runs", "Runs of the engine, some a check" },
	{ "skipped", "Not checked",
	    "Messages and requests that are excepted from checks" },
	{ "results", "Results", "Results of checks by identity" },
	{ "actions", "Actions", "What was done after checks" },
	{ "own_results_removed", "Forged fields",
	    "Fields with results in our name that were removed" },
	{ "log_lines_dropped", "Log dropped",
	    "Lines that did not reach the log" },
	{ "dns_cache", "DNS cache", "Questions by state of the cache" },
	{ "dns_answers", "DNS answers", "Answers of the resolvers" },
	{ "dns_in_flight", "  in flight", "Questions on their way now" },
	{ "second_opinion", "libspf2",
	    "Second opinions by how they compare with ours" },
	{ "second_opinion_copies", "  asked",
	    "Requests sent for a second opinion" },
	{ "check_duration", "Checks", "Time from a request to its verdict" },
	{ "dns_duration", "Questions",
	    "Time of questions that were not in the cache" },
	{ NULL, NULL, NULL }
};
/* clang-format on */

const struct ctl_family *
ctl_family_find(const char *name)
{
	static struct ctl_family unknown;
	const struct ctl_family *f;

	for (f = families; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	unknown.name = unknown.title = unknown.help = name;
	return &unknown;
}

/* unit is "" or ends the name (OpenMetrics 1.0, Unit). */
static void
head(const char *name, const char *unit, const char *type, const char *help)
{
	printf("# TYPE " PREFIX "%s%s%s %s\n", name, *unit == '\0' ? "" : "_",
	    unit, type);
	if (*unit != '\0')
		printf("# UNIT " PREFIX "%s_%s %s\n", name, unit, unit);
	printf("# HELP " PREFIX "%s%s%s %s.\n", name, *unit == '\0' ? "" : "_",
	    unit, help);
}

static void
counters(const struct stats *s)
{
	const char *family = "";
	const struct stat_row *r;
	int i, gauge;

	for (i = 0; i < STAT_MAX; i++) {
		r = &stat_rows[i];
		gauge = r->kind == STAT_GAUGE;
		if (strcmp(r->family, family) != 0)
			head(r->family, "", gauge ? "gauge" : "counter",
			    ctl_family_find(r->family)->help);
		family = r->family;
		printf(PREFIX "%s%s", family, gauge ? "" : "_total");
		if (*r->label != '\0')
			printf("{%s}", r->label);
		printf(" %" PRIu64 "\n", s->v[i]);
	}
}

/* Those pairs that were seen. */
static void
second(const struct stats *s)
{
	int i, k;

	head("second_opinion_results", "", "counter",
	    "Pairs of our result and that of libspf2");
	for (i = 0; i < STAT_RESULTS; i++)
		for (k = 0; k < STAT_RESULTS; k++) {
			if (s->second[i][k] == 0)
				continue;
			printf(PREFIX "second_opinion_results_total"
				      "{ours=\"%s\",theirs=\"%s\"} %" PRIu64
				      "\n",
			    spf_result_name[i], spf_result_name[k],
			    s->second[i][k]);
		}
}

static void
put_seconds(uint64_t usec)
{
	printf("%" PRIu64 ".%06" PRIu64, usec / 1000000, usec % 1000000);
}

/* Each bucket counts those below it, too. The last one has no bound. */
static void
histogram(const struct stats *s, int h)
{
	const char *name = stat_hist_name[h];
	uint64_t n = 0;
	int i;

	head(name, "seconds", "histogram", ctl_family_find(name)->help);
	for (i = 0; i < STAT_BUCKETS; i++) {
		n += s->hist[h][i];
		printf(PREFIX "%s_seconds_bucket{le=\"", name);
		if (i == STAT_BUCKETS - 1)
			fputs("+Inf", stdout);
		else
			put_seconds((uint64_t)STAT_BUCKET_US << i);
		printf("\"} %" PRIu64 "\n", n);
	}
	printf(PREFIX "%s_seconds_sum ", name);
	put_seconds(s->hist_sum_us[h]);
	printf("\n" PREFIX "%s_seconds_count %" PRIu64 "\n", name, n);
}

/* ---- what only the parent knows ---- */

static void
one(const char *name, const char *unit, const char *help, int64_t v)
{
	head(name, unit, "gauge", help);
	printf(PREFIX "%s%s%s %" PRId64 "\n", name, *unit == '\0' ? "" : "_",
	    unit, v);
}

static void
processes(const struct ctl_answer *a)
{
	static const char *const states[] = { "ready", "starting", "down" };
	static const char *const roles[] = { "dns", "worker", "libmilter",
		"shadow" };
	char word[16], state[16];
	const char *s;
	size_t i, k, at;
	uint64_t n;

	head("processes", "", "gauge", "Processes now, by role and state");
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		for (k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
			for (n = at = 0;
			     (s = ctl_answer_next(a, "process", &at)) != NULL;)
				n += strcmp(ctl_line_word(s, 0, word,
						sizeof(word)),
					 roles[i]) == 0 &&
				    strcmp(ctl_line_word(s, 4, state,
					       sizeof(state)),
					states[k]) == 0;
			printf(PREFIX
			    "processes{role=\"%s\",state=\"%s\"} %" PRIu64 "\n",
			    roles[i], states[k], n);
		}
	head("restarts", "", "counter",
	    "Processes that ended unasked and were started again");
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		for (at = 0; (s = ctl_answer_next(a, "restarts", &at)) != NULL;)
			if (strcmp(ctl_line_word(s, 0, word, sizeof(word)),
				roles[i]) == 0)
				printf(PREFIX
				    "restarts_total{role=\"%s\"} %" PRIu64 "\n",
				    roles[i], ctl_line_number(s, roles[i]));
}

static void
daemon_state(const struct ctl_answer *a)
{
	static const char *const outcomes[] = { "done", "refused", "failed" };
	char word[64];
	const char *s;
	size_t i = 0, n;

	if ((s = ctl_answer_next(a, "version", &i)) != NULL &&
	    strspn(s, "0123456789.") == strlen(s)) {
		head("build_info", "", "gauge", "The release that runs");
		printf(PREFIX "build_info{version=\"%s\"} 1\n",
		    ctl_line_word(s, 0, word, sizeof(word)));
	}
	i = 0;
	if ((s = ctl_answer_next(a, "parent", &i)) != NULL)
		one("start_time", "seconds",
		    "When the daemon was started, "
		    "seconds since 1970",
		    (int64_t)ctl_line_number(s, "started"));
	i = 0;
	if ((s = ctl_answer_next(a, "sandbox", &i)) != NULL) {
		one("sandbox_full", "", "1 when seccomp and Landlock hold",
		    strcmp(ctl_line_word(s, 0, word, sizeof(word)), "full") ==
			0);
		one("sandbox_landlock_abi", "", "Landlock's ABI; 0: none",
		    (int64_t)ctl_line_number(s, "landlock"));
	}
	i = 0;
	if ((s = ctl_answer_next(a, "reloads", &i)) != NULL) {
		head("reloads", "", "counter", "Reloads by how they ended");
		for (n = 0; n < sizeof(outcomes) / sizeof(outcomes[0]); n++)
			printf(PREFIX "reloads_total{outcome=\"%s\"} %" PRIu64
				      "\n",
			    outcomes[n], ctl_line_number(s, outcomes[n]));
	}
	for (i = n = 0; ctl_answer_next(a, "generation", &i) != NULL;)
		n++;
	one("generations", "",
	    "Generations of processes: 2 and more while "
	    "old ones drain",
	    (int64_t)n);
	processes(a);
}

/* All or nothing: a half would look like counters that fell. */
int
ctl_metrics(struct ctl *ctl)
{
	struct ctl_answer st, a;
	int h, status;

	memset(&a, 0, sizeof(a));
	if (ctl_daemon_ask(ctl, MSG_CTL_STATUS, NULL, 0, METRICS_SECONDS,
		&st) == -1 ||
	    (st.status != 0 && ctl_answer_complain(&st) != 0)) {
		status = st.status;
		goto done;
	}
	if ((status = ctl_stats_ask(ctl, &a)) != 0)
		goto done;
	daemon_state(&st);
	counters(&a.stats);
	second(&a.stats);
	for (h = 0; h < HIST_MAX; h++)
		histogram(&a.stats, h);
	puts("# EOF");
done:
	ctl_answer_free(&st);
	ctl_answer_free(&a);
	return status;
}
