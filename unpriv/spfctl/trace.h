/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure. */

#ifndef UNPRIV_SPFCTL_TRACE_H
#define UNPRIV_SPFCTL_TRACE_H

#include <sys/queue.h>

#include "proto/arena.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spf/spf.h"

/*
 * The engine's trace, a list of steps, as a tree. A LEVEL is one check_host():
 * its children are the LOOKUP of its record and its TERMs. The children of a
 * TERM are its LOOKUPs, the LEVEL of an include or redirect, and an ERROR. A
 * REST holds the terms of the record that were not reached.
 */
enum trace_kind {
	TRACE_LEVEL = 1,
	TRACE_TERM,
	TRACE_LOOKUP,
	TRACE_ERROR,
	TRACE_REST
};

struct trace_node {
	TAILQ_ENTRY(trace_node) entry;
	TAILQ_HEAD(trace_nodes, trace_node) children;
	struct trace_node *parent;
	enum trace_kind kind;
	int depth;
	const struct spf_event *ev; /* LEVEL: its record's, or NULL */
	/* LEVEL */
	const char *domain;
	int closed;
	int has_result;
	enum spf_result result;
	/* LEVEL: the record as in DNS, or NULL; REST: a part of it */
	const char *text;
	size_t len;
	/* LOOKUP */
	const struct answers_question *q; /* or NULL */
	int is_void;
	int explains; /* for exp=, after the result */
};

/*
 * Returns the root LEVEL in the arena, or NULL if there is no trace or no
 * memory. Sets *cut to 1 if the trace is incomplete.
 */
struct trace_node *trace_build(const struct spf_verdict *, struct answers *,
    struct arena *, int *cut);

#endif
