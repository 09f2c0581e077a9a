/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/lint.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/tree.h"

#define EXCERPT 70 /* octets of a record around a position */
#define INDENT	"    "

static const struct {
	const char *one, *many;
	enum ctl_color color;
} levels[LINT_LEVELS] = {
	[LINT_NOTE] = { "note", "notes", CTL_C_DIM },
	[LINT_WARNING] = { "warning", "warnings", CTL_C_WARN },
	[LINT_ERROR] = { "error", "errors", CTL_C_BAD },
};

/*
 * Shows octets of a record, all but printable ASCII as \xHH, so that carets can
 * be put below; with a mark, shows as many marks instead.
 */
static void
put_ascii(const char *s, size_t len, char mark)
{
	size_t i;
	int c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (mark != '\0')
			printf("%.*s", ascii_is_print(c) ? 1 : 4,
			    mark == '^' ? "^^^^" : "    ");
		else if (ascii_is_print(c))
			fputc(c, stdout);
		else
			printf("\\x%02x", (unsigned int)c);
	}
}

/* Shows the record around a position, with carets below it. */
static void
excerpt(const struct lint *l, const struct lint_record *r,
    const struct lint_finding *f)
{
	size_t from = 0, to = r->reclen, len = f->len;

	if (len > EXCERPT)
		len = EXCERPT;
	if (r->reclen > EXCERPT) {
		from = f->pos > (EXCERPT - len) / 2 ?
		    f->pos - (EXCERPT - len) / 2 :
		    0;
		if (from + EXCERPT > r->reclen)
			from = r->reclen - EXCERPT;
		to = from + EXCERPT;
	}
	fputs(INDENT, stdout);
	fputs(from > 0 ? "..." : "", stdout);
	put_ascii(r->rec + from, to - from, '\0');
	printf("%s\n" INDENT "%s", to < r->reclen ? "..." : "",
	    from > 0 ? "   " : "");
	put_ascii(r->rec + from, f->pos - from, ' ');
	ctl_set_color(l->ctl, levels[f->level].color);
	put_ascii(r->rec + f->pos, f->pos + len > to ? to - f->pos : len, '^');
	ctl_set_color(l->ctl, CTL_C_NONE);
	fputc('\n', stdout);
}

static void
show_findings(const struct lint *l, const struct lint_record *r)
{
	const struct lint_finding *f;

	STAILQ_FOREACH(f, &r->findings, entry) {
		fputs("  ", stdout);
		ctl_print(l->ctl, levels[f->level].color, "%s",
		    levels[f->level].one);
		ctl_print(l->ctl, CTL_C_NONE, ": %s [%s]\n", f->text, f->code);
		if (f->len > 0)
			excerpt(l, r, f);
	}
}

static void
show_children(struct tree *t, const struct lint *l,
    const struct lint_record *parent)
{
	const struct lint_record *r, *last = NULL;
	size_t old;

	STAILQ_FOREACH(r, &l->records, entry)
		if (r->parent == parent)
			last = r;
	STAILQ_FOREACH(r, &l->records, entry) {
		if (r->parent != parent)
			continue;
		tree_branch(t, r == last);
		ctl_print(l->ctl, CTL_C_NONE, "%s  %u%s\n", r->via, r->lookups,
		    r->rec == NULL ? "  no record" : "");
		old = tree_push(t, r == last);
		show_children(t, l, r);
		tree_pop(t, old);
	}
}

static void
show_counts(const struct lint *l)
{
	char buf[64];
	unsigned int limit = (unsigned int)l->ctl->conf->void_limit;

	printf("\nPassing  %s IPv4 and ", lint_number(l->sum4, buf));
	printf("%s IPv6 addresses%s\n",
	    l->whole6 ? "all" : lint_number(l->sum6, buf),
	    l->uncounted ?
		", and those that depend on the message (macros, ptr)" :
		"");
	printf("Void     %u/%u for IPv4 clients, %u/%u for IPv6 clients\n",
	    l->voids[0], limit, l->voids[1], limit);
}

void
lint_show(struct lint *l)
{
	const struct lint_record *top = STAILQ_FIRST(&l->records), *r;
	struct tree t;
	int i, n = 0;

	STAILQ_FOREACH(r, &l->records, entry) {
		if (r != top && STAILQ_EMPTY(&r->findings))
			continue;
		ctl_print(l->ctl, CTL_C_BOLD, "%s", r->domain);
		if (r->via != NULL)
			ctl_print(l->ctl, CTL_C_NONE, "  (%s)", r->via);
		putchar('\n');
		if (r->rec != NULL) {
			fputs("  ", stdout);
			ctl_put_short(stdout, r->rec, r->reclen, 1000);
			putchar('\n');
		}
		show_findings(l, r);
	}
	show_counts(l);
	printf("Lookups  %u/%d\n", l->lookups, SPF_MAX_TERMS);
	tree_init(&t, l->ctl);
	ctl_print(l->ctl, CTL_C_NONE, "%s  %u\n", top->domain, top->lookups);
	show_children(&t, l, top);
	fputc('\n', stdout);
	for (i = LINT_LEVELS - 1; i >= 0; i--)
		if (l->count[i] > 0)
			printf("%s%u %s", n++ > 0 ? ", " : "", l->count[i],
			    l->count[i] == 1 ? levels[i].one : levels[i].many);
	puts(n == 0 ? "nothing found" : "");
}

/* ---- JSON ---- */

static void
json_record(struct json *js, const struct lint_record *r)
{
	const struct lint_finding *f;

	json_object(js, NULL);
	json_str(js, "domain", r->domain);
	json_str(js, "via", r->via);
	json_str(js, "parent", r->parent == NULL ? NULL : r->parent->domain);
	if (r->rec == NULL)
		json_null(js, "record");
	else
		json_text(js, "record", r->rec, r->reclen);
	json_int(js, "lookups", r->lookups);
	json_array(js, "findings");
	STAILQ_FOREACH(f, &r->findings, entry) {
		json_object(js, NULL);
		json_str(js, "level", levels[f->level].one);
		json_str(js, "code", f->code);
		json_str(js, "text", f->text);
		if (f->len > 0) {
			json_int(js, "offset", (int64_t)f->pos);
			json_int(js, "length", (int64_t)f->len);
		}
		json_object_end(js);
	}
	json_array_end(js);
	json_object_end(js);
}

void
lint_json(struct lint *l)
{
	const struct lint_record *r;
	struct json js;
	char buf[64];
	int i;

	ctl_json_start(&js, 1);
	json_str(&js, "domain", STAILQ_FIRST(&l->records)->domain);
	for (i = LINT_LEVELS - 1; i >= 0; i--)
		json_int(&js, levels[i].many, l->count[i]);
	json_int(&js, "lookups", l->lookups);
	json_int(&js, "lookup_limit", SPF_MAX_TERMS);
	json_int(&js, "voids_ipv4", l->voids[0]);
	json_int(&js, "voids_ipv6", l->voids[1]);
	json_int(&js, "void_limit", l->ctl->conf->void_limit);
	/* As text: most readers of JSON cannot hold 2^128 as a number. */
	json_str(&js, "addresses_ipv4", lint_number(l->sum4, buf));
	json_str(&js, "addresses_ipv6",
	    l->whole6 ? "340282366920938463463374607431768211456" :
			lint_number(l->sum6, buf));
	json_bool(&js, "addresses_exact", !l->uncounted);
	json_array(&js, "records");
	STAILQ_FOREACH(r, &l->records, entry)
		json_record(&js, r);
	json_array_end(&js);
	ctl_json_end(&js);
}
