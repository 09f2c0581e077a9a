/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: bench. Microseconds of CPU that one run of spf_check() costs. */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "regress/suite/memdns.h"

#define RUNS 200000

static struct answers *answers;
static struct arena *arena;
static struct memdns *dns;

static double
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == -1)
		err(1, "clock_gettime");
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Runs with all answers known, then from nothing to the verdict. */
static void
bench(const char *name)
{
	struct spf_request req = { .helo = "helo.test",
		.local = "user",
		.domain = "d.test",
		.void_limit = 2 };
	struct spf_verdict v;
	struct memdns_run run;
	double t0, t1, t2;
	int i;

	if (addr_parse(&req.client, "192.0.2.1", 9) == -1)
		errx(1, "address");
	memdns_check(dns, &req, MEMDNS_ALL, answers, arena, &v, &run);
	t0 = now();
	for (i = 0; i < RUNS; i++) {
		answers_begin(answers);
		arena_reset(arena);
		(void)spf_check(&req, answers, arena, &v);
	}
	t1 = now();
	for (i = 0; i < RUNS / 10; i++)
		memdns_check(dns, &req, MEMDNS_ALL, answers, arena, &v, &run);
	t2 = now();
	printf("%-16s %-9s %6.2f us a run, %6.2f us a check of %u rounds\n",
	    name, spf_result_name[v.result], (t1 - t0) / RUNS,
	    (t2 - t1) / (RUNS / 10), run.rounds);
}

int
main(void)
{
	char rec[1024] = "v=spf1", name[32];
	size_t n = 6;
	int i;

	answers = answers_new();
	arena = arena_new(1UL << 20);
	dns = memdns_new();
	if (answers == NULL || arena == NULL)
		return 1;
	memdns_txt(dns, "d.test", "v=spf1 ip4:192.0.2.1 -all");
	bench("one ip4");

	memdns_clear(dns);
	for (i = 0; i < 25; i++)
		n += (size_t)snprintf(rec + n, sizeof(rec) - n,
		    " ip4:198.51.100.%d", i);
	snprintf(rec + n, sizeof(rec) - n, " -all");
	memdns_txt(dns, "d.test", rec);
	bench("25 ip4");

	memdns_clear(dns);
	memdns_txt(dns, "d.test",
	    "v=spf1 exists:%{i}.%{l}.x.test "
	    "exists:%{ir}.%{d2}.x.test -all");
	bench("two macro exists");

	memdns_clear(dns);
	memdns_txt(dns, "d.test", "v=spf1 include:i0.test -all");
	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "i%d.test", i);
		snprintf(rec, sizeof(rec),
		    i < 8 ? "v=spf1 include:i%d.test "
			    "-all" :
			    "v=spf1 ip4:192.0.2.1 -all",
		    i + 1);
		memdns_txt(dns, name, rec);
	}
	bench("include chain 9");

	memdns_clear(dns);
	for (n = 6, i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "i%d.test", i);
		n += (size_t)snprintf(rec + n, sizeof(rec) - n, " include:%s",
		    name);
		memdns_txt(dns, name,
		    i < 7 ? "v=spf1 ip4:10.0.0.1 -all" :
			    "v=spf1 ip4:192.0.2.1 -all");
	}
	memcpy(rec, "v=spf1", 6);
	memdns_txt(dns, "d.test", rec);
	bench("8 includes");
	memdns_free(dns);
	answers_free(answers);
	arena_free(arena);
	return 0;
}
