/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/spf.h"
#include "unpriv/spfctl/daemon.h"

/*
 * The output is OpenMetrics text with only those types that the older text
 * format of Prometheus has, too: node_exporter reads that format.
 */
#define PREFIX "pyspf_milter_"

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
family(const struct stats *s, enum stat_family_id id)
{
	const struct stat_family *f = &stat_families[id];
	int i, l, gauge = f->kind == STAT_GAUGE;

	head(f->name, "", gauge ? "gauge" : "counter", f->help);
	for (i = 0; i < STAT_MAX; i++) {
		if (stat_rows[i].family != id)
			continue;
		printf(PREFIX "%s%s", f->name, gauge ? "" : "_total");
		for (l = 0; l < STAT_LABELS && *f->label[l] != '\0'; l++)
			printf("%s%s=\"%s\"", l == 0 ? "{" : ",", f->label[l],
			    stat_rows[i].value[l]);
		printf("%s %" PRIu64 "\n", l == 0 ? "" : "}", s->v[i]);
	}
}

/* Pairs of results that did not occur are left out. */
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
	const char *name = stat_hists[h].name;
	uint64_t n = 0;
	int i;

	head(name, "seconds", "histogram", stat_hists[h].help);
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

/* ---- the status of the daemon ---- */

static void
one(const char *name, const char *unit, const char *help, int64_t v)
{
	head(name, unit, "gauge", help);
	printf(PREFIX "%s%s%s %" PRId64 "\n", name, *unit == '\0' ? "" : "_",
	    unit, v);
}

static uint64_t
count(const struct ctl_answer *a, enum msg_role role, enum status_word state)
{
	const struct status_row *r;
	uint64_t n = 0;

	STAILQ_FOREACH(r, &a->rows, entry)
		n += r->kind == STATUS_PROCESS &&
		    r->v[STATUS_PROCESS_ROLE].number == role &&
		    r->v[STATUS_PROCESS_STATE].number == state;
	return n;
}

static void
processes(const struct ctl_answer *a)
{
	static const enum status_word states[] = { STATUS_WORD_READY,
		STATUS_WORD_STARTING, STATUS_WORD_DOWN };
	const struct status_row *r;
	size_t k;
	int role;

	head("processes", "", "gauge", "Processes now, by role and state");
	for (role = ROLE_DNS; role <= ROLE_SHADOW; role++)
		for (k = 0; k < nitems(states); k++)
			printf(PREFIX
			    "processes{role=\"%s\",state=\"%s\"} %" PRIu64 "\n",
			    msg_role_name[role], status_words[states[k]],
			    count(a, role, states[k]));
	head("restarts", "", "counter",
	    "Processes that ended unasked and were started again");
	STAILQ_FOREACH(r, &a->rows, entry)
		if (r->kind == STATUS_RESTARTS)
			printf(PREFIX "restarts_total{role=\"%s\"} %" PRIu64
				      "\n",
			    status_text(r, STATUS_RESTARTS_ROLE),
			    r->v[STATUS_RESTARTS_COUNT].number);
}

static void
daemon_state(const struct ctl_answer *a)
{
	const struct status_row *r = ctl_status_row(a, STATUS_DAEMON);
	const char *version = r->v[STATUS_DAEMON_VERSION].text;
	int64_t n = 0;
	int f;

	if (strspn(version, "0123456789.") == strlen(version)) {
		head("build_info", "", "gauge", "The release that runs");
		printf(PREFIX "build_info{version=\"%s\"} 1\n", version);
	}
	one("start_time", "seconds",
	    "When the daemon was started, seconds since 1970",
	    (int64_t)r->v[STATUS_DAEMON_STARTED].number);
	r = ctl_status_row(a, STATUS_SANDBOX);
	one("sandbox_full", "", "1 when seccomp and Landlock hold",
	    r->v[STATUS_SANDBOX_STATE].number == STATUS_WORD_FULL);
	one("sandbox_landlock_abi", "", "Landlock's ABI; 0: none",
	    (int64_t)r->v[STATUS_SANDBOX_LANDLOCK_ABI].number);
	r = ctl_status_row(a, STATUS_RELOADS);
	head("reloads", "", "counter", "Reloads by how they ended");
	for (f = 0; f < STATUS_FIELD_MAX; f++)
		if (status_fields[f].kind == STATUS_RELOADS)
			printf(PREFIX "reloads_total{outcome=\"%s\"} %" PRIu64
				      "\n",
			    status_fields[f].name, r->v[f].number);
	STAILQ_FOREACH(r, &a->rows, entry)
		n += r->kind == STATUS_GENERATION;
	one("generations", "",
	    "Generations of processes: 2 and more while old ones drain", n);
	processes(a);
}

/* Prints all or nothing: a part would look like counters that fell. */
int
ctl_metrics(struct spfctl *ctl)
{
	struct ctl_answer st, a;
	int f, h, status;

	memset(&a, 0, sizeof(a));
	if ((status = ctl_status_ask(ctl, &st)) != 0 ||
	    (status = ctl_stats_ask(ctl, &a)) != 0)
		goto done;
	daemon_state(&st);
	for (f = 0; f < STAT_FAMILY_MAX; f++)
		family(&a.stats, f);
	second(&a.stats);
	for (h = 0; h < HIST_MAX; h++)
		histogram(&a.stats, h);
	puts("# EOF");
done:
	ctl_answer_free(&st);
	ctl_answer_free(&a);
	return status;
}
