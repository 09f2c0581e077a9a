/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/text.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/text.h"

#define STATS_SECONDS 10
#define TITLE_WIDTH   14
#define WATCH_PAGE    20 /* lines between two headings */

/* clang-format off */
static const struct {
	const char	*name;
	double		 share;
} percentiles[] = {
	{ "p50", 0.50 }, { "p90", 0.90 }, { "p99", 0.99 }, { "max", 1.0 },
};
/* clang-format on */

int
ctl_stats_ask(struct spfctl *ctl, struct ctl_answer *a)
{
	if (ctl_daemon_ask(ctl, MSG_CTL_STATS, NULL, 0, STATS_SECONDS, a) == -1)
		return a->status;
	if (a->status != 0)
		return ctl_answer_complain(a);
	return a->has_stats ? 0 : ctl_daemon_differs("its counters differ");
}

static uint64_t
hist_count(const struct stats *s, int h)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < STAT_BUCKETS; i++)
		n += s->hist[h][i];
	return n;
}

/* The last bucket has no upper bound. */
static int
is_beyond(uint64_t usec)
{
	return usec == (uint64_t)STAT_BUCKET_US << (STAT_BUCKETS - 1);
}

/* ---- text ---- */

static void
title(const struct spfctl *ctl, const char *s)
{
	ctl_print(ctl, CTL_C_BOLD, "%-*s", TITLE_WIDTH, s);
}

/* A family with one label: "milter 3, policy 4"; with none: "3". */
static void
text_family(const struct spfctl *ctl, const struct stats *s,
    enum stat_family_id family)
{
	const char *sep = "";
	uint64_t all = 0;
	int i;

	title(ctl, stat_families[family].title);
	for (i = 0; i < STAT_MAX; i++) {
		if (stat_rows[i].family != family)
			continue;
		printf("%s%s%s%" PRIu64, sep, stat_rows[i].value[0],
		    *stat_rows[i].value[0] == '\0' ? "" : " ", s->v[i]);
		sep = ", ";
		all += s->v[i];
	}
	if (family == STAT_FAMILY_DNS_CACHE && all != 0)
		printf(" (%.1f %% from the cache)",
		    100.0 * (double)s->v[STAT_DNS_CACHED] / (double)all);
	putchar('\n');
}

/* Two labels: a line for each value of the first, a column for the second. */
static void
text_matrix(const struct spfctl *ctl, const struct stats *s,
    enum stat_family_id family)
{
	const char *first = NULL, *line = "";
	int i;

	title(ctl, stat_families[family].title);
	for (i = 0; i < STAT_MAX; i++) {
		if (stat_rows[i].family != family)
			continue;
		if (first == NULL)
			first = stat_rows[i].value[0];
		if (strcmp(stat_rows[i].value[0], first) == 0)
			printf(" %9s", stat_rows[i].value[1]);
	}
	for (i = 0; i < STAT_MAX; i++) {
		if (stat_rows[i].family != family)
			continue;
		if (strcmp(stat_rows[i].value[0], line) != 0)
			printf("\n  %-*s", TITLE_WIDTH - 2,
			    stat_rows[i].value[0]);
		line = stat_rows[i].value[0];
		printf(" %9" PRIu64, s->v[i]);
	}
	putchar('\n');
}

static void
text_second(const struct spfctl *ctl, const struct stats *s)
{
	int i, k;

	putchar('\n');
	title(ctl, "ours, libspf2");
	for (k = 0; k < STAT_RESULTS; k++)
		printf(" %9s", spf_result_name[k]);
	putchar('\n');
	for (i = 0; i < STAT_RESULTS; i++) {
		printf("  %-*s", TITLE_WIDTH - 2, spf_result_name[i]);
		for (k = 0; k < STAT_RESULTS; k++) {
			ctl_print(ctl,
			    i != k && s->second[i][k] != 0 ? CTL_C_WARN :
							     CTL_C_NONE,
			    " %9" PRIu64, s->second[i][k]);
		}
		putchar('\n');
	}
}

static void
text_latency(const struct spfctl *ctl, const struct stats *s, int h)
{
	uint64_t usec, n = hist_count(s, h);
	size_t i;

	printf("  %-*s", TITLE_WIDTH - 2, stat_hists[h].title);
	if (n == 0) {
		printf("none yet\n");
		return;
	}
	for (i = 0; i < nitems(percentiles); i++) {
		usec =
		    stat_percentile(s, (enum stat_hist)h, percentiles[i].share);
		printf("%s %s %s %.3f ms", i == 0 ? "" : ",",
		    percentiles[i].name, is_beyond(usec) ? ">" : "<=",
		    (double)usec / (is_beyond(usec) ? 2000 : 1000));
	}
	printf(", mean %.3f ms of %" PRIu64 "\n",
	    (double)s->hist_sum_us[h] / 1000 / (double)n, n);
}

static void
text(const struct spfctl *ctl, const struct stats *s)
{
	int f, h;

	for (f = 0; f < STAT_FAMILY_MAX; f++) {
		if (f >= STAT_FAMILY_SECOND_OPINION &&
		    s->v[STAT_SECOND_SENT] == 0)
			continue;
		if (*stat_families[f].label[1] != '\0')
			text_matrix(ctl, s, f);
		else
			text_family(ctl, s, f);
	}
	title(ctl, "Latency");
	putchar('\n');
	for (h = 0; h < HIST_MAX; h++)
		text_latency(ctl, s, h);
	if (s->v[STAT_SECOND_SENT] != 0)
		text_second(ctl, s);
}

/* ---- JSON ---- */

/* No label: a number; one: an object; two: an object of objects. */
static void
json_family(struct json *j, const struct stats *s, enum stat_family_id family)
{
	const struct stat_family *f = &stat_families[family];
	const char *const *value, *object = "";
	int i;

	if (*f->label[0] != '\0')
		json_object(j, f->name);
	for (i = 0; i < STAT_MAX; i++) {
		if (stat_rows[i].family != family)
			continue;
		value = stat_rows[i].value;
		if (*value[1] != '\0' && strcmp(value[0], object) != 0) {
			if (*object != '\0')
				json_object_end(j);
			json_object(j, object = value[0]);
		}
		json_int(j,
		    *value[1] != '\0'	  ? value[1] :
			*value[0] != '\0' ? value[0] :
					    f->name,
		    (int64_t)s->v[i]);
	}
	if (*object != '\0')
		json_object_end(j);
	if (*f->label[0] != '\0')
		json_object_end(j);
}

/* le_ms is the upper bound, null for the last. Empty buckets are left out. */
static void
json_buckets(struct json *j, const struct stats *s, int h)
{
	int i;

	json_array(j, "buckets");
	for (i = 0; i < STAT_BUCKETS; i++) {
		if (s->hist[h][i] == 0)
			continue;
		json_object(j, NULL);
		if (i == STAT_BUCKETS - 1)
			json_null(j, "le_ms");
		else
			json_ms(j, "le_ms", (uint64_t)STAT_BUCKET_US << i);
		json_int(j, "count", (int64_t)s->hist[h][i]);
		json_object_end(j);
	}
	json_array_end(j);
}

static void
json_latency(struct json *j, const struct stats *s, int h)
{
	char key[16];
	uint64_t usec;
	size_t i;

	json_object(j, stat_hists[h].name);
	json_int(j, "count", (int64_t)hist_count(s, h));
	json_ms(j, "sum_ms", s->hist_sum_us[h]);
	for (i = 0; i < nitems(percentiles); i++) {
		snprintf(key, sizeof(key), "%s_ms", percentiles[i].name);
		usec =
		    stat_percentile(s, (enum stat_hist)h, percentiles[i].share);
		if (usec == 0 || is_beyond(usec))
			json_null(j, key);
		else
			json_ms(j, key, usec);
	}
	json_buckets(j, s, h);
	json_object_end(j);
}

/* Our result, then that of libspf2; pairs that did not occur are left out. */
static void
json_second(struct json *j, const struct stats *s)
{
	int i, k, seen;

	json_object(j, "second_opinion_results");
	for (i = 0; i < STAT_RESULTS; i++) {
		for (k = seen = 0; k < STAT_RESULTS; k++) {
			if (s->second[i][k] == 0)
				continue;
			if (!seen++)
				json_object(j, spf_result_name[i]);
			json_int(j, spf_result_name[k],
			    (int64_t)s->second[i][k]);
		}
		if (seen)
			json_object_end(j);
	}
	json_object_end(j);
}

static void
json(const struct stats *s, int indent)
{
	struct json j;
	int i;

	ctl_json_start(&j, indent);
	json_int(&j, "time", (int64_t)time(NULL));
	for (i = 0; i < STAT_FAMILY_MAX; i++)
		json_family(&j, s, i);
	json_object(&j, "latency");
	for (i = 0; i < HIST_MAX; i++)
		json_latency(&j, s, i);
	json_object_end(&j);
	json_second(&j, s);
	ctl_json_end(&j);
}

/* ---- --watch ---- */

#define IDS 6
/* clang-format off */
static const struct column {
	const char	*head;
	enum { NOW, RATE, SHARE } kind;		/* SHARE: of the first, in % */
	size_t		 n;
	enum stat_id	 id[IDS];
} columns[] = {
	{ "open", NOW, 1, { STAT_CONN_OPEN } },
	{ "conn/s", RATE, 2, { STAT_CONN_MILTER, STAT_CONN_POLICY } },
	{ "check/s", RATE, 2, { STAT_CHECK_MILTER, STAT_CHECK_POLICY } },
	{ "skip/s", RATE, 5, { STAT_SKIP_LIST, STAT_SKIP_INTERNAL,
	    STAT_SKIP_AUTH, STAT_SKIP_MACRO, STAT_SKIP_INSTANCE } },
	{ "reject/s", RATE, 1, { STAT_ACT_REJECT } },
	{ "defer/s", RATE, 1, { STAT_ACT_DEFER } },
	{ "temp/s", RATE, 2, { STAT_HELO_TEMPERROR, STAT_MAIL_TEMPERROR } },
	{ "dns/s", RATE, 2, { STAT_DNS_CACHED, STAT_DNS_UNCACHED } },
	{ "hit%", SHARE, 2, { STAT_DNS_CACHED, STAT_DNS_UNCACHED } },
};
/* clang-format on */

/* Subtracts the counters of an earlier answer; gauges stay as they are. */
static void
stats_since(struct stats *d, const struct stats *was)
{
	int i, h;

	for (i = 0; i < STAT_MAX; i++)
		if (stat_kind(i) == STAT_COUNTER)
			d->v[i] -= was->v[i];
	for (h = 0; h < HIST_MAX; h++) {
		for (i = 0; i < STAT_BUCKETS; i++)
			d->hist[h][i] -= was->hist[h][i];
		d->hist_sum_us[h] -= was->hist_sum_us[h];
	}
}

static void
watch_heading(const struct spfctl *ctl)
{
	size_t i;

	ctl_set_color(ctl, CTL_C_BOLD);
	for (i = 0; i < nitems(columns); i++)
		printf("%9s", columns[i].head);
	printf("%9s%9s", "p50 ms", "p99 ms");
	ctl_set_color(ctl, CTL_C_NONE);
	putchar('\n');
}

static void
watch_column(const struct column *c, const struct stats *d, double seconds)
{
	uint64_t all = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		all += d->v[c->id[i]];
	if (c->kind == NOW)
		printf("%9" PRIu64, all);
	else if (c->kind == RATE)
		printf("%9.1f", (double)all / seconds);
	else if (all == 0)
		printf("%9s", "-");
	else
		printf("%9.1f", 100.0 * (double)d->v[c->id[0]] / (double)all);
}

static void
watch_bound(const struct stats *d, double share)
{
	uint64_t usec = stat_percentile(d, HIST_CHECK, share);
	char buf[32];

	if (usec == 0)
		snprintf(buf, sizeof(buf), "-");
	else if (is_beyond(usec))
		snprintf(buf, sizeof(buf), ">%" PRIu64, usec / 2000);
	else
		snprintf(buf, sizeof(buf), "<=%.*f", usec < 10000 ? 2 : 0,
		    (double)usec / 1000);
	printf("%9s", buf);
}

/* Prints a line in each interval: what happened since the last one. */
static int
watch(struct spfctl *ctl)
{
	struct ctl_answer a;
	struct stats was, diff;
	double then = 0, at;
	unsigned int line = 0;
	size_t i;
	int status;

	memset(&was, 0, sizeof(was));
	for (;; line++) {
		status = ctl_stats_ask(ctl, &a);
		at = (double)clock_usec() / 1e6;
		diff = a.stats;
		ctl_answer_free(&a);
		if (status != 0)
			return status;
		if (ctl->form == CTL_JSON)
			json(&diff, 0);
		else if (line == 0)
			was = diff; /* nothing to compare with yet */
		else {
			if (line % WATCH_PAGE == 1)
				watch_heading(ctl);
			a.stats = diff;
			stats_since(&diff, &was);
			was = a.stats;
			for (i = 0; i < nitems(columns); i++)
				watch_column(&columns[i], &diff, at - then);
			watch_bound(&diff, 0.50);
			watch_bound(&diff, 0.99);
			putchar('\n');
		}
		then = at;
		if (fflush(stdout) == EOF) {
			if (errno == EPIPE)
				clearerr(
				    stdout); /* the reader closed the pipe */
			return 0;
		}
		ctl_daemon_wait(ctl->daemon, ctl->watch);
	}
}

int
ctl_stats(struct spfctl *ctl)
{
	struct ctl_answer a;
	int status;

	if (ctl->watch != 0)
		return watch(ctl);
	if ((status = ctl_stats_ask(ctl, &a)) == 0) {
		if (ctl->form == CTL_JSON)
			json(&a.stats, 1);
		else
			text(ctl, &a.stats);
	}
	ctl_answer_free(&a);
	return status;
}
