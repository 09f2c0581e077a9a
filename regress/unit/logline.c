/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. What a message logs, JSON, and the limits of log lines. */

#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
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
	return strcmp(p, "}\n") == 0;
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

/* clang-format off */
static const struct {
	const char *name, *in, *ascii, *utf8;
} strings[] = {
	{ "plain", "a b", "a b", "a b" },
	{ "quote", "\"\\/", "\\\"\\\\/", "\\\"\\\\/" },
	{ "c0", "\1\n\037", "\\u0001\\u000a\\u001f", "\\u0001\\u000a\\u001f" },
	{ "del", "\177", "\\u007f", "\\u007f" },
	{ "c1", "\302\205", "\\u0085", "\\u0085" },
	{ "two-octets", "\303\251", "\\u00e9", "\303\251" },
	{ "three-octets", "\342\202\254", "\\u20ac", "\342\202\254" },
	{ "four-octets", "\360\237\230\200", "\\ud83d\\ude00",
	    "\360\237\230\200" },
	{ "last", "\364\217\277\277", "\\udbff\\udfff", "\364\217\277\277" },
	{ "no-utf8", "\377a\303", "\\ufffda\\ufffd", "\\ufffda\\ufffd" },
	{ "surrogate", "\355\240\200", "\\ufffd\\ufffd\\ufffd",
	    "\\ufffd\\ufffd\\ufffd" },
};
/* clang-format on */

static const char *
quoted(const char *s)
{
	static char quote[64];

	snprintf(quote, sizeof(quote), "\"%s\"", s);
	return quote;
}

/* A string that is cut to max octets (0: not). */
static const char *
string(const char *in, size_t max, int ascii, int *cut)
{
	struct json j;

	begin(&j);
	j.max = max;
	j.ascii = ascii;
	json_str(&j, NULL, in);
	*cut = j.cut;
	return text;
}

static void
test_strings(void)
{
	size_t i;
	int cut;

	for (i = 0; i < NITEMS(strings); i++) {
		check_str(check_name("json-%s", strings[i].name),
		    string(strings[i].in, 0, 0, &cut), quoted(strings[i].utf8));
		check_str(check_name("json-%s-ascii", strings[i].name),
		    string(strings[i].in, 0, 1, &cut),
		    quoted(strings[i].ascii));
	}
	check_str("json-fits", string("123456", 6, 0, &cut), "\"123456\"");
	check("json-fits-whole", !cut);
	check_str("json-cut", string("1234567", 6, 0, &cut), "\"123...\"");
	check("json-cut-is-told", cut);
	check_str("json-cut-at-character",
	    string("\303\251\303\251", 8, 1, &cut), "\"...\"");
	check("json-cut-at-character-is-told", cut);
}

static void
test_json(void)
{
	struct json j;

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
	buf.size = 5;
	json_str(&j, NULL, "1234");
	check("json-full", buf.full && buf.len < 5);
	check_int("json-full-has-an-end", text[buf.len], '\0');
}

/* ---- what a message logs ---- */

static struct judge_log error = { NULL, JUDGE_LOG_ERROR, 0, NULL,
	"ERROR: no check" };
static struct judge_log debug = { NULL, JUDGE_LOG_TEXT, 2, NULL,
	"spfcheck: x" };
static struct judge_log result = { &debug, JUDGE_LOG_HEADER, 1, "H", "v" };

static const struct judge_outcome outcome = {
	.action = JUDGE_PREPEND,
	.header_name = "H",
	.header_value = "v",
	.log = &result,
	.identity = JUDGE_ID_MAILFROM,
	.result = SPF_RESULT_FAIL,
	.helo = { .done = 1,
	    .verdict = { .result = SPF_RESULT_PASS, .lookups = 1 } },
	.mailfrom = { .done = 1,
	    .verdict = { .result = SPF_RESULT_FAIL,
		.lookups = 3,
		.voids = 2,
		.reason = "SPF fail" } },
};

/* A line and an outcome, at a level of debugLevel; the log begins anew. */
static void
fill(int level, struct logline *l, struct judge_outcome *o)
{
	conf.debug_level = level;
	memset(l, 0, sizeof(*l));
	*o = outcome;
	lines[0] = '\0';
	l->conf = &conf;
	l->program = CONF_POLICY;
	l->client = "192.0.2.1";
	l->since = clock_usec();
}

/* What the usual outcome logs when this is done. */
static const char *
judged(int level, enum judge_action action)
{
	struct judge_outcome o;
	struct logline l;

	fill(level, &l, &o);
	logline_judged(&l, &o, action);
	return lines;
}

static void
test_classic(void)
{
	struct judge_outcome o;
	struct logline l;

	conf.log_format = LOGFORMAT_CLASSIC;
	check_str("classic", judged(1, JUDGE_PREPEND), "prepend H: v\n");
	fill(1, &l, &o);
	l.prefix = "";
	logline_judged(&l, &o, o.action);
	check_str("classic-empty-queue-id", lines, ": prepend H: v\n");
	check_str("classic-header-kept-back", judged(1, JUDGE_NOTHING),
	    "Header field not prepended: H: v\n");
	check_str("classic-level-2", judged(2, JUDGE_PREPEND),
	    "prepend H: v\nspfcheck: x\n");
	fill(0, &l, &o);
	logline_judged(&l, &o, o.action);
	logline_again(&l, JUDGE_REJECT, "550 x");
	logline_skipped(&l, "internal");
	check_str("classic-quiet", lines, "");
	fill(1, &l, &o);
	logline_again(&l, JUDGE_RESTRICTION, "ok");
	check_str("classic-again", lines, "result_only ok\n");
	lines[0] = '\0';
	logline_again(&l, JUDGE_REJECT, "550 x");
	check_str("classic-again-reject", lines, "550 x\n");
	lines[0] = '\0';
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
	fill(1, &l, &o);
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
	check("object-is-clean", (last_pri & LOG_CLEAN) != 0);
	check_int("object-level", last_pri & ~LOG_FLAGS, LOG_INFO);
	check("object-of-policy", (last_pri & LOG_POLICY) != 0);
	check("object-well-formed", is_object(judged(1, JUDGE_NOTHING)));
	check_has("object-has-header", lines,
	    "\"action\":\"nothing\",\"has_header\":true");
	fill(1, &l, &o);
	o.log = &error;
	o.identity = JUDGE_ID_NONE;
	o.helo.done = o.mailfrom.done = 0;
	logline_judged(&l, &o, JUDGE_NOTHING);
	check("object-error-well-formed", is_object(lines), "%s", lines);
	check_has("object-error", lines, "\"error\":\"ERROR: no check\"");
	fill(0, &l, &o);
	o.log = &error;
	logline_judged(&l, &o, o.action);
	check_str("object-quiet-but-errors", lines, "ERROR: no check\n");
	check("object-beside-debug",
	    strncmp(judged(2, JUDGE_PREPEND), "spfcheck: x\n{", 13) == 0, "%s",
	    lines);
	fill(1, &l, &o);
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
		fill(1, &l, &o);
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

/* A note some times; what that logs. */
static const char *
noted(struct log_note *n, const char *what, int times)
{
	lines[0] = '\0';
	while (times-- > 0)
		log_note(n, "%s", what);
	return lines;
}

static const char *
flushed(void)
{
	lines[0] = '\0';
	log_notes_flush();
	return lines;
}

static void
test_notes(void)
{
	static struct log_note one, ten = { .max = 10 }, late;
	struct event_base *base;

	check_str("note-one-a-minute", noted(&one, "fault", 100), "fault\n");
	check_str("note-ten-a-minute", noted(&ten, "10", 100),
	    "10\n10\n10\n10\n10\n10\n10\n10\n10\n10\n");
	now += 59;
	check_int("note-says-what-it-did", log_note(&one, "x"), 0);
	check_str("note-still-the-minute", noted(&one, "x", 0), "");
	now += 1;
	check_str("note-next-minute", noted(&one, "again", 1),
	    "x (100 more in the last minute)\nagain\n");
	check_str("note-flush", flushed(), "10 (90 more in the last minute)\n");
	check_str("note-flush-once", flushed(), "");

	base = event_base_new();
	log_notes_init(base);
	noted(&late, "late", 2);
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
	check_int("note-timer-again", log_note(&late, "late"), 1);
	check_int("note-timer-not-for-one",
	    event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
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
	int clean = LOG_INFO | LOG_CLEAN;

	log_init_stderr("t");
	check_str("clean-as-it-is", stderr_of(clean, "{\"a\":\"\\u0001\\\"\"}"),
	    "{\"a\":\"\\u0001\\\"\"}\n");
	check_str("clean-needs-flag",
	    stderr_of(LOG_INFO, "{\"a\":\"\\u0001\"}"),
	    "{\"a\":\"\\\\u0001\"}\n");
	check_str("clean-not-believed",
	    stderr_of(clean, "{\"a\":\"\\u0001\x1b\"}"),
	    "{\"a\":\"\\\\u0001\\x1b\"}\n");
	check_str("clean-no-newline", stderr_of(clean, "{}\n<22>fake: x"),
	    "{}\\x0a<22>fake: x\n");
	check_str("clean-no-utf8", stderr_of(clean, "\\\303\251"),
	    "\\\\\303\251\n");
}

int
main(void)
{
	log_init_callback(capture, NULL);
	test_strings();
	test_json();
	test_classic();
	test_object();
	test_hostile();
	test_notes();
	test_clean();
	return check_exit();
}
