/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#include <string.h>

#include "unpriv/spf/eval.h"
#include "unpriv/spf/expand.h"

/* A term and its target name; ok is 0 when DNS cannot be asked for it. */
struct target {
	const struct spf_term *t;
	char name[DNAME_MAX + 1];
	size_t len;
	int ok;
};

/* The outcome of include, by the included record's result (RFC 7208 5.2). */
static const enum spf_step include_step[SPF_RESULT_MAX + 1] = {
	[SPF_RESULT_NONE] = SPF_ERROR,
	[SPF_RESULT_NEUTRAL] = SPF_NO,
	[SPF_RESULT_PASS] = SPF_YES,
	[SPF_RESULT_FAIL] = SPF_NO,
	[SPF_RESULT_SOFTFAIL] = SPF_NO,
	[SPF_RESULT_TEMPERROR] = SPF_ERROR,
	[SPF_RESULT_PERMERROR] = SPF_ERROR,
	[SPF_RESULT_MAX] = SPF_UNKNOWN,
};

/* RFC 7208 5.2 */
static enum spf_step
mech_include(struct spf_state *st, struct spf_level *lv,
    const struct target *tg)
{
	struct spf_level in;
	enum spf_result result = SPF_RESULT_NONE;

	/* RFC 8616 4 */
	if (!tg->ok && !st->local_ascii && tg->t->spec != NULL &&
	    spf_macro_local(tg->t->spec, tg->t->speclen))
		return SPF_NO;
	/*
	 * A record that includes itself would only reach the limit of terms:
	 * the terms before the include do not match the second time either.
	 */
	if (dname_equal(tg->name, tg->len, lv->domain, lv->dlen))
		return spf_permerror(st,
		    "include has trivial recursion: ", tg->t->text, tg->t->len);
	if (tg->ok) {
		memset(&in, 0, sizeof(in));
		memcpy(in.domain, tg->name, tg->len + 1);
		in.dlen = tg->len;
		in.depth = lv->depth + 1;
		result = spf_check_host(st, &in);
	}
	if (result == SPF_RESULT_NONE)
		return spf_error(st, SPF_RESULT_PERMERROR,
		    "No valid SPF record for included domain: ", tg->name,
		    tg->len, tg->t->text, tg->t->len);
	return include_step[result];
}

/* RFC 7208 5.3 */
static enum spf_step
mech_a(struct spf_state *st, struct spf_level *lv, const struct target *tg)
{
	return spf_has_client(st, lv, tg->name, tg->len, 1, tg->t->len4,
	    tg->t->len6);
}

/* RFC 7208 5.4, 4.6.4. Skips the null MX (RFC 7505) and invalid names. */
static enum spf_step
mech_mx(struct spf_state *st, struct spf_level *lv, const struct target *tg)
{
	const struct dns_answer *mx;
	const char *s;
	enum spf_step rv, all = SPF_NO;
	size_t i, len;

	if ((rv = spf_lookup(st, lv, DNS_T_MX, tg->name, tg->len, 1, &mx)) !=
	    SPF_YES)
		return rv;
	if (mx->status != DNS_OK)
		return SPF_NO;
	if (mx->nrr > SPF_MAX_MX)
		return spf_permerror(st, "More than 10 MX records returned",
		    NULL, 0);
	for (i = 0; i < mx->nrr; i++) {
		s = (const char *)mx->rr[i].data;
		len = mx->rr[i].len;
		if (!dname_valid(s, len) || s[0] == '\0')
			continue;
		rv =
		    spf_has_client(st, lv, s, len, 1, tg->t->len4, tg->t->len6);
		if (rv == SPF_ERROR || st->stop)
			return rv;
		if (rv == SPF_UNKNOWN)
			all = rv;
		else if (rv == SPF_YES && all == SPF_NO)
			return rv;
	}
	return all;
}

/* RFC 7208 5.5 */
static enum spf_step
mech_ptr(struct spf_state *st, struct spf_level *lv, const struct target *tg)
{
	struct spf_names names;
	enum spf_step rv;
	size_t i;

	if ((rv = spf_client_names(st, lv, &names)) != SPF_YES)
		return rv;
	for (i = 0; i < names.n; i++)
		if (dname_is_below(names.name[i].s, names.name[i].len, tg->name,
			tg->len))
			return SPF_YES;
	return SPF_NO;
}

/* RFC 7208 5.7: asks for A also when the client's address is IPv6. */
static enum spf_step
mech_exists(struct spf_state *st, struct spf_level *lv, const struct target *tg)
{
	const struct dns_answer *a;
	enum spf_step rv;

	if ((rv = spf_lookup(st, lv, DNS_T_A, tg->name, tg->len, 1, &a)) !=
	    SPF_YES)
		return rv;
	return a->status == DNS_OK && a->nrr > 0 ? SPF_YES : SPF_NO;
}

typedef enum spf_step (
    *mech_fn)(struct spf_state *, struct spf_level *, const struct target *);

/* The mechanisms that need a lookup, and so count as terms (RFC 7208 4.6.4). */
static const mech_fn mech_lookup[SPF_T_MECHANISMS] = {
	[SPF_T_INCLUDE] = mech_include,
	[SPF_T_A] = mech_a,
	[SPF_T_MX] = mech_mx,
	[SPF_T_PTR] = mech_ptr,
	[SPF_T_EXISTS] = mech_exists,
};

enum spf_step
spf_mechanism(struct spf_state *st, struct spf_level *lv,
    const struct spf_term *t)
{
	struct target tg;
	enum spf_step rv;

	if (t->kind == SPF_T_ALL)
		return SPF_YES;
	if (t->kind == SPF_T_IP4 || t->kind == SPF_T_IP6)
		return cidr_match(&t->net, &st->client) ? SPF_YES : SPF_NO;
	if ((rv = spf_count_term(st)) != SPF_YES)
		return rv;
	rv = spf_target(st, lv, t, tg.name, &tg.len);
	if (rv == SPF_UNKNOWN || rv == SPF_ERROR)
		return rv;
	tg.t = t;
	tg.ok = rv == SPF_YES;
	/* RFC 7208 4.8; for include a missing record is an error. */
	if (!tg.ok && t->kind != SPF_T_INCLUDE)
		return SPF_NO;
	return mech_lookup[t->kind](st, lv, &tg);
}
