/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#include "proto/stats.h"
#include "proto/wire.h"

#define COUNTER STAT_COUNTER
#define GAUGE	STAT_GAUGE
const struct stat_family stat_families[STAT_FAMILY_MAX] = {
#define X(n, k, name, l1, l2, title, help) { k, name, { l1, l2 }, title, help },
	STAT_FAMILY_TABLE(X)
#undef X
};

const struct stat_row stat_rows[STAT_MAX] = {
#define X(n, f, v1, v2) { STAT_FAMILY_##f, { v1, v2 } },
	STAT_TABLE(X)
#undef X
};

const struct stat_hist_row stat_hists[HIST_MAX] = {
#define X(n, name, title, help) { name, title, help },
	STAT_HIST_TABLE(X)
#undef X
};

enum stat_kind
stat_kind(enum stat_id id)
{
	return stat_families[stat_rows[id].family].kind;
}

/* Used until the parent shares a page, and by programs without one. */
static struct stats stats_own;
struct stats *stats = &stats_own;

void
stat_observe(enum stat_hist h, uint64_t usec)
{
	unsigned int i;

	for (i = 0; i < STAT_BUCKETS - 1; i++)
		if (usec < (uint64_t)STAT_BUCKET_US << i)
			break;
	stats->hist[h][i]++;
	stats->hist_sum_us[h] += usec;
}

void
stat_sum(struct stats *to, const struct stats *from, int gauges)
{
	unsigned int i, h;

	for (i = 0; i < STAT_MAX; i++)
		if (gauges || stat_kind(i) == STAT_COUNTER)
			to->v[i] += from->v[i];
	for (h = 0; h < HIST_MAX; h++) {
		for (i = 0; i < STAT_BUCKETS; i++)
			to->hist[h][i] += from->hist[h][i];
		to->hist_sum_us[h] += from->hist_sum_us[h];
	}
	for (h = 0; h < STAT_RESULTS; h++)
		for (i = 0; i < STAT_RESULTS; i++)
			to->second[h][i] += from->second[h][i];
}

uint64_t
stat_percentile(const struct stats *s, enum stat_hist h, double share)
{
	uint64_t all = 0, seen = 0;
	unsigned int i;

	for (i = 0; i < STAT_BUCKETS; i++)
		all += s->hist[h][i];
	if (all == 0)
		return 0;
	for (i = 0; i < STAT_BUCKETS; i++) {
		seen += s->hist[h][i];
		if ((double)seen >= share * (double)all)
			break;
	}
	return (uint64_t)STAT_BUCKET_US
	    << (i < STAT_BUCKETS ? i : STAT_BUCKETS - 1);
}

#define STAT_WORDS (sizeof(struct stats) / sizeof(uint64_t))

int
stat_put(const struct stats *s, uint8_t *p, size_t size, size_t *len)
{
	const uint64_t *words = (const uint64_t *)s;
	struct wbuf w;
	size_t i;

	wbuf_init(&w, p, size);
	for (i = 0; i < STAT_WORDS; i++)
		wbuf_u64(&w, words[i]);
	*len = w.len;
	return wbuf_ok(&w) ? 0 : -1;
}

int
stat_get(struct stats *s, const uint8_t *p, size_t len)
{
	uint64_t *words = (uint64_t *)s;
	struct rbuf r;
	size_t i;

	if (len != sizeof(*s))
		return -1;
	rbuf_init(&r, p, len);
	for (i = 0; i < STAT_WORDS; i++)
		words[i] = rbuf_u64(&r);
	return 0;
}
