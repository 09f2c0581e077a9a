/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. The flights of one table, with an asker of stubs. */

#include "unpriv/check/flights.h"
#include "regress/unit/check.h"
#include "unpriv/check/asker.h"

/* The asker's side: what it was asked, and the functions to answer with. */
static struct {
	char name[64];
	uint16_t type;
	asker_fn fn; /* NULL: cancelled or answered */
	void *arg;
} asked[8];
static uint32_t nasked;
static int refuse; /* asker_ask() has no memory */

static struct answers *answers;
static struct flights flights;
static const struct answers_question *last; /* of the owner's last call */
static int calls;

uint32_t
asker_ask(struct asker *k, uint16_t type, const char *name, size_t len,
    asker_fn fn, void *arg)
{
	if (refuse || nasked == NITEMS(asked))
		return 0;
	snprintf(asked[nasked].name, sizeof(asked[0].name), "%.*s", (int)len,
	    name);
	asked[nasked].type = type;
	asked[nasked].fn = fn;
	asked[nasked].arg = arg;
	return ++nasked; /* the place and 1 */
}

void
asker_cancel(struct asker *k, uint32_t id)
{
	asked[id - 1].fn = NULL;
}

static void
answered(const struct answers_question *q, void *arg)
{
	last = q;
	calls += arg == &calls;
}

static void
begin(void)
{
	answers_reset(answers);
	answers_begin(answers);
	nasked = 0;
	refuse = calls = 0;
	last = NULL;
	flights_init(&flights, NULL, answers, answered, &calls);
}

/* dns answers question i: an address, or NULL for a malformed answer. */
static void
answer(unsigned int i, const char *addr)
{
	struct dns_rr rr = { (const uint8_t *)addr, 4, 0 };
	struct dns_answer a = { .status = DNS_OK, .nrr = 1, .rr = &rr };
	asker_fn fn = asked[i].fn;

	asked[i].fn = NULL;
	fn(addr == NULL ? NULL : &a, asked[i].arg);
}

/* Asks for the A record of a name; returns how many are under way. */
static size_t
ask(const char *name)
{
	(void)answers_get(answers, DNS_T_A, name, strlen(name));
	return flights_ask_all(&flights);
}

/* The status of a name's answer, DNS_NONE when there is none. */
static int
status(const char *name)
{
	return answers_find(answers, DNS_T_A, name, strlen(name))
	    ->answer.status;
}

static void
test_answer(void)
{
	begin();
	check_int("ask-under-way", ask("a.test"), 1);
	check_str("ask-name", asked[0].name, "a.test");
	check_int("ask-type", asked[0].type, DNS_T_A);
	check_int("ask-no-call-inside", calls, 0);
	check_str("last-asked", flights_last(&flights)->name, "a.test");
	answer(0, "\1\2\3\4");
	check_int("answer-stored", status("a.test"), DNS_OK);
	check_int("answer-calls-owner", calls, 1);
	check_str("answer-question", last->name, "a.test");
	check_int("answer-none-under-way", flights.n, 0);
	check("answer-no-last", flights_last(&flights) == NULL);

	begin();
	(void)ask("a.test");
	answer(0, NULL);
	check_int("malformed-is-temperror", status("a.test"), DNS_TEMPERROR);
	check_int("malformed-calls-owner", calls, 1);
}

static void
test_order(void)
{
	begin();
	(void)ask("a.test");
	check_int("two-under-way", ask("b.test"), 2);
	check_str("two-last", flights_last(&flights)->name, "b.test");
	answer(1, "\1\2\3\4");
	check_str("other-order-question", last->name, "b.test");
	check_int("other-order-first-open", status("a.test"), DNS_NONE);
	check_int("other-order-left", flights.n, 1);
	flights_cancel(&flights);
}

static void
test_duplicate(void)
{
	begin();
	(void)ask("a.test");
	check_int("duplicate-one-flight", ask("A.Test"), 1);
	check_int("duplicate-one-question", nasked, 1);
	answer(0, "\1\2\3\4");
	check_int("duplicate-after-answer", ask("a.test"), 0);
	check_int("duplicate-not-asked-again", nasked, 1);
}

static void
test_cancel(void)
{
	begin();
	(void)ask("a.test");
	(void)ask("b.test");
	flights_cancel(&flights);
	check_int("cancel-none-under-way", flights.n, 0);
	check("cancel-both", asked[0].fn == NULL && asked[1].fn == NULL);
	check_int("cancel-no-call", calls, 0);
	check_int("cancel-no-answer", status("a.test"), DNS_NONE);
	flights_cancel(&flights);
	check_int("cancel-twice", flights.n, 0);
}

static void
test_no_memory(void)
{
	begin();
	refuse = 1;
	check_int("no-memory-none-under-way", ask("a.test"), 0);
	check_int("no-memory-is-temperror", status("a.test"), DNS_TEMPERROR);
	check_int("no-memory-no-call", calls, 0);
	refuse = 0;
	check_int("no-memory-next-asked", ask("b.test"), 1);
	flights_cancel(&flights);
}

static void
test_alias(void)
{
	struct answers_question *q;

	begin();
	(void)answers_get(answers, DNS_T_A, "a.test", 6);
	q = answers_next(answers);
	check_int("alias-under-way", flights_ask_name(&flights, q, "b.test", 6),
	    1);
	check_str("alias-name", asked[0].name, "b.test");
	answer(0, "\1\2\3\4");
	check_int("alias-answers-question", status("a.test"), DNS_OK);
}

int
main(void)
{
	if ((answers = answers_new()) == NULL)
		return 1;
	test_answer();
	test_order();
	test_duplicate();
	test_cancel();
	test_no_memory();
	test_alias();
	answers_free(answers);
	return check_exit();
}
