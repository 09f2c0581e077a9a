/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). Pure. */

#include <string.h>

#include "unpriv/spf/parse.h"
#include "unpriv/spfctl/trace.h"

struct builder {
	struct answers *answers;
	struct arena *arena;
	struct trace_node *root;
	struct trace_node *level; /* the innermost one that is open */
	unsigned int voids;	  /* at the last lookup */
	int cut;
};

static struct trace_node *
node_new(struct builder *b, struct trace_node *parent, enum trace_kind kind,
    const struct spf_event *ev)
{
	struct trace_node *n;

	if ((n = arena_alloc(b->arena, sizeof(*n))) == NULL)
		return NULL;
	TAILQ_INIT(&n->children);
	n->kind = kind;
	n->ev = ev;
	n->parent = parent;
	if (parent != NULL) {
		n->depth = parent->depth + 1;
		TAILQ_INSERT_TAIL(&parent->children, n, entry);
	}
	return n;
}

/* The last term of a level: following events belong to it. */
static struct trace_node *
last_term(struct trace_node *level)
{
	struct trace_node *n = TAILQ_LAST(&level->children, trace_nodes);

	return n != NULL && n->kind == TRACE_TERM ? n : NULL;
}

/* Closes the level and goes to the one above. */
static void
level_leave(struct builder *b)
{
	struct trace_node *in = b->level, *n = in->parent;

	while (n != NULL && n->kind != TRACE_LEVEL)
		n = n->parent;
	if (n == NULL)
		return;
	b->level = n;
	in->closed = 1;
}

/* Leaves or adds levels until b->level has the depth of ev. 0, or -1. */
static int
level_at(struct builder *b, const struct spf_event *ev)
{
	struct trace_node *parent, *n;
	int depth = 0;

	for (n = b->level; n != NULL; n = n->parent)
		if (n->kind == TRACE_LEVEL && n != b->root)
			depth++;
	for (; depth > ev->depth; depth--)
		level_leave(b);
	for (; depth < ev->depth || b->level == NULL; depth++) {
		parent = b->level;
		if (parent != NULL && last_term(parent) != NULL)
			parent = last_term(parent);
		if ((n = node_new(b, parent, TRACE_LEVEL, NULL)) == NULL)
			return -1;
		n->domain = ev->domain;
		if (b->root == NULL) {
			b->root = n;
			depth--;
		}
		b->level = n;
	}
	return 0;
}

static void
add_lookup(struct builder *b, const struct spf_event *ev)
{
	struct trace_node *n, *parent = last_term(b->level);
	size_t len = ev->domain == NULL ? 0 : strlen(ev->domain);

	if (parent == NULL || b->level->closed)
		parent = b->level;
	if ((n = node_new(b, parent, TRACE_LOOKUP, ev)) == NULL)
		return;
	n->is_void = ev->voids > b->voids;
	n->explains = b->level->closed;
	b->voids = ev->voids;
	if (len > 0)
		n->q = answers_find(b->answers, ev->type, ev->domain, len);
}

/* The trace has only the beginning of a long record: use the answer. */
static void
set_record(struct builder *b, const struct spf_event *ev)
{
	const struct answers_question *q;
	size_t i;

	b->level->ev = ev;
	b->level->text = ev->text;
	b->level->len = ev->text == NULL ? 0 : strlen(ev->text);
	if (ev->domain == NULL ||
	    (q = answers_find(b->answers, DNS_T_TXT, ev->domain,
		 strlen(ev->domain))) == NULL ||
	    q->state != ANSWERS_DONE)
		return;
	for (i = 0; i < q->answer.nrr; i++)
		if (spf_is_record((const char *)q->answer.rr[i].data,
			q->answer.rr[i].len)) {
			b->level->text = (const char *)q->answer.rr[i].data;
			b->level->len = q->answer.rr[i].len;
			return;
		}
}

static void
add_error(struct builder *b, const struct spf_event *ev)
{
	struct trace_node *parent;

	while (b->level->closed && b->level != b->root)
		level_leave(b);
	if ((parent = last_term(b->level)) == NULL)
		parent = b->level;
	(void)node_new(b, parent, TRACE_ERROR, ev);
}

/* Adds the mechanisms that were not reached. */
static void
add_rest(struct builder *b, struct trace_node *level)
{
	struct trace_node *term = last_term(level), *n;
	struct spf_scan sc;
	struct spf_syntax e;
	struct spf_term t;
	const char *from = NULL, *to = NULL;
	size_t after;
	int rv;

	if (term == NULL || level->text == NULL)
		return;
	after = term->ev->pos + term->ev->len;
	spf_scan_start(&sc, level->text, level->len);
	while ((rv = spf_scan_next(&sc, &t, &e)) == 1) {
		if (t.kind == SPF_T_EXP || t.kind == SPF_T_OTHER ||
		    (size_t)(t.text - level->text) < after ||
		    t.kind == SPF_T_REDIRECT)
			continue;
		if (from == NULL)
			from = t.text;
		to = t.text + t.len;
	}
	if (from == NULL || rv == -1 || term->ev->len == 0 ||
	    (n = node_new(b, level, TRACE_REST, NULL)) == NULL)
		return;
	n->text = from;
	n->len = (size_t)(to - from);
}

/*
 * Sets the results of levels that ended in a redirect (RFC 7208 6.1: that of
 * its target), and adds the terms that were not reached.
 */
static void
finish(struct builder *b, struct trace_node *n, enum spf_result result)
{
	struct trace_node *c, *in;

	if (n->kind == TRACE_LEVEL) {
		if (!n->has_result) {
			n->result = result;
			n->has_result = 1;
		}
		if (!b->cut)
			add_rest(b, n);
	}
	TAILQ_FOREACH(c, &n->children, entry) {
		if (c->kind != TRACE_TERM)
			continue;
		TAILQ_FOREACH(in, &c->children, entry)
			if (in->kind == TRACE_LEVEL)
				finish(b, in, n->result);
	}
}

struct trace_node *
trace_build(const struct spf_verdict *v, struct answers *answers,
    struct arena *arena, int *cut)
{
	const struct spf_event *ev;
	struct builder b;
	size_t n = 0;

	memset(&b, 0, sizeof(b));
	b.answers = answers;
	b.arena = arena;
	for (ev = v->trace; ev != NULL; ev = ev->next, n++) {
		if (ev->kind != SPF_EV_ERROR && level_at(&b, ev) == -1)
			return NULL;
		if (b.level == NULL)
			continue;
		switch (ev->kind) {
		case SPF_EV_RECORD:
			set_record(&b, ev);
			break;
		case SPF_EV_TERM:
			(void)node_new(&b, b.level, TRACE_TERM, ev);
			break;
		case SPF_EV_LOOKUP:
			add_lookup(&b, ev);
			break;
		case SPF_EV_RESULT:
			b.level->closed = 1;
			b.level->has_result = 1;
			b.level->result = ev->result;
			break;
		case SPF_EV_ERROR:
			add_error(&b, ev);
			break;
		}
	}
	*cut = b.cut = n == SPF_MAX_EVENTS;
	if (b.root != NULL)
		finish(&b, b.root, v->result);
	return arena_failed(arena) ? NULL : b.root;
}
