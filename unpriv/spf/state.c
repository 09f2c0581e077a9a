/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spf/state.h"

/* A trace must not exhaust the arena and so change the verdict. */
#define TRACE_TEXT 512

static const char *const error_prefix[SPF_RESULT_MAX] = {
	[SPF_RESULT_TEMPERROR] = "SPF Temporary Error: ",
	[SPF_RESULT_PERMERROR] = "SPF Permanent Error: ",
};

int
spf_state_init(struct spf_state *st, const struct spf_request *req,
    struct answers *answers, struct arena *arena)
{
	char helo[DNAME_MAX + 1];
	int n;

	memset(st, 0, sizeof(*st));
	st->req = req;
	st->answers = answers;
	st->arena = arena;
	addr_unmap(&st->client, &req->client);
	st->atype = st->client.family == 6 ? DNS_T_AAAA : DNS_T_A;
	/* RFC 7208 4.3 */
	st->local = req->local;
	if (st->local == NULL || st->local[0] == '\0')
		st->local = "postmaster";
	st->local_ascii = ascii_only(st->local, strlen(st->local));
	if ((n = dname_to_ascii(req->domain, strlen(req->domain), st->domain,
		 sizeof(st->domain))) == -1)
		return -1;
	st->dlen = (size_t)n;
	st->sender = arena_printf(arena, "%s@%s", st->local, st->domain);
	st->helo = req->helo;
	if (req->helo == NULL || req->helo[0] == '\0')
		st->helo = st->domain;
	else if (dname_to_ascii(req->helo, strlen(req->helo), helo,
		     sizeof(helo)) != -1 &&
	    strcmp(helo, req->helo) != 0)
		st->helo = arena_strdup(arena, helo);
	return st->sender == NULL || st->helo == NULL ? -1 : 0;
}

const char *
spf_strndup(struct spf_state *st, const char *s, size_t len)
{
	char *p = arena_strndup(st->arena, s, len);
	size_t i;

	for (i = 0; p != NULL && i < len; i++)
		if (p[i] == '\0')
			p[i] = '?';
	return p;
}

struct spf_event *
spf_trace(struct spf_state *st, enum spf_event_kind kind,
    const struct spf_level *lv, const char *domain, size_t dlen,
    const char *text, size_t len)
{
	struct spf_event *ev;

	if (!st->req->want_trace || st->waiting ||
	    st->nevents == SPF_MAX_EVENTS ||
	    (ev = arena_alloc(st->arena, sizeof(*ev))) == NULL)
		return NULL;
	st->nevents++;
	ev->kind = kind;
	ev->lookups = st->lookups;
	ev->voids = st->voids;
	if (lv != NULL) {
		ev->depth = lv->depth;
		if (domain == NULL) {
			domain = lv->domain;
			dlen = lv->dlen;
		}
	}
	if (domain != NULL)
		ev->domain = arena_strndup(st->arena, domain, dlen);
	if (text != NULL)
		ev->text =
		    spf_strndup(st, text, len > TRACE_TEXT ? TRACE_TEXT : len);
	if (st->last == NULL)
		st->trace = ev;
	else
		st->last->next = ev;
	st->last = ev;
	return ev;
}

/* A reason is a C string: replace NUL. Its users escape the rest. */
static void
reason_add(char *buf, size_t *n, size_t size, const char *s, size_t len)
{
	size_t i;

	if (len > SPF_REASON_ARG)
		len = SPF_REASON_ARG;
	for (i = 0; i < len && *n < size - 1; i++)
		buf[(*n)++] = s[i] == '\0' ? '?' : s[i];
	buf[*n] = '\0';
}

/* RFC 7208 2.6.6, 2.6.7: errors end the evaluation at every level. */
enum spf_step
spf_error(struct spf_state *st, enum spf_result result, const char *what,
    const char *arg, size_t len, const char *arg2, size_t len2)
{
	char buf[3 * SPF_REASON_ARG];
	const char *prefix = error_prefix[result];
	struct spf_event *ev;
	size_t n = 0;

	if (st->waiting) {
		st->stop = 1;
		return SPF_UNKNOWN;
	}
	reason_add(buf, &n, sizeof(buf), prefix, strlen(prefix));
	reason_add(buf, &n, sizeof(buf), what, strlen(what));
	if (arg != NULL)
		reason_add(buf, &n, sizeof(buf), arg, len);
	if (arg2 != NULL) {
		reason_add(buf, &n, sizeof(buf), ": ", 2);
		reason_add(buf, &n, sizeof(buf), arg2, len2);
	}
	st->error = result;
	st->reason = arena_strndup(st->arena, buf, n);
	if ((ev = spf_trace(st, SPF_EV_ERROR, NULL, NULL, 0, buf, n)) != NULL)
		ev->result = result;
	return SPF_ERROR;
}

enum spf_step
spf_permerror(struct spf_state *st, const char *what, const char *arg,
    size_t len)
{
	return spf_error(st, SPF_RESULT_PERMERROR, what, arg, len, NULL, 0);
}

enum spf_step
spf_count_term(struct spf_state *st)
{
	if (st->lookups == SPF_MAX_TERMS)
		return spf_permerror(st, "Too many DNS lookups", NULL, 0);
	st->lookups++;
	return SPF_YES;
}

/* Returns an answer, or NULL when it is missing: then notes the question. */
static const struct dns_answer *
lookup_answer(struct spf_state *st, uint16_t type, const char *name, size_t len)
{
	const struct dns_answer *a;
	const struct answers_question *q;

	if (!st->waiting) {
		if ((a = answers_get(st->answers, type, name, len)) == NULL)
			st->waiting = 1;
		return a;
	}
	q = answers_find(st->answers, type, name, len);
	if (q != NULL && q->state == ANSWERS_DONE)
		return &q->answer;
	answers_hint(st->answers, type, name, len);
	return NULL;
}

/*
 * Void_Family = any: the type to ask for when there is no address of this type,
 * or 0. must is 0 for the names of ptr and %{p}, which always count.
 */
static uint16_t
other_family(const struct spf_state *st, uint16_t type, int must)
{
	if (!st->req->void_any || !must)
		return 0;
	return type == DNS_T_A ? DNS_T_AAAA : type == DNS_T_AAAA ? DNS_T_A : 0;
}

/*
 * RFC 7208 4.6.4: each NXDOMAIN or empty answer to a term's question is a void
 * lookup, each time the term is evaluated. The address lookups for the names of
 * mx, ptr and %{p} count; the lookups of the first record and of exp= do not.
 * The answer for the other family decides nothing else: if that lookup fails,
 * it is no error, and the empty answer does not count.
 */
enum spf_step
spf_lookup(struct spf_state *st, const struct spf_level *lv, uint16_t type,
    const char *name, size_t len, int must, const struct dns_answer **out)
{
	const struct dns_answer *a, *decides;
	uint16_t other = other_family(st, type, must);
	struct spf_event *ev;
	char text[64];

	*out = NULL;
	if ((a = decides = lookup_answer(st, type, name, len)) == NULL)
		return SPF_UNKNOWN;
	ev = spf_trace(st, SPF_EV_LOOKUP, lv, name, len, NULL, 0);
	if (ev != NULL)
		ev->type = type;
	if (a->status == DNS_NODATA && other != 0) {
		decides = lookup_answer(st, other, name, len);
		ev = spf_trace(st, SPF_EV_LOOKUP, lv, name, len, NULL, 0);
		if (ev != NULL) {
			ev->type = other;
			ev->other_family = 1;
		}
	}
	if (decides != NULL && !st->uncounted &&
	    (decides->status == DNS_NXDOMAIN || decides->status == DNS_NODATA))
		st->voids++;
	if (ev != NULL)
		ev->voids = st->voids;
	if (st->voids > st->req->void_limit) {
		snprintf(text, sizeof(text), "Void lookup limit of %u exceeded",
		    st->req->void_limit);
		return spf_permerror(st, text, NULL, 0);
	}
	if (must && (a->status == DNS_TIMEOUT || a->status == DNS_TEMPERROR))
		return spf_error(st, SPF_RESULT_TEMPERROR,
		    a->status == DNS_TIMEOUT ? "DNS Timeout" :
					       "DNS Error: server failure",
		    NULL, 0, NULL, 0);
	*out = a;
	return SPF_YES;
}

enum spf_step
spf_has_client(struct spf_state *st, const struct spf_level *lv,
    const char *name, size_t len, int must, uint8_t len4, uint8_t len6)
{
	const struct dns_answer *a;
	enum spf_step rv;

	rv = spf_lookup(st, lv, st->atype, name, len, must, &a);
	if (rv == SPF_YES &&
	    !answers_has_addr(a, &st->client,
		st->client.family == 6 ? len6 : len4))
		rv = SPF_NO;
	return rv;
}

/*
 * RFC 7208 5.5: look up the first ten names and skip those whose lookup
 * fails. When the PTR lookup fails there are no names.
 */
enum spf_step
spf_client_names(struct spf_state *st, const struct spf_level *lv,
    struct spf_names *names)
{
	const struct dns_answer *ptr;
	const char *s;
	char arpa[74];
	enum spf_step rv, all = SPF_YES;
	size_t i, len;

	names->n = 0;
	addr_ptrname(&st->client, arpa, sizeof(arpa));
	if ((rv = spf_lookup(st, lv, DNS_T_PTR, arpa, strlen(arpa), 0, &ptr)) !=
		SPF_YES ||
	    ptr->status != DNS_OK)
		return rv;
	for (i = 0; i < ptr->nrr && i < SPF_MAX_PTR; i++) {
		s = (const char *)ptr->rr[i].data;
		len = ptr->rr[i].len;
		if (!dname_valid(s, len) || s[0] == '\0')
			continue;
		rv = spf_has_client(st, lv, s, len, 0, 32, 128);
		if (rv == SPF_ERROR)
			return rv;
		if (rv == SPF_UNKNOWN)
			all = rv;
		else if (rv == SPF_YES) {
			names->name[names->n].s = s;
			names->name[names->n++].len = len;
		}
	}
	return all;
}
