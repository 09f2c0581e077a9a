/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include "unpriv/spf/answers.h"
#include "proto/arena.h"
#include "regress/unit/check.h"

static struct answers *a;

/* Questions and answers as text: "TXT ex.test", "ok [abc]", or "none". */
static const char *
question(const struct answers_question *q)
{
	return q == NULL ? "none" :
			   check_name("%s %s", dns_type_name(q->type), q->name);
}

static const char *
get(uint16_t type, const char *name)
{
	const struct dns_answer *ans = answers_get(a, type, name, strlen(name));

	if (ans == NULL)
		return "none";
	return check_name("%s [%s]", dns_status_name[ans->status],
	    ans->nrr == 0 ? "" : check_show(ans->rr[0].data, ans->rr[0].len));
}

static struct answers_question *
find(uint16_t type, const char *name)
{
	return answers_find(a, type, name, strlen(name));
}

static void
test_life(void)
{
	uint8_t text[3] = { 'a', 'b', 'c' };
	struct dns_rr rr = { text, 3, 3 };
	struct dns_answer ans = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	struct answers_question *q, *h;

	answers_begin(a);
	check_str("unknown", get(DNS_T_TXT, "Ex.Test"), "none");
	check_int("unknown-is-wanted", answers_missing(a), 1);
	answers_hint(a, DNS_T_A, "hint.test", 9);
	check_int("hint-is-not-missing", answers_missing(a), 1);
	check_str("same-question", get(DNS_T_TXT, "eX.tEST"), "none");
	check_str("same-question-once", question(answers_at(a, 2)), "none");
	q = find(DNS_T_TXT, "EX.TEST");
	check_int("put-before-asked", answers_put(a, q, &ans), -1);
	check("next-in-order", answers_next(a) == q);
	check_int("next-in-order-is-asked", q->state, ANSWERS_ASKED);
	check_str("next-in-order-name", q->name, "ex.test");
	h = answers_next(a);
	check_str("next-gives-hints", question(h), "A hint.test");
	check_str("next-ends", question(answers_next(a)), "none");
	check_int("put", answers_put(a, q, &ans), 0);
	memset(text, 'x', sizeof(text));
	check_str("put-copies-deeply", get(DNS_T_TXT, "ex.test"), "ok [abc]");
	check_int("put-sets-type", q->answer.type, DNS_T_TXT);
	check_int("put-twice", answers_put(a, q, &ans), -1);
	check_str("type-is-part", question(find(DNS_T_MX, "ex.test")), "none");
	check_int("done-is-not-missing", answers_missing(a), 0);
	(void)get(DNS_T_A, "hint.test");
	check_int("asked-hint-can-be-missing", answers_missing(a), 1);
	check_str("asked-hint-is-not-next", question(answers_next(a)), "none");
	answers_begin(a);
	check_int("begin-forgets-missing", answers_missing(a), 0);
	answers_expire(a, DNS_TIMEOUT);
	check_str("expire", get(DNS_T_A, "hint.test"), "timeout []");
	check_str("expire-keeps-done", get(DNS_T_TXT, "ex.test"), "ok [abc]");
	check_int("put-after-expire", answers_put(a, h, &ans), -1);
	answers_begin(a);
	answers_hint(a, DNS_T_A, "guess.test", 10);
	(void)get(DNS_T_MX, "needed.test");
	q = answers_needed(a);
	check_str("needed-before-guesses", question(q), "MX needed.test");
	check_int("needed-is-asked", q->state, ANSWERS_ASKED);
	check_str("needed-ends", question(answers_needed(a)), "none");
	check_str("guesses-after-needed", question(answers_next(a)),
	    "A guess.test");
	check_str("guesses-end", question(answers_next(a)), "none");
	answers_reset(a);
	check_str("reset", question(answers_at(a, 0)), "none");
	check_str("reset-forgets", question(find(DNS_T_TXT, "ex.test")),
	    "none");
}

static size_t
count(void)
{
	size_t n = 0;

	while (answers_at(a, n) != NULL)
		n++;
	return n;
}

static void
test_bounds(void)
{
	static uint8_t big[60000];
	struct dns_rr rr = { big, sizeof(big), 0 };
	struct dns_answer ans = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	struct answers_question *q;
	const char *name;
	size_t i;

	for (i = 0; i < 2 * ANSWERS_MAX; i++) {
		name = check_name("h%zu.test", i);
		answers_hint(a, DNS_T_TXT, name, strlen(name));
	}
	check("hints-leave-room", count() > 0 && count() <= ANSWERS_MAX - 450,
	    "%zu", count());
	for (i = 0; i < 2 * ANSWERS_MAX; i++) {
		name = check_name("g%zu.test", i);
		(void)answers_get(a, DNS_T_TXT, name, strlen(name));
	}
	check_int("full-table", count(), ANSWERS_MAX);
	check_str("full-table-is-temperror", get(DNS_T_TXT, "other.test"),
	    "temperror []");
	for (i = 0; (q = answers_next(a)) != NULL; i++)
		if (answers_put(a, q, &ans) == -1)
			break;
	check("memory-is-bounded", i * sizeof(big) < (32UL << 20), "%zu", i);
	check("memory-is-bounded-before-the-end", q != NULL);
	check_int("memory-is-bounded-state", q->state, ANSWERS_DONE);
	check_int("memory-is-bounded-status", q->answer.status, DNS_TEMPERROR);
	check_int("memory-is-bounded-records", q->answer.nrr, 0);
	answers_reset(a);
	check_str("usable-after-full", get(DNS_T_A, "a"), "none");
	check_str("usable-after-full-asks", question(answers_at(a, 0)), "A a");
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
	check_str("arena-strndup", s, "abc");
	s = arena_printf(r, "%d-%s", 7, "x");
	check_str("arena-printf", s, "7-x");
	check("arena-aligned", ((uintptr_t)arena_alloc(r, 1) & 15) == 0);
	check("arena-overflow", arena_array(r, (size_t)-1 / 2, 3) == NULL);
	check("arena-overflow-fails", arena_failed(r));
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
	if ((a = answers_new()) == NULL)
		return 1;
	test_life();
	test_bounds();
	answers_free(a);
	test_arena();
	return check_exit();
}
