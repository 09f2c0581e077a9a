/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "proto/dname.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/spf/spf.h"

static enum bypass_match
nets_match(const struct conf_nets *nets, const struct addr *client)
{
	size_t i;

	for (i = 0; i < nets->n; i++)
		if (cidr_match(&nets->v[i], client))
			return BYPASS_YES;
	return BYPASS_NO;
}

static enum bypass_match
skip_match(const struct bypass_query *q, struct answers *answers,
    struct arena *a)
{
	return nets_match(&q->conf->skip_addresses, q->client);
}

static enum bypass_match
whitelist_match(const struct bypass_query *q, struct answers *answers,
    struct arena *a)
{
	return nets_match(&q->conf->whitelist, q->client);
}

/*
 * Evaluates every entry even when an earlier one waits, so that all missing
 * answers are asked for in one round.
 */
static enum bypass_match
domain_match(const struct bypass_query *q, struct answers *answers,
    struct arena *a)
{
	const struct conf_strs *list = &q->conf->domain_whitelist;
	enum bypass_match m = BYPASS_NO;
	struct spf_request req = { .client = *q->client,
		.now = q->now,
		.void_limit = (unsigned int)q->conf->void_limit,
		.void_any = q->conf->void_family == CONF_VOID_ANY };
	struct spf_verdict v;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i][0] == '\0')
			continue;
		req.helo = req.domain = list->v[i];
		if (spf_check(&req, answers, a, &v) == SPF_WAIT)
			m = BYPASS_WAIT;
		else if (v.result == SPF_RESULT_PASS)
			return BYPASS_YES;
	}
	return m;
}

/* BYPASS_YES when the name has the client's address. */
static enum bypass_match
host_match(const char *name, size_t len, const struct addr *client,
    struct answers *answers)
{
	int rv;

	if (!dname_valid(name, len))
		return BYPASS_NO;
	rv = answers_confirm(answers, name, len, client);
	return rv == -1 ? BYPASS_WAIT : rv == 1 ? BYPASS_YES : BYPASS_NO;
}

/*
 * As in spf-engine, the HELO name is lower-cased before the comparison and the
 * entry is not, and an IPv4-mapped client needs an AAAA record.
 */
static enum bypass_match
helo_match(const struct bypass_query *q, struct answers *answers,
    struct arena *a)
{
	const struct conf_strs *list = &q->conf->helo_whitelist;
	char helo[DNAME_MAX + 1];
	size_t i, len = strlen(q->helo);

	if (list->n == 0 || len == 0 || len > DNAME_MAX)
		return BYPASS_NO;
	memcpy(helo, q->helo, len + 1);
	dname_lower(helo, len);
	for (i = 0; i < list->n; i++)
		if (strcmp(list->v[i], helo) == 0)
			return host_match(helo, len, q->client, answers);
	return BYPASS_NO;
}

/*
 * COMPAT "ptr-confirmed": an entry matches its name and the names below it, or
 * only the latter when it begins with a dot (spf-engine compares suffixes).
 */
static int
ptr_listed(const struct conf_strs *list, const char *name, size_t len)
{
	const char *entry;
	size_t i, n;
	int below;

	for (i = 0; i < list->n; i++) {
		entry = list->v[i];
		below = *entry == '.';
		entry += below;
		n = dname_undot(entry, strlen(entry));
		if (n > 0 && dname_is_below(name, len, entry, n) &&
		    (!below || len > n))
			return 1;
	}
	return 0;
}

/* RFC 7208 5.5, for the PTR names that an entry covers. */
static enum bypass_match
ptr_match(const struct bypass_query *q, struct answers *answers,
    struct arena *a)
{
	const struct conf_strs *list = &q->conf->domain_whitelist_ptr;
	enum bypass_match m = BYPASS_NO, one;
	const struct dns_answer *ans;
	const char *name;
	struct addr client;
	unsigned int i;
	char ptr[80];

	if (list->n == 0)
		return BYPASS_NO;
	addr_unmap(&client, q->client);
	addr_ptrname(&client, ptr, sizeof(ptr));
	ans = answers_get(answers, DNS_T_PTR, ptr, strlen(ptr));
	if (ans == NULL)
		return BYPASS_WAIT;
	if (ans->status != DNS_OK)
		return BYPASS_NO;
	for (i = 0; i < ans->nrr && i < SPF_MAX_PTR; i++) {
		name = (const char *)ans->rr[i].data;
		if (!ptr_listed(list, name, ans->rr[i].len))
			continue;
		one = host_match(name, ans->rr[i].len, &client, answers);
		if (one == BYPASS_YES)
			return BYPASS_YES;
		if (one == BYPASS_WAIT)
			m = BYPASS_WAIT;
	}
	return m;
}

/* clang-format off */
#define ROW(id, name, text, match) [id] = { id, name, text, match }
const struct bypass_list bypass_lists[BYPASS_MAX] = {
	ROW(BYPASS_SKIP_ADDRESSES, "skip_addresses",
	    "SPF check N/A for local connections - ", skip_match),
	ROW(BYPASS_WHITELIST, "Whitelist",
	    "SPF skipped for whitelisted relay - ", whitelist_match),
	ROW(BYPASS_DOMAIN_WHITELIST, "Domain_Whitelist",
	    "SPF skipped for whitelisted relay domain - ", domain_match),
	ROW(BYPASS_HELO_WHITELIST, "HELO_Whitelist",
	    "SPF skipped for whitelisted HELO domain - ", helo_match),
	ROW(BYPASS_DOMAIN_WHITELIST_PTR, "Domain_Whitelist_PTR",
	    "SPF skipped for PTR whitelisted relay domain - ", ptr_match)
};
/* clang-format on */
