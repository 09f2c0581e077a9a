/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/text.h"

#define STATUS_SECONDS 10
#define PLURAL(n)      ((n) == 1 ? "" : "s")

/* From which ABI on Landlock guards what. */
static const struct {
	unsigned int abi;
	const char *what;
} guarded[] = {
	{ 1, "files" },
	{ 4, "TCP ports" },
	{ 6, "signals and sockets" },
};

static const char *
value(const struct ctl_answer *a, const char *word)
{
	size_t i = 0;
	const char *s = ctl_answer_next(a, word, &i);

	return s == NULL ? "" : s;
}

static void
title(const struct ctl *ctl, const char *s)
{
	ctl_set_color(ctl, stdout, CTL_C_BOLD);
	printf("%-12s", s);
	ctl_set_color(ctl, stdout, CTL_C_NONE);
}

static void
text_sandbox(const struct ctl *ctl, const char *s)
{
	uint64_t abi = ctl_line_number(s, "landlock");
	char word[32];
	size_t i;

	title(ctl, "Sandbox");
	(void)ctl_line_word(s, 0, word, sizeof(word));
	ctl_set_color(ctl, stdout,
	    strcmp(word, "full") == 0 ? CTL_C_GOOD : CTL_C_BAD);
	ctl_puts(stdout, word);
	ctl_set_color(ctl, stdout, CTL_C_NONE);
	printf(": %s seccomp, ",
	    ctl_line_number(s, "seccomp") != 0 ? "with" : "without");
	if (abi == 0) {
		printf("without Landlock\n");
		return;
	}
	printf("Landlock ABI %" PRIu64 " (", abi);
	for (i = 0;
	     i < sizeof(guarded) / sizeof(guarded[0]) && guarded[i].abi <= abi;
	     i++)
		printf("%s%s", i == 0 ? "" : ", ", guarded[i].what);
	printf(")\n");
}

/* All lines that begin with a word, one below the other. */
static void
text_list(const struct ctl *ctl, const char *name, const struct ctl_answer *a,
    const char *word)
{
	const char *s;
	size_t i = 0;

	while ((s = ctl_answer_next(a, word, &i)) != NULL) {
		title(ctl, name);
		ctl_puts(stdout, s);
		putchar('\n');
		name = "";
	}
}

static void
text_counts(const char *s)
{
	uint64_t open = ctl_line_number(s, "connections");
	uint64_t checks = ctl_line_number(s, "checks");

	printf(", %" PRIu64 " connection%s, %" PRIu64 " check%s", open,
	    PLURAL(open), checks, PLURAL(checks));
}

/* "worker 12 generation 1 ready restarts 0 uptime 3 connections ..." */
static void
text_process(const struct ctl *ctl, const char *s)
{
	char role[16], state[16], pid[16], age[48];
	uint64_t n;

	(void)ctl_line_word(s, 0, role, sizeof(role));
	(void)ctl_line_word(s, 4, state, sizeof(state));
	printf("  %-10s ", role);
	ctl_set_color(ctl, stdout,
	    strcmp(state, "ready") == 0 ? CTL_C_NONE : CTL_C_WARN);
	if (strcmp(state, "down") == 0)
		printf("%7s  down", "-");
	else
		printf("%7s  %s, up %s", ctl_line_word(s, 1, pid, sizeof(pid)),
		    state,
		    ctl_seconds(ctl_line_number(s, "uptime"), age,
			sizeof(age)));
	ctl_set_color(ctl, stdout, CTL_C_NONE);
	if (strcmp(role, "dns") != 0 && strcmp(role, "shadow") != 0)
		text_counts(s);
	if ((n = ctl_line_number(s, "restarts")) != 0)
		printf(", started again %" PRIu64 " time%s", n, PLURAL(n));
	putchar('\n');
}

/* "1 serving age 0 connections 0 checks 0", and its processes. */
static void
text_generation(const struct ctl *ctl, const struct ctl_answer *a,
    const char *s)
{
	uint64_t number = ctl_line_number(s, "");
	char state[16], age[48];
	size_t i = 0;

	ctl_set_color(ctl, stdout, CTL_C_BOLD);
	printf("\nGeneration %" PRIu64, number);
	ctl_set_color(ctl, stdout, CTL_C_NONE);
	printf(" %s, %s old", ctl_line_word(s, 1, state, sizeof(state)),
	    ctl_seconds(ctl_line_number(s, "age"), age, sizeof(age)));
	text_counts(s);
	putchar('\n');
	while ((s = ctl_answer_next(a, "process", &i)) != NULL)
		if (ctl_line_number(s, "generation") == number)
			text_process(ctl, s);
}

static void
text(const struct ctl *ctl, const struct ctl_answer *a)
{
	const char *s;
	char age[48];
	size_t i = 0;

	ctl_set_color(ctl, stdout, CTL_C_BOLD);
	fputs("pyspf-milter ", stdout);
	ctl_puts(stdout, value(a, "version"));
	ctl_set_color(ctl, stdout, CTL_C_NONE);
	s = value(a, "parent");
	printf(", process %" PRIu64 ", up %s\n", ctl_line_number(s, ""),
	    ctl_seconds(ctl_line_number(s, "uptime"), age, sizeof(age)));
	text_list(ctl, "Settings", a, "config");
	text_sandbox(ctl, value(a, "sandbox"));
	text_list(ctl, "Log", a, "log");
	text_list(ctl, "Listening", a, "listener");
	text_list(ctl, "Resolvers", a, "nameserver");
	s = value(a, "reloads");
	title(ctl, "Reloads");
	printf("%" PRIu64 " done, %" PRIu64 " refused, %" PRIu64 " failed\n",
	    ctl_line_number(s, "done"), ctl_line_number(s, "refused"),
	    ctl_line_number(s, "failed"));
	while ((s = ctl_answer_next(a, "generation", &i)) != NULL)
		text_generation(ctl, a, s);
}

/* ---- JSON ---- */

static void
json_number(struct json *j, const char *line, const char *key)
{
	json_int(j, key, (int64_t)ctl_line_number(line, key));
}

static void
json_word(struct json *j, const char *key, const char *line, unsigned int i)
{
	char buf[256];

	json_str(j, key, ctl_line_word(line, i, buf, sizeof(buf)));
}

static void
json_process(struct json *j, const char *s)
{
	char state[16];

	json_object(j, NULL);
	json_word(j, "role", s, 0);
	if (strcmp(ctl_line_word(s, 4, state, sizeof(state)), "down") == 0)
		json_null(j, "pid");
	else
		json_int(j, "pid",
		    (int64_t)ctl_line_number(s + strcspn(s, " "), ""));
	json_str(j, "state", state);
	json_number(j, s, "restarts");
	json_number(j, s, "uptime");
	json_number(j, s, "connections");
	json_number(j, s, "checks");
	json_object_end(j);
}

static void
json_generation(struct json *j, const struct ctl_answer *a, const char *s)
{
	uint64_t number = ctl_line_number(s, "");
	size_t i = 0;

	json_object(j, NULL);
	json_int(j, "number", (int64_t)number);
	json_word(j, "state", s, 1);
	json_number(j, s, "age");
	json_number(j, s, "connections");
	json_number(j, s, "checks");
	json_array(j, "processes");
	while ((s = ctl_answer_next(a, "process", &i)) != NULL)
		if (ctl_line_number(s, "generation") == number)
			json_process(j, s);
	json_array_end(j);
	json_object_end(j);
}

/* What follows the first word and its blank; the word may be all there is. */
static const char *
skip_word(const char *s)
{
	s += strcspn(s, " ");
	return *s == ' ' ? s + 1 : s;
}

static void
json_lists(struct json *j, const struct ctl_answer *a)
{
	char word[32];
	const char *s;
	size_t i;

	json_object(j, "listeners");
	for (i = 0; (s = ctl_answer_next(a, "listener", &i)) != NULL;)
		json_str(j, ctl_line_word(s, 0, word, sizeof(word)),
		    skip_word(s));
	json_object_end(j);
	json_array(j, "nameservers");
	for (i = 0; (s = ctl_answer_next(a, "nameserver", &i)) != NULL;)
		json_str(j, NULL, s);
	json_array_end(j);
	json_object(j, "reloads");
	s = value(a, "reloads");
	json_number(j, s, "done");
	json_number(j, s, "refused");
	json_number(j, s, "failed");
	json_object_end(j);
	json_object(j, "restarts");
	for (i = 0; (s = ctl_answer_next(a, "restarts", &i)) != NULL;)
		json_int(j, ctl_line_word(s, 0, word, sizeof(word)),
		    (int64_t)ctl_line_number(s, word));
	json_object_end(j);
	json_array(j, "generations");
	for (i = 0; (s = ctl_answer_next(a, "generation", &i)) != NULL;)
		json_generation(j, a, s);
	json_array_end(j);
}

static void
json(const struct ctl_answer *a)
{
	const char *s = value(a, "parent");
	struct json j;

	ctl_json_start(&j, 1);
	json_object(&j, NULL);
	json_str(&j, "version", value(a, "version"));
	json_int(&j, "pid", (int64_t)ctl_line_number(s, ""));
	json_number(&j, s, "uptime");
	json_number(&j, s, "started");
	json_str(&j, "config", value(a, "config"));
	s = value(a, "sandbox");
	json_object(&j, "sandbox");
	json_word(&j, "state", s, 0);
	json_int(&j, "landlock_abi", (int64_t)ctl_line_number(s, "landlock"));
	json_bool(&j, "seccomp", ctl_line_number(s, "seccomp") != 0);
	json_object_end(&j);
	json_str(&j, "log", value(a, "log"));
	json_lists(&j, a);
	json_object_end(&j);
	putchar('\n');
}

int
ctl_status(struct ctl *ctl)
{
	struct ctl_answer a;
	int status;

	if (ctl_daemon_ask(ctl, MSG_CTL_STATUS, NULL, 0, STATUS_SECONDS, &a) ==
	    0) {
		if (a.status != 0)
			(void)ctl_answer_complain(&a);
		else if (ctl->form == CTL_JSON)
			json(&a);
		else
			text(ctl, &a);
	}
	status = a.status;
	ctl_answer_free(&a);
	return status;
}
