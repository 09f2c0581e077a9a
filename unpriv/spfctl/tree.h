/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_TREE_H
#define UNPRIV_SPFCTL_TREE_H

#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/trace.h"

/* Lines of a tree as a terminal can show them, or plain ASCII. */
struct ctl_tree {
	const struct ctl *ctl;
	FILE *fp;
	char prefix[1024];
	size_t len;	/* of the prefix */
	size_t columns; /* that it takes */
};

void ctl_tree_init(struct ctl_tree *, const struct ctl *, FILE *);
/* The begin of a child's line. */
void ctl_tree_branch(struct ctl_tree *, int last);
/* Its own children follow; undo with what was returned. */
size_t ctl_tree_push(struct ctl_tree *, int last);
void ctl_tree_pop(struct ctl_tree *, size_t);

/* How a verdict came, as text. */
void ctl_tree_trace(const struct ctl *, FILE *, const struct ctl_node *,
    unsigned int void_limit);

/* ---- ctl_dot.c: the same as a graph for dot(1) ---- */
void ctl_dot_begin(FILE *);
void ctl_dot_identity(const struct ctl *, FILE *, const char *name,
    const struct spf_verdict *, const struct ctl_node *);
void ctl_dot_end(FILE *);

#endif
