/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include "unpriv/spf/answers.h"
#include "proto/arena.h"
#include "regress/unit/check.h"

static void
test_life(struct answers *a)
{
	uint8_t text[3] = { 'a', 'b', 'c' };
	struct dns_rr rr = { text, 3, 3 };
	struct dns_answer ans = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	const struct dns_answer *got;
	struct answers_question *q, *h;

	answers_begin(a);
	check("unknown-is-wanted",
	    answers_get(a, DNS_T_TXT, "Ex.Test", 7) == NULL &&
		answers_missing(a) == 1,
	    "%zu", answers_missing(a));
	answers_hint(a, DNS_T_A, "hint.test", 9);
	check_int("hint-is-not-missing", answers_missing(a), 1);
	check("same-question-once",
	    answers_get(a, DNS_T_TXT, "eX.tEST", 7) == NULL &&
		answers_at(a, 2) == NULL,
	    "two");
	q = answers_find(a, DNS_T_TXT, "EX.TEST", 7);
	check_int("put-before-asked", answers_put(a, q, &ans), -1);
	check("next-in-order",
	    answers_next(a) == q && q->state == ANSWERS_ASKED &&
		strcmp(q->name, "ex.test") == 0,
	    "%s", q->name);
	h = answers_next(a);
	check("next-gives-hints", h != NULL && h->type == DNS_T_A, "no");
	check("next-ends", answers_next(a) == NULL);
	check_int("put", answers_put(a, q, &ans), 0);
	memset(text, 'x', sizeof(text));
	got = answers_get(a, DNS_T_TXT, "ex.test", 7);
	check("put-copies-deeply",
	    got != NULL && got->nrr == 1 &&
		memcmp(got->rr[0].data, "abc", 3) == 0 &&
		got->type == DNS_T_TXT,
	    "no");
	check_int("put-twice", answers_put(a, q, &ans), -1);
	check("type-is-part", answers_find(a, DNS_T_MX, "ex.test", 7) == NULL);
	check_int("done-is-not-missing", answers_missing(a), 0);
	(void)answers_get(a, DNS_T_A, "hint.test", 9);
	check("asked-hint-can-be-missing",
	    answers_missing(a) == 1 && answers_next(a) == NULL, "%zu",
	    answers_missing(a));
	answers_begin(a);
	check_int("begin-forgets-missing", answers_missing(a), 0);
	answers_expire(a, DNS_TIMEOUT);
	got = answers_get(a, DNS_T_A, "hint.test", 9);
	check("expire", got != NULL && got->status == DNS_TIMEOUT, "no");
	got = answers_get(a, DNS_T_TXT, "ex.test", 7);
	check("expire-keeps-done", got != NULL && got->status == DNS_OK, "no");
	check_int("put-after-expire", answers_put(a, h, &ans), -1);
	answers_begin(a);
	answers_hint(a, DNS_T_A, "guess.test", 10);
	(void)answers_get(a, DNS_T_MX, "needed.test", 11);
	q = answers_needed(a);
	check("needed-before-guesses",
	    q != NULL && q->type == DNS_T_MX && q->state == ANSWERS_ASKED &&
		answers_needed(a) == NULL,
	    "no");
	q = answers_next(a);
	check("guesses-after-needed",
	    q != NULL && q->type == DNS_T_A && answers_next(a) == NULL, "no");
	answers_reset(a);
	check("reset",
	    answers_at(a, 0) == NULL &&
		answers_find(a, DNS_T_TXT, "ex.test", 7) == NULL,
	    "still there");
}

static void
test_bounds(struct answers *a)
{
	static uint8_t big[60000];
	struct dns_rr rr = { big, sizeof(big), 0 };
	struct dns_answer ans = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	const struct dns_answer *got = NULL;
	struct answers_question *q;
	char name[32];
	size_t i, n;
	int rv = 0;

	for (i = 0; i < 2 * ANSWERS_MAX; i++) {
		snprintf(name, sizeof(name), "h%zu.test", i);
		answers_hint(a, DNS_T_TXT, name, strlen(name));
	}
	for (n = 0; answers_at(a, n) != NULL; n++)
		;
	check("hints-leave-room", n > 0 && n <= ANSWERS_MAX - 300, "%zu", n);
	for (i = 0; i < 2 * ANSWERS_MAX; i++) {
		snprintf(name, sizeof(name), "g%zu.test", i);
		got = answers_get(a, DNS_T_TXT, name, strlen(name));
	}
	for (n = 0; answers_at(a, n) != NULL; n++)
		;
	check_int("full-table", n, ANSWERS_MAX);
	check("full-table-is-temperror",
	    got != NULL && got->status == DNS_TEMPERROR, "no");
	for (i = 0; (q = answers_next(a)) != NULL; i++) {
		ans.rr = &rr;
		if (answers_put(a, q, &ans) == -1) {
			rv = -1;
			break;
		}
	}
	check("memory-is-bounded",
	    rv == -1 && i * sizeof(big) < (32UL << 20) && q != NULL &&
		q->state == ANSWERS_DONE && q->answer.status == DNS_TEMPERROR &&
		q->answer.nrr == 0,
	    "%zu stored", i);
	answers_reset(a);
	check("usable-after-full",
	    answers_get(a, DNS_T_A, "a", 1) == NULL && answers_at(a, 0) != NULL,
	    "no");
}

static void
test_arena(void)
{
	struct arena *r;
	char *p, *s;
	size_t i;

	if ((r = arena_new(100000)) == NULL)
		abort();
	p = arena_alloc(r, 10);
	memset(p, 'x', 10);
	s = arena_strndup(r, "abcdef", 3);
	check("arena-strndup", s != NULL && strcmp(s, "abc") == 0, "%s", s);
	s = arena_printf(r, "%d-%s", 7, "x");
	check("arena-printf", s != NULL && strcmp(s, "7-x") == 0, "%s", s);
	check("arena-aligned", ((uintptr_t)arena_alloc(r, 1) & 15) == 0);
	check("arena-overflow",
	    arena_array(r, (size_t)-1 / 2, 3) == NULL && arena_failed(r),
	    "allocated");
	check("arena-stays-failed", arena_alloc(r, 1) == NULL);
	arena_reset(r);
	p = arena_alloc(r, 10);
	for (i = 0; p != NULL && i < 10 && p[i] == 0; i++)
		;
	check_int("arena-zeroed-again", i, 10);
	for (i = 0; i < 1000 && arena_alloc(r, 1000) != NULL; i++)
		;
	check("arena-limit", i >= 80 && i <= 100 && arena_failed(r), "%zu", i);
	arena_reset(r);
	check("arena-biggest",
	    arena_alloc(r, 100000) != NULL || arena_failed(r), "neither");
	arena_free(r);
}

int
main(void)
{
	struct answers *a;

	if ((a = answers_new()) == NULL)
		return 1;
	test_life(a);
	test_bounds(a);
	answers_free(a);
	test_arena();
	return check_exit();
}
