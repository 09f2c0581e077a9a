/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: tests. Runs the public suites, from convert.py, in the engine.
 * usage: engine_suite [any]; any: with Void_Family = any.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/suite/memdns.h"

#define SEEDS  12
#define FIELDS 8

static struct answers *answers;
static struct arena *arena[2];
static int failures, void_any;

/* Works in place. The text may then hold NUL, so it has a length. */
static char *
unescape(char *s, size_t *len)
{
	char hex[3] = "", *in = s, *out = s;

	while (*in != '\0') {
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		if (in[1] == 'e') {
			in += 2;
			continue;
		}
		if (in[1] != 'x' || in[2] == '\0' || in[3] == '\0')
			errx(1, "bad escape: %s", in);
		hex[0] = in[2];
		hex[1] = in[3];
		*out++ = (char)strtoul(hex, NULL, 16);
		in += 4;
	}
	*out = '\0';
	*len = (size_t)(out - s);
	return s;
}

static uint16_t
type_of(const char *s)
{
	static const struct {
		const char *name;
		uint16_t type;
	} types[] = { { "*", 0 }, { "A", DNS_T_A }, { "AAAA", DNS_T_AAAA },
		{ "MX", DNS_T_MX }, { "PTR", DNS_T_PTR }, { "TXT", DNS_T_TXT },
		{ "CNAME", DNS_T_CNAME }, { "SPF", 99 } };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(s, types[i].name) == 0)
			return types[i].type;
	errx(1, "unknown type %s", s);
}

/* Fields: record owner type data [aux] */
static void
record_line(struct memdns *m, char **f, size_t *len, int n)
{
	uint16_t type = type_of(f[2]);
	struct addr a;

	if (type != DNS_T_A && type != DNS_T_AAAA) {
		memdns_add(m, f[1], len[1], type, f[3], len[3],
		    n > 4 ? (uint16_t)atoi(f[4]) : 0);
		return;
	}
	if (addr_parse(&a, f[3], len[3]) == -1)
		errx(1, "bad address %s", f[3]);
	memdns_add(m, f[1], len[1], type, a.b, a.family == 4 ? 4 : 16, 0);
}

static int
result_in(const char *name, const char *list)
{
	size_t n = strlen(name);
	const char *p;

	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return 1;
	}
	return 0;
}

/* Fields: case name host helo mailfrom results explanation */
static void
case_line(struct memdns *m, char **f)
{
	struct spf_request req = { .helo = f[3],
		.void_limit = 2,
		.void_any = void_any };
	struct spf_verdict v, w;
	struct memdns_run run;
	const char *exp;
	char *at;
	unsigned int order;
	int bad;

	if (addr_parse(&req.client, f[2], strlen(f[2])) == -1)
		errx(1, "bad address %s", f[2]);
	req.local = "postmaster";
	req.domain = f[4][0] == '\0' ? f[3] : f[4];
	if ((at = strrchr(f[4], '@')) != NULL) {
		*at = '\0';
		req.local = f[4];
		req.domain = at + 1;
	}
	memdns_check(m, &req, MEMDNS_ALL, answers, arena[0], &v, &run);
	exp = v.explanation == NULL ? "DEFAULT" : v.explanation;
	bad = run.stuck || !result_in(spf_result_name[v.result], f[5]) ||
	    (strcmp(f[6], "-") != 0 && strcmp(f[6], exp) != 0);
	if (bad)
		printf("not ok %s - %s (%s) explanation %s, should be %s %s\n",
		    f[1], spf_result_name[v.result], v.reason, exp, f[5], f[6]);
	for (order = MEMDNS_NEEDED; !bad && order < SEEDS; order++) {
		memdns_check(m, &req, order, answers, arena[1], &w, &run);
		bad = run.stuck || !memdns_same(&v, &w);
		if (bad)
			printf("not ok %s - order %u gives %s (%s), not %s\n",
			    f[1], order, spf_result_name[w.result], w.reason,
			    spf_result_name[v.result]);
	}
	failures += bad;
	if (!bad)
		printf("ok %s\n", f[1]);
}

int
main(int argc, char *argv[])
{
	struct memdns *m = memdns_new();
	char *line = NULL, *p, *word, *f[FIELDS];
	size_t size = 0, len[FIELDS];
	int n;

	void_any = argc > 1 && strcmp(argv[1], "any") == 0;
	answers = answers_new();
	arena[0] = arena_new(1UL << 20);
	arena[1] = arena_new(1UL << 20);
	if (answers == NULL || arena[0] == NULL || arena[1] == NULL)
		return 1;
	while (getline(&line, &size, stdin) != -1) {
		p = line;
		p[strcspn(p, "\n")] = '\0';
		for (n = 0; n < FIELDS && (word = strsep(&p, " ")) != NULL; n++)
			f[n] = unescape(word, &len[n]);
		if (strcmp(f[0], "scenario") == 0)
			memdns_clear(m);
		else if (strcmp(f[0], "zone") == 0 && n == 2)
			memdns_name(m, f[1], len[1]);
		else if (strcmp(f[0], "record") == 0 && n >= 4)
			record_line(m, f, len, n);
		else if (strcmp(f[0], "timeout") == 0 && n == 3)
			memdns_fail(m, f[1], len[1], type_of(f[2]),
			    DNS_TIMEOUT);
		else if (strcmp(f[0], "case") == 0 && n == 7)
			case_line(m, f);
		else if (strcmp(f[0], "skip") == 0)
			printf("skip %s - pyspf's own modes\n", f[1]);
		else
			errx(1, "bad line: %s", f[0]);
	}
	free(line);
	memdns_free(m);
	answers_free(answers);
	arena_free(arena[0]);
	arena_free(arena[1]);
	return failures != 0;
}
