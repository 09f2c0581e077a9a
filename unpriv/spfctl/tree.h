/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_TREE_H
#define UNPRIV_SPFCTL_TREE_H

#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/trace.h"

/* A tree of lines, drawn in Unicode or ASCII as the terminal allows. */
struct tree {
	const struct ctl *ctl;
	FILE *fp;
	char prefix[1024];
	size_t len;	/* of the prefix */
	size_t columns; /* its width */
};

void tree_init(struct tree *, const struct ctl *, FILE *);
/* Begins the line of a child. */
void tree_branch(struct tree *, int last);
/* Goes to the child's own children; pass the result to tree_pop(). */
size_t tree_push(struct tree *, int last);
void tree_pop(struct tree *, size_t);

/* Shows how a verdict came about. */
void tree_show(const struct ctl *, FILE *, const struct trace_node *,
    unsigned int void_limit);

#endif
