/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, shadow, policyd-spf, spfctl; pure. */

#include <stdlib.h>
#include <string.h>

#include "proto/arena.h"
#include "proto/dname.h"
#include "proto/text.h"
#include "unpriv/spf/answers.h"

#define ANSWERS_HASH 256 /* a power of two */
/*
 * The memory of one check: more than the records of two identities take at
 * their largest size. Thousands of checks may wait at a time.
 */
#define ANSWERS_BYTES (2UL << 20)
/*
 * Refuse hints above this number of questions, so that the hints that a
 * hostile record causes leave room for what its evaluation needs: at most
 * 1 + 10 * (1 + 2 * 10) + 11 + 1 questions for each identity (two for each host
 * of mx by Void_Family = any).
 */
#define ANSWERS_HINTS (ANSWERS_MAX - 450)

struct entry {
	struct answers_question q;
	struct entry *next; /* in the bucket */
};

struct answers {
	struct arena *arena;
	size_t n;
	size_t cursor; /* all questions before it are handed out */
	struct entry *all[ANSWERS_MAX];
	struct entry *bucket[ANSWERS_HASH];
};

static const struct dns_answer answer_full = { .status = DNS_TEMPERROR };

struct answers *
answers_new(void)
{
	struct answers *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	if ((a->arena = arena_new(ANSWERS_BYTES)) == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

void
answers_free(struct answers *a)
{
	if (a == NULL)
		return;
	arena_free(a->arena);
	free(a);
}

void
answers_reset(struct answers *a)
{
	arena_reset(a->arena);
	a->n = a->cursor = 0;
	memset(a->bucket, 0, sizeof(a->bucket));
}

void
answers_begin(struct answers *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		a->all[i]->q.wanted = 0;
}

/* FNV-1a over the lower-cased name. */
static unsigned int
hash(uint16_t type, const char *name, size_t len)
{
	uint32_t h = 2166136261U ^ type;
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = (unsigned char)ascii_lower(name[i]);
		h = (h ^ c) * 16777619U;
	}
	return (h ^ h >> 16) & (ANSWERS_HASH - 1);
}

struct answers_question *
answers_find(struct answers *a, uint16_t type, const char *name, size_t len)
{
	struct entry *e;

	for (e = a->bucket[hash(type, name, len)]; e != NULL; e = e->next)
		if (e->q.type == type &&
		    dname_equal(e->q.name, e->q.namelen, name, len))
			return &e->q;
	return NULL;
}

static struct answers_question *
add(struct answers *a, uint16_t type, const char *name, size_t len)
{
	unsigned int h = hash(type, name, len);
	struct entry *e;
	char *copy;

	if (a->n == ANSWERS_MAX || !dname_valid(name, len))
		return NULL;
	if ((e = arena_alloc(a->arena, sizeof(*e))) == NULL ||
	    (copy = arena_strndup(a->arena, name, len)) == NULL)
		return NULL;
	dname_lower(copy, len);
	e->q.type = type;
	e->q.state = ANSWERS_NOTED;
	e->q.name = copy;
	e->q.namelen = len;
	e->next = a->bucket[h];
	a->bucket[h] = e;
	a->all[a->n++] = e;
	return &e->q;
}

const struct dns_answer *
answers_get(struct answers *a, uint16_t type, const char *name, size_t len)
{
	struct answers_question *q;

	if ((q = answers_find(a, type, name, len)) == NULL &&
	    (q = add(a, type, name, len)) == NULL)
		return &answer_full;
	if (q->state == ANSWERS_DONE)
		return &q->answer;
	q->wanted = 1;
	return NULL;
}

void
answers_hint(struct answers *a, uint16_t type, const char *name, size_t len)
{
	if (a->n < ANSWERS_HINTS && answers_find(a, type, name, len) == NULL)
		(void)add(a, type, name, len);
}

/* The next question to ask, from index *i on, which moves behind it. */
static struct answers_question *
take(struct answers *a, size_t *i, int hints)
{
	struct answers_question *q;

	while (*i < a->n) {
		q = &a->all[(*i)++]->q;
		if (q->state == ANSWERS_NOTED && (hints || q->wanted)) {
			q->state = ANSWERS_ASKED;
			return q;
		}
	}
	return NULL;
}

struct answers_question *
answers_next(struct answers *a)
{
	return take(a, &a->cursor, 1);
}

struct answers_question *
answers_needed(struct answers *a)
{
	size_t i = a->cursor;

	return take(a, &i, 0);
}

/* Ends a question without records. */
static void
done(struct answers_question *q, enum dns_status status)
{
	q->answer =
	    (struct dns_answer){ .type = q->type, .status = (uint8_t)status };
	q->state = ANSWERS_DONE;
}

int
answers_put(struct answers *a, struct answers_question *q,
    const struct dns_answer *from)
{
	struct dns_rr *rr = NULL;
	uint8_t *data = NULL;
	size_t i, total = 0;

	if (q->state != ANSWERS_ASKED)
		return -1;
	done(q, DNS_TEMPERROR);
	for (i = 0; i < from->nrr; i++)
		total += from->rr[i].len;
	if (from->nrr > 0 &&
	    ((rr = arena_array(a->arena, from->nrr, sizeof(*rr))) == NULL ||
		(data = arena_alloc(a->arena, total)) == NULL))
		return -1;
	for (i = 0; i < from->nrr; i++) {
		rr[i] = from->rr[i];
		rr[i].data = data;
		if (rr[i].len > 0)
			memcpy(data, from->rr[i].data, rr[i].len);
		data += rr[i].len;
	}
	q->answer = *from;
	q->answer.type = q->type;
	q->answer.rr = rr;
	return 0;
}

void
answers_expire(struct answers *a, enum dns_status status)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (a->all[i]->q.state != ANSWERS_DONE)
			done(&a->all[i]->q, status);
}

size_t
answers_missing(const struct answers *a)
{
	size_t i, n = 0;

	for (i = 0; i < a->n; i++)
		if (a->all[i]->q.wanted && a->all[i]->q.state != ANSWERS_DONE)
			n++;
	return n;
}

const struct answers_question *
answers_at(const struct answers *a, size_t i)
{
	return i < a->n ? &a->all[i]->q : NULL;
}

int
answers_has_addr(const struct dns_answer *a, const struct addr *client,
    uint8_t bits)
{
	struct cidr c = { .a.family = client->family, .len = bits };
	size_t i, n = client->family == 6 ? 16 : 4;

	for (i = 0; a->status == DNS_OK && i < a->nrr; i++) {
		if (a->rr[i].len != n)
			continue;
		memcpy(c.a.b, a->rr[i].data, n);
		if (cidr_match(&c, client))
			return 1;
	}
	return 0;
}

int
answers_confirm(struct answers *a, const char *name, size_t len,
    const struct addr *client)
{
	int v6 = client->family == 6;
	const struct dns_answer *got;

	got = answers_get(a, v6 ? DNS_T_AAAA : DNS_T_A, name, len);
	return got == NULL ? -1 : answers_has_addr(got, client, v6 ? 128 : 32);
}
