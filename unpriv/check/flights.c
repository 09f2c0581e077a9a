/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every role that asks dns, policyd-spf, spfctl; on libevent. */

#include <stdlib.h>

#include "unpriv/check/asker.h"
#include "unpriv/check/flights.h"

struct flight {
	LIST_ENTRY(flight) entry;
	struct flights *owner;
	struct answers_question *q;
	uint32_t id; /* asker_cancel() takes it */
};

static const struct dns_answer flights_failed = { .status = DNS_TEMPERROR };

void
flights_init(struct flights *f, struct asker *k, struct answers *answers,
    flights_fn answered, void *arg)
{
	*f = (struct flights){ .asker = k,
		.answers = answers,
		.answered = answered,
		.arg = arg };
}

static void
flight_free(struct flight *fl)
{
	fl->owner->n--;
	LIST_REMOVE(fl, entry);
	free(fl);
}

void
flights_cancel(struct flights *f)
{
	struct flight *fl;

	while ((fl = LIST_FIRST(&f->list)) != NULL) {
		asker_cancel(f->asker, fl->id);
		flight_free(fl);
	}
}

static void
flight_answered(const struct dns_answer *a, void *arg)
{
	struct flight *fl = arg;
	struct flights *f = fl->owner;
	struct answers_question *q = fl->q;

	flight_free(fl);
	(void)answers_put(f->answers, q, a == NULL ? &flights_failed : a);
	if (f->answered != NULL)
		f->answered(q, f->arg);
}

int
flights_ask_name(struct flights *f, struct answers_question *q,
    const char *name, size_t len)
{
	struct flight *fl;

	if ((fl = calloc(1, sizeof(*fl))) != NULL)
		fl->id = asker_ask(f->asker, q->type, name, len,
		    flight_answered, fl);
	if (fl == NULL || fl->id == 0) {
		free(fl);
		(void)answers_put(f->answers, q, &flights_failed);
		return 0;
	}
	fl->owner = f;
	fl->q = q;
	LIST_INSERT_HEAD(&f->list, fl, entry);
	f->n++;
	return 1;
}

int
flights_ask(struct flights *f, struct answers_question *q)
{
	return flights_ask_name(f, q, q->name, q->namelen);
}

size_t
flights_ask_all(struct flights *f)
{
	struct answers_question *q;

	while ((q = answers_next(f->answers)) != NULL)
		(void)flights_ask(f, q);
	return f->n;
}

const struct answers_question *
flights_last(const struct flights *f)
{
	const struct flight *fl = LIST_FIRST(&f->list);

	return fl == NULL ? NULL : fl->q;
}
