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

void
tree_init(struct tree *t, const struct spfctl *ctl)
{
	memset(t, 0, sizeof(*t));
	t->ctl = ctl;
}

void
tree_branch(struct tree *t, int last)
{
	const struct glyphs *g = &glyphs[t->ctl->unicode != 0];

	ctl_set_color(t->ctl, CTL_C_DIM);
	fputs(t->prefix, stdout);
	fputs(last ? g->end : g->mid, stdout);
	ctl_set_color(t->ctl, CTL_C_NONE);
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
show_result(struct tree *t, enum spf_result r)
{
	ctl_print(t->ctl, ctl_result_color(r), "%s", spf_result_name[r]);
}

/* Text that may be missing from the trace. */
static const char *
text(const char *s)
{
	return s != NULL ? s : "";
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
		fputs(i == 0 ? " " : ", ", stdout);
		s = ctl_rr_text(q->type, &a->rr[i], buf, &len);
		if (q->type == DNS_T_TXT) {
			putchar('"');
			ctl_put_short(stdout, s, len, TEXT_SHOWN);
			putchar('"');
		} else
			ctl_put(stdout, s, len);
	}
	if (a->nrr > RRS_SHOWN)
		printf(" and %d more", a->nrr - RRS_SHOWN);
}

/* "A mx.example.test: 192.0.2.1; dns, 12.3 ms, TTL 300" */
static void
show_lookup(struct tree *t, const struct trace_node *n)
{
	const struct dns_answer *a;
	const char *source;

	ctl_print(t->ctl, CTL_C_DIM, "%s%s %s:", n->explains ? "exp= " : "",
	    dns_type_name(n->ev->type), text(n->ev->domain));
	if (n->q == NULL || n->q->state != ANSWERS_DONE) {
		ctl_print(t->ctl, CTL_C_DIM, " not asked\n");
		return;
	}
	ctl_set_color(t->ctl, CTL_C_DIM);
	a = &n->q->answer;
	if (a->status != DNS_OK)
		printf(" %s",
		    a->status < DNS_STATUS_MAX ? dns_status_name[a->status] :
						 "?");
	else if (n->parent->kind == TRACE_LEVEL && !n->explains)
		printf(" %d record%s", a->nrr, a->nrr == 1 ? "" : "s");
	else
		show_rrs(t, n->q);
	source = ctl_ask_source(t->ctl, n->q);
	printf("; %s", source);
	if (strcmp(source, "zone") != 0)
		printf(", %u.%u ms", a->usec / 1000, a->usec % 1000 / 100);
	if (a->ttl > 0)
		printf(", TTL %u", a->ttl);
	if (a->secure)
		fputs(", DNSSEC", stdout);
	ctl_set_color(t->ctl, CTL_C_NONE);
	if (n->ev->other_family)
		fputs(", other family", stdout);
	if (n->is_void)
		ctl_print(t->ctl, CTL_C_WARN, ", void %u/%d", n->ev->voids,
		    t->ctl->conf->void_limit);
	else if (n->ev->other_family)
		fputs(", not void", stdout);
	putchar('\n');
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
			printf("\n%s  ", t->prefix);
			col = indent;
			if (s[i] == ' ') {
				i++;
				w--;
			}
		}
		ctl_put(stdout, s + i, w);
		col += w;
	}
	if (n->len > len)
		printf("... (%zu octets)", n->len);
}

static void
show_term(struct tree *t, const struct trace_node *n, unsigned int before)
{
	const struct trace_node *last = TAILQ_LAST(&n->children, trace_nodes);
	const struct spf_event *ev = n->ev;

	ctl_print(t->ctl, ev->matched ? CTL_C_BOLD : CTL_C_NONE, "%s",
	    text(ev->text));
	if (ev->matched && strncasecmp(text(ev->text), "redirect=", 9) == 0)
		fputs("  followed", stdout);
	else if (ev->matched) {
		fputs("  matches: ", stdout);
		show_result(t, ev->result);
	} else if (last == NULL || last->kind != TRACE_ERROR)
		fputs("  no match", stdout);
	if (ev->lookups > before)
		ctl_print(t->ctl, CTL_C_DIM, "  (lookups %u/%d)", ev->lookups,
		    SPF_MAX_TERMS);
	putchar('\n');
}

/* The line of a level: domain, result and record. */
static void
level_line(struct tree *t, const struct trace_node *n)
{
	const char *domain = text(n->domain);

	ctl_print(t->ctl, CTL_C_BOLD, "%s", domain);
	fputs("  ", stdout);
	show_result(t, n->result);
	if (n->text != NULL) {
		fputs("  ", stdout);
		show_record(t, n,
		    t->columns + strlen(domain) + 4 +
			strlen(spf_result_name[n->result]));
	} else
		fputs("  no record", stdout);
	putchar('\n');
}

/* before: the number of lookups counted before the node. */
static void
show_node(struct tree *t, const struct trace_node *n, unsigned int before)
{
	switch (n->kind) {
	case TRACE_LOOKUP:
		show_lookup(t, n);
		break;
	case TRACE_TERM:
		show_term(t, n, before);
		break;
	case TRACE_ERROR:
		ctl_print(t->ctl, CTL_C_BAD, "%s\n", text(n->ev->text));
		break;
	case TRACE_REST:
		ctl_set_color(t->ctl, CTL_C_DIM);
		fputs("not reached: ", stdout);
		ctl_put_short(stdout, n->text, n->len, TEXT_SHOWN * 4);
		ctl_set_color(t->ctl, CTL_C_NONE);
		putchar('\n');
		break;
	case TRACE_LEVEL:
		level_line(t, n);
		break;
	}
}

/* base: the number of lookups counted before the first child. */
static void
show_children(struct tree *t, const struct trace_node *n, unsigned int base)
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
		show_node(t, c, base);
		/* An include itself is a lookup, too. */
		show_children(t, c, base + (c->kind == TRACE_TERM));
		if (c->kind == TRACE_TERM)
			base = c->ev->lookups;
		tree_pop(t, old);
	}
}

void
tree_show(const struct spfctl *ctl, const struct trace_node *root)
{
	struct tree t;

	tree_init(&t, ctl);
	level_line(&t, root);
	show_children(&t, root, 0);
}
