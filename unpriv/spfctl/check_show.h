/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_CHECK_SHOW_H
#define UNPRIV_SPFCTL_CHECK_SHOW_H

#include "proto/shadowmsg.h"
#include "unpriv/judge/judge.h"
#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/trace.h"

/* The results of spfctl check for one identity. */
struct check_identity {
	enum judge_id id;
	char *value;	    /* as given */
	const char *domain; /* that is checked; empty: none */
	int judged;	    /* the daemon checks it, too */
	int done;	    /* verdict is filled in */
	struct spf_verdict verdict;
	struct trace_node *tree; /* how the verdict came; NULL: no trace */
	int cut;		 /* the tree lacks steps */
	int asked;		 /* libspf2 was asked */
	int answered;		 /* opinion is filled in */
	struct shadow_opinion opinion;
};

/* All that spfctl check found. */
struct check_report {
	struct spfctl *ctl;
	struct judge_request req;
	struct judge_outcome out;
	struct answers *answers;
	struct arena *arena, *trees;
	struct check_identity helo, mailfrom;
	long usec;	  /* that the check took */
	size_t questions; /* that it asked */
};

/* These print the report on stdout. */
void check_show_text(const struct check_report *);
void check_show_json(const struct check_report *);
/* A graph for dot(1). */
void check_show_dot(const struct check_report *);

#endif
