/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_TREE_H
#define UNPRIV_SPFCTL_TREE_H

#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/trace.h"

/* A tree of lines on stdout, drawn in Unicode or ASCII by the locale. */
struct tree {
	const struct spfctl *ctl;
	char prefix[1024];
	size_t len;	/* of the prefix */
	size_t columns; /* its width */
};

void tree_init(struct tree *, const struct spfctl *);
/* Begins the line of a child. */
void tree_branch(struct tree *, int last);
/* Indents for the child's own children. Returns what tree_pop() takes. */
size_t tree_push(struct tree *, int last);
void tree_pop(struct tree *, size_t);

/* Prints the trace of a verdict. */
void tree_show(const struct spfctl *, const struct trace_node *);

#endif
