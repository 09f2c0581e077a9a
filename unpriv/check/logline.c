/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread), policyd-spf. */

#include <stdio.h>
#include <string.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/json.h"
#include "unpriv/check/logline.h"
#include "unpriv/judge/bypass.h"

/* The values of an object; NULL or 0: not shown. */
struct facts {
	const struct logline *line;
	const char *event;
	const struct judge_outcome *out;
	const char *skipped;
	const char *action;
	const char *text; /* of the reply or restriction */
	int again;
	int has_header;
	size_t removed;
	int refused;
};

/* In the order of enum judge_action, as the counters name them. */
static const char *const action_name[] = { "nothing", "prepend", "reject",
	"defer", "restriction" };

/* The words before a record's text. */
static const char *const record_words[] = {
	[JUDGE_LOG_TEXT] = "",
	[JUDGE_LOG_ERROR] = "",
	[JUDGE_LOG_HEADER] = "prepend ",
	[JUDGE_LOG_NO_HEADER] = "Header field not prepended: ",
	[JUDGE_LOG_REFUSAL] = "",
	[JUDGE_LOG_RESTRICTION] = "result_only ",
	[JUDGE_LOG_NOT_DONE] = "TestOnly = 0, not done: ",
};

void
logline_record(const struct judge_log *r, char *out, size_t size)
{
	(void)snprintf(out, size, "%s%s%s%s", record_words[r->kind],
	    r->name == NULL ? "" : r->name, r->name == NULL ? "" : ": ",
	    r->text);
}

/* The priority; the log marks the lines about policy requests. */
static int
line_pri(const struct logline *l, int pri)
{
	return l->program == CONF_POLICY ? pri | LOG_POLICY : pri;
}

static void
write_record(const struct logline *l, const struct judge_log *r)
{
	char line[LOGLINE_RECORD_MAX];

	if (r->level > l->conf->debug_level)
		return;
	logline_record(r, line, sizeof(line));
	log_line(line_pri(l, LOG_INFO), "%s%s%s",
	    l->prefix == NULL ? "" : l->prefix, l->prefix == NULL ? "" : ": ",
	    line);
}

static int
is_json(const struct logline *l)
{
	return l->conf->log_format == LOGFORMAT_JSON;
}

static void
opt_str(struct json *j, const char *key, const char *s)
{
	if (s != NULL)
		json_str(j, key, s);
}

static void
opt_flag(struct json *j, const char *key, int set)
{
	if (set)
		json_bool(j, key, 1);
}

static void
put_checked(struct json *j, const struct judge_checked *c, const char *result,
    const char *lookups, const char *voids)
{
	if (!c->done)
		return;
	json_str(j, result, spf_result_name[c->verdict.result]);
	json_int(j, lookups, c->verdict.lookups);
	json_int(j, voids, c->verdict.voids);
}

static void
put_outcome(struct json *j, const struct judge_outcome *o)
{
	const struct judge_checked *c =
	    o->identity == JUDGE_ID_HELO ? &o->helo : &o->mailfrom;

	put_checked(j, &o->helo, "helo_result", "helo_lookups", "helo_voids");
	put_checked(j, &o->mailfrom, "mailfrom_result", "mailfrom_lookups",
	    "mailfrom_voids");
	if (o->identity != JUDGE_ID_NONE) {
		json_str(j, "result", spf_result_name[o->result]);
		json_str(j, "identity",
		    o->identity == JUDGE_ID_HELO ? "helo" : "mailfrom");
		if (c->done)
			opt_str(j, "reason",
			    c->verdict.explanation != NULL ?
				c->verdict.explanation :
				c->verdict.reason);
	}
	opt_str(j, "not_done", o->not_done);
	if (o->log != NULL && o->log->kind == JUDGE_LOG_ERROR)
		json_str(j, "error", o->log->text);
}

static void
put_facts(struct json *j, const struct facts *f, uint64_t usec)
{
	const struct logline *l = f->line;

	json_object(j, NULL);
	json_str(j, "event", f->event);
	json_str(j, "protocol",
	    l->program == CONF_MILTER ? "milter" : "policy");
	if (l->queue_id != NULL && *l->queue_id != '\0')
		json_str(j, "queue_id", l->queue_id);
	opt_str(j, "client", l->client);
	opt_str(j, "client_name", l->client_name);
	opt_str(j, "helo", l->helo);
	opt_str(j, "sender", l->sender);
	opt_str(j, "recipient", l->recipient);
	opt_str(j, "instance", l->instance);
	opt_flag(j, "per_user", l->per_user);
	opt_str(j, "skipped", f->skipped);
	if (f->out != NULL)
		put_outcome(j, f->out);
	opt_str(j, "action", f->action);
	if (f->out != NULL) {
		opt_str(j, "code", f->out->code);
		opt_str(j, "enhanced_code", f->out->xcode);
	}
	opt_str(j, "text", f->text);
	opt_flag(j, "cached", f->again);
	opt_flag(j, "has_header", f->has_header);
	if (f->removed != 0)
		json_int(j, "removed", (int64_t)f->removed);
	opt_flag(j, "refused", f->refused);
	json_ms(j, "ms", usec);
	opt_flag(j, "cut", j->cut);
	json_object_end(j);
}

/* Cuts long texts to the first bound with which the object fits. */
static void
write_object(const struct facts *f)
{
	static const size_t bounds[] = { 1024, 512, 256, 128 };
	uint64_t usec = clock_usec() - f->line->since;
	char text[LOGLINE_MAX + 1];
	struct json_buf buf;
	struct json j;
	size_t i;

	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		buf = (struct json_buf){ .p = text, .size = sizeof(text) };
		json_init(&j, json_buf_put, &buf);
		j.ascii = 1;
		j.max = bounds[i];
		put_facts(&j, f, usec);
		if (!buf.full) {
			log_line(line_pri(f->line, LOG_INFO | LOG_CLEAN), "%s",
			    text);
			return;
		}
	}
	/* These few texts always fit; never log half an object. */
	log_warnx("a log object of more than %d octets", LOGLINE_MAX);
}

void
logline_judged(const struct logline *l, const struct judge_outcome *out,
    enum judge_action done)
{
	int has_header = out->action == JUDGE_PREPEND &&
	    done == JUDGE_NOTHING && out->header_name != NULL;
	int object = is_json(l) && l->conf->debug_level >= 1;
	struct facts f = { .line = l,
		.event = "spf",
		.out = out,
		.skipped = out->skipped == NULL ? NULL : out->skipped->name,
		.action = action_name[done],
		.text = out->text,
		.has_header = has_header };
	const struct judge_log *r;
	struct judge_log shown;

	for (r = out->log; r != NULL; r = r->next) {
		if (object && r->level <= 1)
			continue;
		shown = *r;
		if (has_header && r->kind == JUDGE_LOG_HEADER)
			shown.kind = JUDGE_LOG_NO_HEADER;
		write_record(l, &shown);
	}
	if (object)
		write_object(&f);
}

void
logline_again(const struct logline *l, enum judge_action action,
    const char *answer)
{
	struct judge_log r = { .level = 1,
		.kind = action == JUDGE_RESTRICTION ? JUDGE_LOG_RESTRICTION :
						      JUDGE_LOG_REFUSAL,
		.text = answer };
	struct facts f = { .line = l,
		.event = "spf",
		.action = action_name[action],
		.text = answer,
		.again = 1 };

	if (!is_json(l))
		write_record(l, &r);
	else if (l->conf->debug_level >= 1)
		write_object(&f);
}

void
logline_skipped(const struct logline *l, const char *reason)
{
	struct facts f = { .line = l,
		.event = "spf",
		.skipped = reason,
		.action = action_name[JUDGE_NOTHING] };

	if (is_json(l) && l->conf->debug_level >= 1)
		write_object(&f);
}

void
logline_forged(const struct logline *l, size_t removed, int refused)
{
	struct facts f = { .line = l,
		.event = "forged_results",
		.removed = removed,
		.refused = refused };

	if (is_json(l))
		write_object(&f);
	else if (refused)
		log_line(LOG_INFO,
		    "message refused: more than %zu forged fields with results",
		    removed);
	else
		log_line(LOG_INFO,
		    "%zu forged fields with results removed (from %s)", removed,
		    l->client);
}
