/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_BYPASS_H
#define UNPRIV_JUDGE_BYPASS_H

#include <time.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/arena.h"
#include "unpriv/spf/answers.h"

/* Clients that are exempt from the check: lists, in spf-engine's order. */
enum bypass_id {
	BYPASS_SKIP_ADDRESSES = 0,
	BYPASS_WHITELIST,
	BYPASS_DOMAIN_WHITELIST,
	BYPASS_HELO_WHITELIST,
	BYPASS_DOMAIN_WHITELIST_PTR,
	BYPASS_MAX
};

enum bypass_match {
	BYPASS_NO = 0,
	BYPASS_YES,
	BYPASS_WAIT /* an answer is missing; its question is in the table */
};

struct bypass_query {
	const struct conf *conf;
	const struct addr *client; /* the address that is checked */
	const char *helo;	   /* "": none */
	time_t now;
};

struct bypass_list {
	enum bypass_id id;
	const char *name; /* the configuration key */
	const char *text; /* of the header field, up to "client-ip=" */
	enum bypass_match (*match)(const struct bypass_query *,
	    struct answers *, struct arena *);
};

/* Indexed by enum bypass_id; the first that matches counts. */
extern const struct bypass_list bypass_lists[BYPASS_MAX];

#endif
