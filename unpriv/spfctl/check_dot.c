/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spfctl/ask.h"
#include "unpriv/spfctl/check_show.h"

#define LABEL_SHOWN 300

static const char *const result_fill[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "#eeeeee",
	[SPF_RESULT_NEUTRAL] = "#fff2cc",
	[SPF_RESULT_PASS] = "#d5e8d4",
	[SPF_RESULT_FAIL] = "#f8cecc",
	[SPF_RESULT_SOFTFAIL] = "#ffe6cc",
	[SPF_RESULT_TEMPERROR] = "#e1d5e7",
	[SPF_RESULT_PERMERROR] = "#e1d5e7",
};

struct dot {
	const struct spfctl *ctl;
	const char *name;  /* of the identity; a prefix of node ids */
	unsigned int last; /* node id */
};

/* Prints a part of a quoted string, escaped as for a log line, then for dot. */
static void
put_label(const char *s, size_t len)
{
	char out[4 * LABEL_SHOWN + 1];
	size_t i, n, cut = len > LABEL_SHOWN ? LABEL_SHOWN : len;

	n = text_escape_log(out, sizeof(out), s, cut);
	for (i = 0; i < n; i++) {
		if (out[i] == '"' || out[i] == '\\')
			putchar('\\');
		putchar(out[i]);
	}
	if (cut < len)
		fputs("...", stdout);
}

static void
put_text(const char *s)
{
	if (s != NULL)
		put_label(s, strlen(s));
}

static void
lookup_label(struct dot *d, const struct trace_node *n)
{
	const struct dns_answer *a;

	printf("shape=plaintext, fontcolor=\"#555555\", label=\"%s ",
	    dns_type_name(n->ev->type));
	put_text(n->ev->domain);
	if (n->q != NULL && n->q->state == ANSWERS_DONE) {
		a = &n->q->answer;
		printf("\\n%s, %d records, %u.%u ms, TTL %u, %s%s",
		    a->status < DNS_STATUS_MAX ? dns_status_name[a->status] :
						 "?",
		    a->nrr, a->usec / 1000, a->usec % 1000 / 100, a->ttl,
		    ctl_ask_source(d->ctl, n->q), a->secure ? ", DNSSEC" : "");
	}
	if (n->ev->other_family)
		fputs("\\nother family", stdout);
	if (n->is_void)
		fputs("\\nvoid", stdout);
	else if (n->ev->other_family)
		fputs("\\nnot void", stdout);
	putchar('"');
}

static void
attributes(struct dot *d, const struct trace_node *n)
{
	switch (n->kind) {
	case TRACE_LEVEL:
		printf("shape=box, fillcolor=\"%s\", label=\"",
		    result_fill[n->result]);
		put_text(n->domain);
		printf(": %s\\n", spf_result_name[n->result]);
		if (n->text != NULL)
			put_label(n->text, n->len);
		else
			fputs("no record", stdout);
		putchar('"');
		break;
	case TRACE_TERM:
		printf("shape=ellipse, fillcolor=\"%s\", label=\"",
		    n->ev->matched ? result_fill[n->ev->result] : "#ffffff");
		put_text(n->ev->text);
		printf("\\n%s\"", n->ev->matched ? "matches" : "no match");
		break;
	case TRACE_LOOKUP:
		lookup_label(d, n);
		break;
	case TRACE_ERROR:
		printf("shape=octagon, fillcolor=\"%s\", label=\"",
		    result_fill[SPF_RESULT_PERMERROR]);
		put_text(n->ev->text);
		putchar('"');
		break;
	case TRACE_REST:
		fputs("shape=plaintext, fontcolor=\"#999999\", label=\"not "
		      "reached: ",
		    stdout);
		put_label(n->text, n->len);
		putchar('"');
		break;
	}
}

/* Recurses as deep as the trace, which the limit of terms bounds. */
static void
node(struct dot *d, const struct trace_node *n, unsigned int parent)
{
	const struct trace_node *c;
	unsigned int id = ++d->last;

	printf("    %s_%u [", d->name, id);
	attributes(d, n);
	fputs("];\n", stdout);
	if (parent != 0)
		printf("    %s_%u -> %s_%u;\n", d->name, parent, d->name, id);
	TAILQ_FOREACH(c, &n->children, entry)
		node(d, c, id);
}

static void
identity(const struct spfctl *ctl, const char *name,
    const struct check_identity *c)
{
	struct dot d = { ctl, name, 0 };

	if (!c->done)
		return;
	printf("  subgraph cluster_%s {\n    label=\"%s: %s\";\n", name, name,
	    spf_result_name[c->verdict.result]);
	if (c->tree != NULL)
		node(&d, c->tree, 0);
	puts("  }");
}

void
check_show_dot(const struct check_report *r)
{
	puts("digraph spf {\n  rankdir=LR;\n  node [style=filled, "
	     "fillcolor=\"#ffffff\", fontname=\"sans-serif\", fontsize=10];");
	identity(r->ctl, "helo", &r->helo);
	identity(r->ctl, "mailfrom", &r->mailfrom);
	puts("}");
}
