/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, policyd-spf, spfctl; pure. */

#ifndef UNPRIV_JUDGE_BYPASS_H
#define UNPRIV_JUDGE_BYPASS_H

#include <time.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/arena.h"
#include "unpriv/spf/answers.h"

/* The lists that let a client by, in spf-engine's order. */
enum list_id {
	LIST_SKIP_ADDRESSES = 0,
	LIST_WHITELIST,
	LIST_DOMAIN_WHITELIST,
	LIST_HELO_WHITELIST,
	LIST_DOMAIN_WHITELIST_PTR,
	LIST_MAX
};

enum list_match {
	LIST_NO = 0,
	LIST_YES,
	LIST_WAIT /* an answer is missing; it was noted */
};

struct list_query {
	const struct conf *conf;
	const struct addr *client; /* the address that is judged */
	const char *helo;	   /* "" when there is none */
	time_t now;
};

struct list {
	const char *name; /* the key */
	const char *text; /* of the header, up to "client-ip=" */
	enum list_match (*match)(const struct list_query *, struct answers *,
	    struct arena *);
};

extern const struct list lists[LIST_MAX];

#endif
