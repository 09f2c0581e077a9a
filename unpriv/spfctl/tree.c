/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdio.h>
#include <string.h>

#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/tree.h"

#define RECORD_SHOWN 2000 /* octets of a record */
#define TEXT_SHOWN   60	  /* octets of other data */
#define RRS_SHOWN    4	  /* records of one answer */
#define WIDTH_MIN    40	  /* columns; do not break lines below it */
#define DEPTH_SHOWN  100

static const struct glyphs {
	const char *mid, *end, *bar, *blank;
} glyphs[] = {
	{ "|-- ", "`-- ", "|   ", "    " },
	{ "\342\224\234\342\224\200 ", "\342\224\224\342\224\200 ",
	    "\342\224\202  ", "   " },
};

static void show_children(struct tree *, const struct trace_node *,
    unsigned int, unsigned int);

void
tree_init(struct tree *t, const struct ctl *ctl, FILE *fp)
{
	memset(t, 0, sizeof(*t));
	t->ctl = ctl;
	t->fp = fp;
}

void
tree_branch(struct tree *t, int last)
{
	const struct glyphs *g = &glyphs[t->ctl->unicode != 0];

	ctl_set_color(t->ctl, t->fp, CTL_C_DIM);
	fputs(t->prefix, t->fp);
	fputs(last ? g->end : g->mid, t->fp);
	ctl_set_color(t->ctl, t->fp, CTL_C_NONE);
}

size_t
tree_push(struct tree *t, int last)
{
	const struct glyphs *g = &glyphs[t->ctl->unicode != 0];
	size_t old = t->len;

	t->len += strlcpy(t->prefix + t->len, last ? g->blank : g->bar,
	    sizeof(t->prefix) - t->len);
	if (t->len >= sizeof(t->prefix))
		t->len = sizeof(t->prefix) - 1;
	t->columns += strlen(g->blank);
	return old;
}

void
tree_pop(struct tree *t, size_t old)
{
	t->len = old;
	t->prefix[old] = '\0';
	t->columns -= strlen(glyphs[t->ctl->unicode != 0].blank);
}

static void
colored(struct tree *t, enum ctl_color c, const char *text)
{
	ctl_set_color(t->ctl, t->fp, c);
	ctl_puts(t->fp, text);
	ctl_set_color(t->ctl, t->fp, CTL_C_NONE);
}

static void
result_is(struct tree *t, enum spf_result r)
{
	colored(t, ctl_result_color(r), spf_result_name[r]);
}

/* Shows the data of an answer in one line. */
static void
show_rrs(struct tree *t, const struct answers_question *q)
{
	const struct dns_answer *a = &q->answer;
	char buf[300];
	const char *s;
	size_t len, i;

	for (i = 0; i < a->nrr && i < RRS_SHOWN; i++) {
		fputs(i == 0 ? " " : ", ", t->fp);
		s = ctl_rr_text(q->type, &a->rr[i], buf, &len);
		if (q->type == DNS_T_TXT) {
			fputc('"', t->fp);
			ctl_put_short(t->fp, s, len, TEXT_SHOWN);
			fputc('"', t->fp);
		} else
			ctl_put(t->fp, s, len);
	}
	if (a->nrr > RRS_SHOWN)
		fprintf(t->fp, " and %d more", a->nrr - RRS_SHOWN);
}

/* "A mx.example.test: 192.0.2.1; dns, 12.3 ms, TTL 300" */
static void
show_lookup(struct tree *t, const struct trace_node *n, unsigned int limit)
{
	const struct dns_answer *a;
	const char *source;
	FILE *fp = t->fp;

	ctl_set_color(t->ctl, fp, CTL_C_DIM);
	fprintf(fp, "%s%s ", n->explains ? "exp= " : "",
	    dns_type_name(n->ev->type));
	ctl_puts(fp, n->ev->domain);
	fputc(':', fp);
	if (n->q == NULL || n->q->state != ANSWERS_DONE) {
		fputs(" not asked\n", fp);
		ctl_set_color(t->ctl, fp, CTL_C_NONE);
		return;
	}
	a = &n->q->answer;
	if (a->status != DNS_OK)
		fprintf(fp, " %s",
		    a->status < DNS_STATUS_MAX ? dns_status_name[a->status] :
						 "?");
	else if (n->parent->kind == TRACE_LEVEL && !n->explains)
		fprintf(fp, " %d record%s", a->nrr, a->nrr == 1 ? "" : "s");
	else
		show_rrs(t, n->q);
	source = ctl_ask_source(t->ctl, n->q);
	fprintf(fp, "; %s", source);
	if (strcmp(source, "zone") != 0)
		fprintf(fp, ", %u.%u ms", a->usec / 1000, a->usec % 1000 / 100);
	if (a->ttl > 0)
		fprintf(fp, ", TTL %u", a->ttl);
	if (a->secure)
		fputs(", DNSSEC", fp);
	ctl_set_color(t->ctl, fp, CTL_C_NONE);
	if (n->is_void) {
		ctl_set_color(t->ctl, fp, CTL_C_WARN);
		fprintf(fp, ", void %u/%u", n->ev->voids, limit);
		ctl_set_color(t->ctl, fp, CTL_C_NONE);
	}
	fputc('\n', fp);
}

/*
 * Shows a record. On a terminal its lines break between terms and are indented.
 * used is the number of columns before it in the line.
 */
static void
show_record(struct tree *t, const struct trace_node *n, size_t used)
{
	size_t width = t->ctl->width, col = used, i, w, indent;
	const char *s = n->text;
	size_t len = n->len < RECORD_SHOWN ? n->len : RECORD_SHOWN;

	indent = t->columns + 2;
	if (width < WIDTH_MIN || indent + 20 > width)
		width = 0;
	for (i = 0; i < len; i += w) {
		for (w = 1; i + w < len && s[i + w] != ' '; w++)
			;
		if (width > 0 && i > 0 && col + w > width) {
			fprintf(t->fp, "\n%s  ", t->prefix);
			col = indent;
			if (s[i] == ' ') {
				i++;
				w--;
			}
		}
		ctl_put(t->fp, s + i, w);
		col += w;
	}
	if (n->len > len)
		fprintf(t->fp, "... (%zu octets)", n->len);
}

static void
show_term(struct tree *t, const struct trace_node *n, unsigned int limit,
    unsigned int before)
{
	const struct spf_event *ev = n->ev;
	int redirect = ev->matched &&
	    strncasecmp(ev->text == NULL ? "" : ev->text, "redirect=", 9) == 0;

	ctl_set_color(t->ctl, t->fp, ev->matched ? CTL_C_BOLD : CTL_C_NONE);
	ctl_puts(t->fp, ev->text);
	ctl_set_color(t->ctl, t->fp, CTL_C_NONE);
	if (redirect)
		fputs("  followed", t->fp);
	else if (ev->matched) {
		fputs("  matches: ", t->fp);
		result_is(t, ev->result);
	} else if (TAILQ_LAST(&n->children, trace_nodes) == NULL ||
	    TAILQ_LAST(&n->children, trace_nodes)->kind != TRACE_ERROR)
		fputs("  no match", t->fp);
	if (ev->lookups > before) {
		ctl_set_color(t->ctl, t->fp, CTL_C_DIM);
		fprintf(t->fp, "  (lookups %u/%d)", ev->lookups, SPF_MAX_TERMS);
		ctl_set_color(t->ctl, t->fp, CTL_C_NONE);
	}
	fputc('\n', t->fp);
}

/* The line of a level: domain, result and record. */
static void
level_line(struct tree *t, const struct trace_node *n)
{
	const char *domain = n->domain == NULL ? "" : n->domain;

	colored(t, CTL_C_BOLD, domain);
	fputs("  ", t->fp);
	result_is(t, n->result);
	if (n->text != NULL) {
		fputs("  ", t->fp);
		show_record(t, n,
		    t->columns + strlen(domain) + 4 +
			strlen(spf_result_name[n->result]));
	} else
		fputs("  no record", t->fp);
	fputc('\n', t->fp);
}

/* prev: the lookups counted before the node. */
static void
show_node(struct tree *t, const struct trace_node *n, unsigned int limit,
    unsigned int prev)
{
	switch (n->kind) {
	case TRACE_LOOKUP:
		show_lookup(t, n, limit);
		break;
	case TRACE_TERM:
		show_term(t, n, limit, prev);
		break;
	case TRACE_ERROR:
		colored(t, CTL_C_BAD, n->ev->text);
		fputc('\n', t->fp);
		break;
	case TRACE_REST:
		ctl_set_color(t->ctl, t->fp, CTL_C_DIM);
		fputs("not reached: ", t->fp);
		ctl_put_short(t->fp, n->text, n->len, TEXT_SHOWN * 4);
		ctl_set_color(t->ctl, t->fp, CTL_C_NONE);
		fputc('\n', t->fp);
		break;
	case TRACE_LEVEL:
		level_line(t, n);
		break;
	}
}

/* base: the lookups counted before the first child. */
static void
show_children(struct tree *t, const struct trace_node *n, unsigned int limit,
    unsigned int base)
{
	const struct trace_node *c;
	size_t old;
	int last;

	if (n->depth > DEPTH_SHOWN)
		return;
	TAILQ_FOREACH(c, &n->children, entry) {
		last = TAILQ_NEXT(c, entry) == NULL;
		tree_branch(t, last);
		old = tree_push(t, last);
		show_node(t, c, limit, base);
		/* Below an include: the lookups beside its own. */
		show_children(t, c, limit,
		    c->kind == TRACE_TERM ? base + 1 : base);
		if (c->kind == TRACE_TERM)
			base = c->ev->lookups;
		tree_pop(t, old);
	}
}

void
tree_show(const struct ctl *ctl, FILE *fp, const struct trace_node *root,
    unsigned int void_limit)
{
	struct tree t;

	tree_init(&t, ctl, fp);
	level_line(&t, root);
	show_children(&t, root, void_limit, 0);
}
