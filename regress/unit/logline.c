/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. What a message logs, JSON, and the limits of log lines. */

#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "proto/json.h"
#include "regress/unit/check.h"
#include "unpriv/check/logline.h"

static time_t now = 1000; /* the only clock here */
static long now_ns;
static char lines[65536];
static int last_pri;
static struct conf conf;

/* clang-format off */
const char *const spf_result_name[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = "none", [SPF_RESULT_PASS] = "pass",
	[SPF_RESULT_FAIL] = "fail",
};
/* clang-format on */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	ts->tv_sec = now;
	ts->tv_nsec = now_ns;
	return 0;
}

static void
capture(int pri, const char *text, void *arg)
{
	last_pri = pri;
	strlcat(lines, text, sizeof(lines));
	strlcat(lines, "\n", sizeof(lines));
}

static int
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* ---- a reader of what write_object() may write: one flat object ---- */

static const char *
skip_string(const char *p)
{
	size_t i;

	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		if (*p < ' ' || *p > '~')
			return NULL;
		if (*p++ != '\\')
			continue;
		if (*p == 'u') {
			for (i = 1; i <= 4; i++)
				if (p[i] == '\0' ||
				    strchr("0123456789abcdef", p[i]) == NULL)
					return NULL;
			p += 5;
		} else if (*p == '"' || *p == '\\')
			p++;
		else
			return NULL;
	}
	return p + 1;
}

static const char *
skip_value(const char *p)
{
	size_t n = strspn(p, "0123456789.");

	if (n > 0)
		return p + n;
	if (strncmp(p, "true", 4) == 0)
		return p + 4;
	return skip_string(p);
}

static int
is_object(const char *p)
{
	if (*p != '{')
		return 0;
	do {
		if ((p = skip_string(p + 1)) == NULL || *p++ != ':' ||
		    (p = skip_value(p)) == NULL)
			return 0;
	} while (*p == ',');
	return is(p, "}\n");
}

/* ---- the writer ---- */

static struct json_buf buf;
static char text[4096];

static void
begin(struct json *j)
{
	memset(&buf, 0, sizeof(buf));
	buf.p = text;
	buf.size = sizeof(text);
	text[0] = '\0';
	json_init(j, json_buf_put, &buf);
}

static void
test_json(void)
{
	static const struct {
		const char *name, *in, *ascii, *utf8;
	} t[] = {
		{ "json-plain", "a b", "\"a b\"", "\"a b\"" },
		{ "json-quote", "\"\\/", "\"\\\"\\\\/\"", "\"\\\"\\\\/\"" },
		{ "json-c0", "\x01\n\x1f", "\"\\u0001\\u000a\\u001f\"",
		    "\"\\u0001\\u000a\\u001f\"" },
		{ "json-del", "\x7f", "\"\\u007f\"", "\"\\u007f\"" },
		{ "json-c1", "\xc2\x85", "\"\\u0085\"", "\"\\u0085\"" },
		{ "json-two-octets", "\xc3\xa9", "\"\\u00e9\"",
		    "\"\xc3\xa9\"" },
		{ "json-three-octets", "\xe2\x82\xac", "\"\\u20ac\"",
		    "\"\xe2\x82\xac\"" },
		{ "json-four-octets", "\xf0\x9f\x98\x80", "\"\\ud83d\\ude00\"",
		    "\"\xf0\x9f\x98\x80\"" },
		{ "json-last", "\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\"",
		    "\"\xf4\x8f\xbf\xbf\"" },
		{ "json-no-utf8",
		    "\xff"
		    "a\xc3",
		    "\"\\ufffda\\ufffd\"", "\"\\ufffda\\ufffd\"" },
		{ "json-surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"",
		    "\"\\ufffd\\ufffd\\ufffd\"" },
	};
	struct json j;
	size_t i;

	for (i = 0; i < NITEMS(t); i++) {
		begin(&j);
		json_str(&j, NULL, t[i].in);
		check_str(t[i].name, text, t[i].utf8);
		begin(&j);
		j.ascii = 1;
		json_str(&j, NULL, t[i].in);
		check_str(t[i].name, text, t[i].ascii);
	}
	begin(&j);
	json_object(&j, NULL);
	json_int(&j, "n", -5);
	json_array(&j, "a");
	json_bool(&j, NULL, 1);
	json_null(&j, NULL);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array_end(&j);
	json_ms(&j, "ms", 1002003);
	json_str(&j, "s", NULL);
	json_object_end(&j);
	check_str("json-nested", text,
	    "{\"n\":-5,\"a\":[true,null,{}],\"ms\":1002.003,\"s\":null}");
	begin(&j);
	j.indent = 1;
	json_object(&j, NULL);
	json_int(&j, "n", 1);
	json_array(&j, "a");
	json_array_end(&j);
	json_object_end(&j);
	check_str("json-indented", text, "{\n  \"n\": 1,\n  \"a\": []\n}");
	begin(&j);
	j.max = 6;
	json_str(&j, NULL, "123456");
	check("json-fits", is(text, "\"123456\"") && !j.cut);
	begin(&j);
	j.max = 6;
	json_str(&j, NULL, "1234567");
	check("json-cut", is(text, "\"123...\"") && j.cut);
	begin(&j);
	j.max = 8;
	j.ascii = 1;
	json_str(&j, NULL, "\xc3\xa9\xc3\xa9");
	check("json-cut-at-character", is(text, "\"...\"") && j.cut, "%s",
	    text);
	begin(&j);
	buf.size = 5;
	json_str(&j, NULL, "1234");
	check("json-full", buf.full && buf.len < 5 && text[buf.len] == '\0');
}

/* ---- what a message logs ---- */

static struct judge_log error = { NULL, JUDGE_LOG_ERROR, 0, NULL,
	"ERROR: no check" };
static struct judge_log debug = { NULL, JUDGE_LOG_TEXT, 2, NULL,
	"spfcheck: x" };
static struct judge_log result = { &debug, JUDGE_LOG_HEADER, 1, "H", "v" };

static void
fill(struct logline *l, struct judge_outcome *o)
{
	memset(l, 0, sizeof(*l));
	memset(o, 0, sizeof(*o));
	lines[0] = '\0';
	l->conf = &conf;
	l->program = CONF_POLICY;
	l->client = "192.0.2.1";
	logline_clock(&l->since);
	o->action = JUDGE_PREPEND;
	o->header_name = "H";
	o->header_value = "v";
	o->log = &result;
	o->identity = JUDGE_ID_MAILFROM;
	o->result = SPF_RESULT_FAIL;
	o->helo.done = o->mailfrom.done = 1;
	o->helo.verdict.result = SPF_RESULT_PASS;
	o->helo.verdict.lookups = 1;
	o->mailfrom.verdict.result = SPF_RESULT_FAIL;
	o->mailfrom.verdict.lookups = 3;
	o->mailfrom.verdict.voids = 2;
	o->mailfrom.verdict.reason = "SPF fail";
}

static void
test_classic(void)
{
	struct judge_outcome o;
	struct logline l;

	conf.log_format = LOGFORMAT_CLASSIC;
	conf.debug_level = 1;
	fill(&l, &o);
	logline_judged(&l, &o, o.action);
	check_str("classic", lines, "prepend H: v\n");
	fill(&l, &o);
	l.prefix = "";
	logline_judged(&l, &o, o.action);
	check_str("classic-empty-queue-id", lines, ": prepend H: v\n");
	fill(&l, &o);
	logline_judged(&l, &o, JUDGE_NOTHING);
	check_str("classic-header-kept-back", lines,
	    "Header field not prepended: H: v\n");
	fill(&l, &o);
	conf.debug_level = 2;
	logline_judged(&l, &o, o.action);
	check_str("classic-level-2", lines, "prepend H: v\nspfcheck: x\n");
	conf.debug_level = 0;
	fill(&l, &o);
	logline_judged(&l, &o, o.action);
	logline_again(&l, JUDGE_REJECT, "550 x");
	logline_skipped(&l, "internal");
	check_str("classic-quiet", lines, "");
	conf.debug_level = 1;
	logline_again(&l, JUDGE_RESTRICTION, "ok");
	check_str("classic-again", lines, "result_only ok\n");
	lines[0] = '\0';
	logline_again(&l, JUDGE_REJECT, "550 x");
	check_str("classic-again-reject", lines, "550 x\n");
	fill(&l, &o);
	logline_skipped(&l, "internal");
	check_str("classic-skipped", lines, "");
	logline_forged(&l, 3, 0);
	check_str("classic-forged", lines,
	    "3 forged fields with results removed (from 192.0.2.1)\n");
}

static void
test_object(void)
{
	struct judge_outcome o;
	struct logline l;

	conf.log_format = LOGFORMAT_JSON;
	conf.debug_level = 1;
	fill(&l, &o);
	now_ns = 12345678;
	logline_judged(&l, &o, o.action);
	now_ns = 0;
	check_str("object", lines,
	    "{\"event\":\"spf\",\"protocol\":\"policy\","
	    "\"client\":\"192.0.2.1\",\"helo_result\":\"pass\","
	    "\"helo_lookups\":1,\"helo_voids\":0,"
	    "\"mailfrom_result\":\"fail\",\"mailfrom_lookups\":3,"
	    "\"mailfrom_voids\":2,\"result\":\"fail\","
	    "\"identity\":\"mailfrom\",\"reason\":\"SPF fail\","
	    "\"action\":\"prepend\",\"ms\":12.345}\n");
	check("object-is-clean",
	    (last_pri & LOG_CLEAN) != 0 && (last_pri & ~LOG_FLAGS) == LOG_INFO);
	check("object-of-policy", (last_pri & LOG_POLICY) != 0);
	fill(&l, &o);
	logline_judged(&l, &o, JUDGE_NOTHING);
	check("object-has-header",
	    is_object(lines) &&
		strstr(lines, "\"action\":\"nothing\",\"has_header\":true") !=
		    NULL,
	    "%s", lines);
	fill(&l, &o);
	o.log = &error;
	o.identity = JUDGE_ID_NONE;
	o.helo.done = o.mailfrom.done = 0;
	o.action = JUDGE_NOTHING;
	logline_judged(&l, &o, o.action);
	check("object-error",
	    is_object(lines) &&
		strstr(lines, "\"error\":\"ERROR: no check\"") != NULL,
	    "%s", lines);
	conf.debug_level = 0;
	fill(&l, &o);
	o.log = &error;
	logline_judged(&l, &o, o.action);
	check_str("object-quiet-but-errors", lines, "ERROR: no check\n");
	conf.debug_level = 2;
	fill(&l, &o);
	logline_judged(&l, &o, o.action);
	check_int("object-beside-debug", strncmp(lines, "spfcheck: x\n{", 13),
	    0);
	conf.debug_level = 1;
	fill(&l, &o);
	logline_forged(&l, 3, 1);
	check_str("object-forged", lines,
	    "{\"event\":\"forged_results\","
	    "\"protocol\":\"policy\",\"client\":\"192.0.2.1\","
	    "\"removed\":3,\"refused\":true,\"ms\":0.000}\n");
}

/* All octets in all places, of any length: an object, and bounded. */
static void
test_hostile(void)
{
	static char s[8][20000];
	struct judge_outcome o;
	struct logline l;
	size_t i, k, n, longest = 0, bad = 0, cut = 0;

	srandom(7);
	for (i = 0; i < 2000; i++) {
		for (k = 0; k < 8; k++) {
			n = (size_t)random() % (i % 3 == 0 ? 19999 : 300);
			s[k][n] = '\0';
			while (n-- > 0)
				s[k][n] =
				    (char)(i % 2 == 0 ? 1 + random() % 255 :
							"\\\"a\x01"[n % 4]);
		}
		fill(&l, &o);
		l.queue_id = s[0];
		l.client_name = s[1];
		l.helo = s[2];
		l.sender = s[3];
		l.recipient = s[4];
		l.instance = s[5];
		o.text = s[6];
		o.mailfrom.verdict.reason = s[7];
		logline_judged(&l, &o, o.action);
		n = strlen(lines);
		if (n > longest)
			longest = n;
		bad += !is_object(lines);
		cut += strstr(lines, ",\"cut\":true}\n") != NULL;
	}
	check_int("hostile-objects", bad, 0);
	check("hostile-bounded", longest <= LOGLINE_MAX + 1 && longest > 2000,
	    "%zu", longest);
	check("hostile-cut-is-told", cut > 600 && cut <= 2000, "%zu", cut);
}

/* ---- limits ---- */

static unsigned int
count(const char *what)
{
	unsigned int n = 0;
	const char *p = lines;

	while ((p = strstr(p, what)) != NULL) {
		p++;
		n++;
	}
	return n;
}

static void
test_notes(void)
{
	static struct log_note one, ten = { .max = 10 }, late;
	struct event_base *base;
	int i, wrote = 0;

	lines[0] = '\0';
	for (i = 0; i < 100; i++)
		wrote += log_note(&one, "fault %d", i);
	check("note-one-a-minute", wrote == 1 && is(lines, "fault 0\n"));
	lines[0] = '\0';
	for (i = 0; i < 100; i++)
		log_note(&ten, "ten");
	check_int("note-ten-a-minute", count("ten\n"), 10);
	now += 59;
	lines[0] = '\0';
	check("note-still-the-minute", !log_note(&one, "x") && is(lines, ""));
	now += 1;
	check("note-next-minute",
	    log_note(&one, "again") &&
		is(lines, "x (100 more in the last minute)\nagain\n"),
	    "%s", lines);
	lines[0] = '\0';
	log_notes_flush();
	check_str("note-flush", lines, "ten (90 more in the last minute)\n");
	lines[0] = '\0';
	log_notes_flush();
	check_str("note-flush-once", lines, "");

	base = event_base_new();
	log_notes_init(base);
	log_note(&late, "late");
	log_note(&late, "late");
	lines[0] = '\0';
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_str("note-timer-waits", lines, "");
	now += 61;
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_str("note-timer-tells", lines,
	    "late (1 more in the last minute)\n");
	now += 61;
	lines[0] = '\0';
	event_base_loop(base, EVLOOP_NONBLOCK);
	check_str("note-timer-once", lines, "");
	check("note-timer-not-for-one",
	    log_note(&late, "late") &&
		event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) == 0);
}

/* ---- the flag of clean lines, where a line leaves ---- */

static const char *
stderr_of(int pri, const char *s)
{
	static char got[9000];
	int saved = dup(STDERR_FILENO), p[2];
	ssize_t n;

	if (pipe(p) == -1)
		abort();
	dup2(p[1], STDERR_FILENO);
	log_line(pri, "%s", s);
	dup2(saved, STDERR_FILENO);
	close(p[1]);
	n = read(p[0], got, sizeof(got) - 1);
	close(p[0]);
	close(saved);
	got[n < 0 ? 0 : n] = '\0';
	return strchr(got, ' ') + 1;
}

static void
test_clean(void)
{
	log_init_stderr("t");
	check_str("clean-as-it-is",
	    stderr_of(LOG_INFO | LOG_CLEAN, "{\"a\":\"\\u0001\\\"\"}"),
	    "{\"a\":\"\\u0001\\\"\"}\n");
	check_str("clean-needs-flag",
	    stderr_of(LOG_INFO, "{\"a\":\"\\u0001\"}"),
	    "{\"a\":\"\\\\u0001\"}\n");
	check_str("clean-not-believed",
	    stderr_of(LOG_INFO | LOG_CLEAN, "{\"a\":\"\\u0001\x1b\"}"),
	    "{\"a\":\"\\\\u0001\\x1b\"}\n");
	check_str("clean-no-newline",
	    stderr_of(LOG_INFO | LOG_CLEAN, "{}\n<22>fake: x"),
	    "{}\\x0a<22>fake: x\n");
	check_str("clean-no-utf8",
	    stderr_of(LOG_INFO | LOG_CLEAN, "\\\xc3\xa9"), "\\\\\xc3\xa9\n");
}

int
main(void)
{
	log_init_callback(capture, NULL);
	test_json();
	test_classic();
	test_object();
	test_hostile();
	test_notes();
	test_clean();
	return check_exit();
}
