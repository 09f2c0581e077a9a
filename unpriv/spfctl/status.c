/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/text.h"

#define STATUS_SECONDS 10
#define PLURAL(n)      ((n) == 1 ? "" : "s")

static void
title(const struct spfctl *ctl, const char *s)
{
	ctl_print(ctl, CTL_C_BOLD, "%-12s", s);
}

static void
text_line(const struct spfctl *ctl, const char *name, const char *s)
{
	title(ctl, name);
	ctl_print(ctl, CTL_C_NONE, "%s\n", s);
}

static void
text_sandbox(const struct spfctl *ctl, const struct status_row *r)
{
	uint64_t abi = r->v[STATUS_SANDBOX_LANDLOCK_ABI].number;
	const char *lacks = status_text(r, STATUS_SANDBOX_LACKS);

	title(ctl, "Sandbox");
	ctl_print(ctl,
	    r->v[STATUS_SANDBOX_STATE].number == STATUS_WORD_FULL ? CTL_C_GOOD :
								    CTL_C_BAD,
	    "%s", status_text(r, STATUS_SANDBOX_STATE));
	printf(": %s seccomp, ",
	    r->v[STATUS_SANDBOX_SECCOMP].number != 0 ? "with" : "without");
	if (abi == 0) {
		printf("without Landlock\n");
		return;
	}
	printf("Landlock ABI %" PRIu64 "\n", abi);
	if (*lacks != '\0') {
		title(ctl, "");
		ctl_print(ctl, CTL_C_NONE,
		    "not restricted by this kernel: %s\n", lacks);
	}
}

static void
text_listeners(const struct spfctl *ctl, const struct ctl_answer *a)
{
	const struct status_row *r;
	const char *name = "Listening";

	STAILQ_FOREACH(r, &a->rows, entry) {
		if (r->kind != STATUS_LISTENER)
			continue;
		title(ctl, name);
		ctl_print(ctl, CTL_C_NONE, "%s %s\n",
		    status_text(r, STATUS_LISTENER_NAME),
		    r->v[STATUS_LISTENER_ADDRESS].text);
		name = "";
	}
	name = "Resolvers";
	STAILQ_FOREACH(r, &a->rows, entry) {
		if (r->kind != STATUS_NAMESERVER)
			continue;
		text_line(ctl, name, r->v[STATUS_NAMESERVER_ADDRESS].text);
		name = "";
	}
}

static void
text_counts(uint64_t open, uint64_t checks)
{
	printf(", %" PRIu64 " connection%s, %" PRIu64 " check%s", open,
	    PLURAL(open), checks, PLURAL(checks));
}

static void
text_process(const struct spfctl *ctl, const struct status_row *r)
{
	const union status_value *v = r->v;
	uint64_t role = v[STATUS_PROCESS_ROLE].number;
	uint64_t state = v[STATUS_PROCESS_STATE].number;
	uint64_t n = v[STATUS_PROCESS_RESTARTS].number;
	char age[48];

	printf("  %-10s ", status_text(r, STATUS_PROCESS_ROLE));
	if (state == STATUS_WORD_DOWN)
		ctl_print(ctl, CTL_C_WARN, "%7s  down", "-");
	else
		ctl_print(ctl,
		    state == STATUS_WORD_READY ? CTL_C_NONE : CTL_C_WARN,
		    "%7" PRIu64 "  %s, up %s", v[STATUS_PROCESS_PID].number,
		    status_words[state],
		    ctl_seconds(v[STATUS_PROCESS_UPTIME].number, age,
			sizeof(age)));
	if (role != ROLE_DNS && role != ROLE_SHADOW)
		text_counts(v[STATUS_PROCESS_CONNECTIONS].number,
		    v[STATUS_PROCESS_CHECKS].number);
	if (n != 0)
		printf(", restarted %" PRIu64 " time%s", n, PLURAL(n));
	putchar('\n');
}

static void
text_generation(const struct spfctl *ctl, const struct status_row *r)
{
	const union status_value *v = r->v;
	char age[48];

	putchar('\n');
	ctl_print(ctl, CTL_C_BOLD, "Generation %" PRIu64,
	    v[STATUS_GENERATION_NUMBER].number);
	printf(" %s, %s old", status_text(r, STATUS_GENERATION_STATE),
	    ctl_seconds(v[STATUS_GENERATION_AGE].number, age, sizeof(age)));
	text_counts(v[STATUS_GENERATION_CONNECTIONS].number,
	    v[STATUS_GENERATION_CHECKS].number);
	putchar('\n');
}

static void
text(const struct spfctl *ctl, const struct ctl_answer *a)
{
	const struct status_row *r = ctl_status_row(a, STATUS_DAEMON);
	char age[48];

	ctl_print(ctl, CTL_C_BOLD, "pyspf-milter %s",
	    r->v[STATUS_DAEMON_VERSION].text);
	printf(", process %" PRIu64 ", up %s\n", r->v[STATUS_DAEMON_PID].number,
	    ctl_seconds(r->v[STATUS_DAEMON_UPTIME].number, age, sizeof(age)));
	text_line(ctl, "Settings", r->v[STATUS_DAEMON_CONFIG].text);
	text_sandbox(ctl, ctl_status_row(a, STATUS_SANDBOX));
	text_line(ctl, "Log",
	    status_text(ctl_status_row(a, STATUS_LOG), STATUS_LOG_LEVEL));
	text_listeners(ctl, a);
	r = ctl_status_row(a, STATUS_RELOADS);
	title(ctl, "Reloads");
	printf("%" PRIu64 " done, %" PRIu64 " refused, %" PRIu64 " failed\n",
	    r->v[STATUS_RELOADS_DONE].number,
	    r->v[STATUS_RELOADS_REFUSED].number,
	    r->v[STATUS_RELOADS_FAILED].number);
	STAILQ_FOREACH(r, &a->rows, entry)
		if (r->kind == STATUS_GENERATION)
			text_generation(ctl, r);
		else if (r->kind == STATUS_PROCESS)
			text_process(ctl, r);
}

/* ---- JSON: follows the tables of proto/status.h ---- */

static void
json_value(struct json *j, const char *key, const struct status_row *r, int f)
{
	uint64_t n = r->v[f].number;

	if (status_fields[f].type == STATUS_TYPE_PID && n == 0)
		json_null(j, key);
	else if (status_fields[f].type == STATUS_TYPE_FLAG)
		json_bool(j, key, n != 0);
	else if (status_fields[f].type == STATUS_TYPE_NUMBER ||
	    status_fields[f].type == STATUS_TYPE_PID)
		json_int(j, key, (int64_t)n);
	else
		json_str(j, key, status_text(r, f));
}

static void
json_fields(struct json *j, const struct status_row *r, int f)
{
	for (; f < STATUS_FIELD_MAX && status_fields[f].kind == r->kind; f++)
		json_value(j, status_fields[f].name, r, f);
}

static void json_kinds(struct json *, const struct status_row *,
    enum status_kind);

static void
json_row(struct json *j, const struct status_row *r)
{
	enum status_form form = status_kinds[r->kind].form;
	const char *key = NULL;
	int f = 0;

	while (status_fields[f].kind != r->kind)
		f++;
	if (form == STATUS_FORM_MAP)
		key = status_text(r, f++);
	if (form == STATUS_FORM_MEMBERS || form == STATUS_FORM_OBJECT)
		json_fields(j, r, f);
	else if (f + 1 == STATUS_FIELD_MAX ||
	    status_fields[f + 1].kind != r->kind)
		json_value(j, key, r, f);
	else {
		json_object(j, key);
		json_fields(j, r, f);
		json_kinds(j, STAILQ_NEXT(r, entry), r->kind);
		json_object_end(j);
	}
}

/*
 * Writes the rows that belong to a row of kind within: those behind it, up to
 * the next of that kind. STATUS_NONE: all that belong to no other.
 */
static void
json_kinds(struct json *j, const struct status_row *from,
    enum status_kind within)
{
	const struct status_row *r;
	enum status_form form;
	int kind;

	for (kind = STATUS_NONE + 1; kind < STATUS_KIND_MAX; kind++) {
		if (status_kinds[kind].within != within)
			continue;
		form = status_kinds[kind].form;
		if (form == STATUS_FORM_LIST)
			json_array(j, status_kinds[kind].name);
		else if (form != STATUS_FORM_MEMBERS)
			json_object(j, status_kinds[kind].name);
		r = from;
		while (r != NULL && r->kind != within) {
			if (r->kind == (enum status_kind)kind)
				json_row(j, r);
			r = STAILQ_NEXT(r, entry);
		}
		if (form == STATUS_FORM_LIST)
			json_array_end(j);
		else if (form != STATUS_FORM_MEMBERS)
			json_object_end(j);
	}
}

int
ctl_status_ask(struct spfctl *ctl, struct ctl_answer *a)
{
	if (ctl_daemon_ask(ctl, MSG_CTL_STATUS, NULL, 0, STATUS_SECONDS, a) ==
	    -1)
		return a->status;
	if (a->status != 0)
		return ctl_answer_complain(a);
	if (a->bad_rows || !status_complete(&a->rows))
		return ctl_daemon_differs("its status has other fields");
	return 0;
}

const struct status_row *
ctl_status_row(const struct ctl_answer *a, enum status_kind kind)
{
	const struct status_row *r;

	STAILQ_FOREACH(r, &a->rows, entry)
		if (r->kind == kind)
			return r;
	return NULL;
}

int
ctl_status(struct spfctl *ctl)
{
	struct ctl_answer a;
	struct json j;
	int status;

	if ((status = ctl_status_ask(ctl, &a)) != 0)
		;
	else if (ctl->form == CTL_JSON) {
		ctl_json_start(&j, 1);
		json_kinds(&j, STAILQ_FIRST(&a.rows), STATUS_NONE);
		ctl_json_end(&j);
	} else
		text(ctl, &a);
	ctl_answer_free(&a);
	return status;
}
