/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure. */

#ifndef UNPRIV_SPFCTL_TRACE_H
#define UNPRIV_SPFCTL_TRACE_H

#include <sys/queue.h>

#include "proto/arena.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spf/spf.h"

/*
 * The engine's trace, which is a list of steps, as a tree. A LEVEL is one
 * check_host(): its children are the LOOKUP of its record and its TERMs; a
 * TERM's children are its LOOKUPs, the LEVEL of an include or redirect and an
 * ERROR. What only the record says comes as REST: terms that were not reached.
 */
enum ctl_node_kind {
	CTL_N_LEVEL = 1,
	CTL_N_TERM,
	CTL_N_LOOKUP,
	CTL_N_ERROR,
	CTL_N_REST
};

struct ctl_node {
	TAILQ_ENTRY(ctl_node) entry;
	TAILQ_HEAD(ctl_nodes, ctl_node) children;
	struct ctl_node *parent;
	enum ctl_node_kind kind;
	int depth;
	const struct spf_event *ev; /* LEVEL: its record's, or NULL */
	/* LEVEL */
	const char *domain;
	int closed;
	int has_result;
	enum spf_result result;
	/* LEVEL: the record as it is in DNS, or NULL; REST: a part of it */
	const char *text;
	size_t len;
	/* LOOKUP */
	const struct question *q; /* or NULL */
	int is_void;
	int explains; /* for exp=, after the result */
};

#define CTL_TRACE_MAX 400 /* events that the engine makes at most */

/*
 * The root LEVEL, or NULL when there is no trace or no memory. *cut says
 * that the engine stopped tracing. Nodes live in the arena.
 */
struct ctl_node *ctl_trace_tree(const struct spf_verdict *, struct answers *,
    struct arena *, int *cut);

#endif
