/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test: rows of the status, and the counters, on the wire. */

#include "proto/status.h"
#include "proto/msg.h"
#include "proto/stats.h"
#include "regress/unit/check.h"

static uint8_t buf[STATUS_ROW_MAX + 1];
static struct arena *arena;

/* Each field has a value of its own that fits its type. */
static void
sample(struct status_row *row, enum status_kind kind)
{
	static const char *const text[] = { "", "a", "inet:8890@192.0.2.1" };
	int f;

	memset(row, 0, sizeof(*row));
	row->kind = kind;
	for (f = 0; f < STATUS_FIELD_MAX; f++)
		if (status_fields[f].type == STATUS_TYPE_TEXT)
			row->v[f].text = text[f % 3];
		else if (status_fields[f].type == STATUS_TYPE_NUMBER)
			row->v[f].number = UINT64_MAX - (uint64_t)f;
		else
			row->v[f].number = (uint64_t)f % 2;
}

static size_t
put(const struct status_row *row)
{
	struct wbuf w;

	wbuf_init(&w, buf, STATUS_ROW_MAX);
	return status_put(&w, row) == -1 ? 0 : w.len;
}

/* From a heap copy, so that the sanitizer sees one octet too far. */
static struct status_row *
get(size_t len)
{
	uint8_t *p = malloc(len == 0 ? 1 : len);
	struct status_row *row;

	memcpy(p, buf, len);
	row = status_get(arena, p, len);
	free(p);
	return row;
}

static int
same(const struct status_row *a, const struct status_row *b)
{
	int f;

	if (b == NULL || a->kind != b->kind)
		return 0;
	for (f = 0; f < STATUS_FIELD_MAX; f++) {
		if (status_fields[f].kind != a->kind)
			continue;
		if (status_fields[f].type == STATUS_TYPE_TEXT ?
			strcmp(a->v[f].text, b->v[f].text) != 0 :
			a->v[f].number != b->v[f].number)
			return 0;
	}
	return 1;
}

static void
test_kind(enum status_kind kind)
{
	const char *kind_name = status_kinds[kind].name;
	struct status_row row;
	size_t len, i;
	int taken = 0;

	sample(&row, kind);
	len = put(&row);
	check(check_name("status-%s-comes-back", kind_name),
	    same(&row, get(len)));
	for (i = 0; i < len; i++)
		taken += get(i) != NULL;
	check_int(check_name("status-%s-cut-short", kind_name), taken, 0);
	buf[len] = 0;
	check(check_name("status-%s-octet-left-over", kind_name),
	    get(len + 1) == NULL);
}

static void
test_octets(void)
{
	static const uint8_t want[] = { STATUS_LISTENER, 2, STATUS_TYPE_WORD, 0,
		0, 0, 0, 0, 0, 0, STATUS_WORD_POLICY, STATUS_TYPE_TEXT, 0, 2,
		'a', 'b' };
	static const uint8_t at[] = { 0, 1, 2, 11 };
	struct status_row row = { .kind = STATUS_LISTENER };
	size_t len, i, k;
	int taken = 0;

	row.v[STATUS_LISTENER_NAME].number = STATUS_WORD_POLICY;
	row.v[STATUS_LISTENER_ADDRESS].text = "ab";
	len = put(&row);
	check_mem("status-octets", buf, len, want, sizeof(want));
	/* a kind, a number of fields or a type that is another */
	for (i = 1; i < 256; i++)
		for (k = 0; k < NITEMS(at); k++) {
			buf[at[k]] = (uint8_t)(want[at[k]] + i);
			taken += get(len) != NULL;
			buf[at[k]] = want[at[k]];
		}
	check_int("status-unknown-types", taken, 0);
	buf[14] = '\0';
	check("status-nul-in-text", get(len) == NULL);
	buf[14] = 'a';
	buf[10] = STATUS_WORD_MAX - 1;
	check("status-last-word", get(len) != NULL);
	buf[10] = STATUS_WORD_MAX;
	check("status-word-beyond", get(len) == NULL);
	buf[10] = 0;
	buf[3] = 1;
	check("status-word-of-64-bits", get(len) == NULL);
}

static void
test_limits(void)
{
	static char big[STATUS_TEXT_MAX + 2];
	const struct msg_rule *m = &msg_rules[MSG_CTL_ROW];
	struct status_row row;
	struct arena *tiny;
	size_t len, most = 0, least = SIZE_MAX;
	int kind, f;

	sample(&row, STATUS_SANDBOX);
	row.v[STATUS_SANDBOX_SECCOMP].number = 2;
	check_int("status-put-flag-2", put(&row), 0);
	sample(&row, STATUS_PROCESS);
	row.v[STATUS_PROCESS_ROLE].number = ROLE_MAX;
	check_int("status-put-role-beyond", put(&row), 0);
	row.v[STATUS_PROCESS_ROLE].number = ROLE_SHADOW;
	row.v[STATUS_PROCESS_PID].number = (uint64_t)INT32_MAX + 1;
	check_int("status-put-pid-beyond", put(&row), 0);

	memset(big, 'x', sizeof(big) - 1);
	sample(&row, STATUS_NAMESERVER);
	row.v[STATUS_NAMESERVER_ADDRESS].text = big;
	check_int("status-put-text-too-long", put(&row), 0);
	row.v[STATUS_NAMESERVER_ADDRESS].text = big + 1;
	check("status-text-longest", same(&row, get(put(&row))));
	len = put(&row);
	buf[len] = 'x';
	buf[4]++;
	check("status-text-too-long", get(len + 1) == NULL);

	for (kind = STATUS_NONE + 1; kind < STATUS_KIND_MAX; kind++) {
		sample(&row, kind);
		for (f = 0; f < STATUS_FIELD_MAX; f++)
			if (status_fields[f].type == STATUS_TYPE_TEXT)
				row.v[f].text = "";
		if ((len = put(&row)) < least)
			least = len;
		for (f = 0; f < STATUS_FIELD_MAX; f++)
			if (status_fields[f].type == STATUS_TYPE_TEXT)
				row.v[f].text = big + 1;
		if ((len = put(&row)) == 0)
			most = SIZE_MAX;
		else if (len > most)
			most = len;
	}
	check_int("status-smallest-row", least, STATUS_ROW_MIN);
	check("status-largest-row", most <= STATUS_ROW_MAX, "%zu", most);
	check_int("status-table-row", m->min, STATUS_ROW_MIN);
	check_int("status-table-row-most", m->max, STATUS_ROW_MAX);
	tiny = arena_new(16);
	check("status-no-memory", status_get(tiny, buf, put(&row)) == NULL);
	arena_free(tiny);
}

/* Rows of these kinds, in this order. */
static int
complete(const char *kinds)
{
	struct status_rows rows = STAILQ_HEAD_INITIALIZER(rows);
	struct status_row row[32];
	size_t i;

	for (i = 0; kinds[i] != '\0'; i++) {
		row[i].kind = (enum status_kind)(kinds[i] - 'a' + 1);
		STAILQ_INSERT_TAIL(&rows, &row[i], entry);
	}
	return status_complete(&rows);
}

static void
test_complete(void)
{
	/* in the table's order: a daemon, b sandbox, c log, ... i process */
	check_int("status-complete-least", complete("abcf"), 1);
	check_int("status-complete-any-order", complete("facb"), 1);
	check_int("status-complete-all", complete("abcddeefgghiihi"), 1);
	check_int("status-complete-empty", complete(""), 0);
	check_int("status-complete-no-daemon", complete("bcf"), 0);
	check_int("status-complete-no-reloads", complete("abc"), 0);
	check_int("status-complete-daemon-twice", complete("aabcf"), 0);
	check("status-complete-process-without-generation",
	    complete("abcfi") == 0 && complete("abcfih") == 0);
}

/* Fields of a kind stand together, and a map's key is a text. */
static void
test_tables(void)
{
	const struct status_field *f;
	enum status_kind last = STATUS_NONE;
	int i, order = 1, keys = 1;

	for (i = 0; i < STATUS_FIELD_MAX; i++) {
		f = &status_fields[i];
		if (f->kind == last)
			continue;
		order &= f->kind == last + 1;
		keys &= status_kinds[f->kind].form != STATUS_FORM_MAP ||
		    f->type >= STATUS_TYPE_WORD;
		last = f->kind;
	}
	check("status-fields-in-order", order && last + 1 == STATUS_KIND_MAX);
	check("status-keys-are-text", keys);
}

static void
test_counts(void)
{
	static struct stats s, back;
	uint64_t *v = s.v;
	size_t i, len, taken = 0;

	for (i = 0; i < STAT_MAX; i++)
		v[i] = i << 33 | i;
	s.second[STAT_RESULTS - 1][STAT_RESULTS - 1] = UINT64_MAX;
	check_int("stats-put", stat_put(&s, buf, sizeof(buf), &len), 0);
	check_int("stats-length", len, sizeof(s));
	check_int("stats-get", stat_get(&back, buf, len), 0);
	check("stats-come-back", memcmp(&s, &back, sizeof(s)) == 0);
	for (i = 0; i < len; i++)
		taken += stat_get(&back, buf, i) == 0;
	check_int("stats-cut-short", taken, 0);
	check_int("stats-octet-left-over", stat_get(&back, buf, len + 1), -1);
	check_int("stats-no-room", stat_put(&s, buf, len - 1, &len), -1);
	for (i = taken = 0; i < STAT_MAX; i++)
		taken += (*stat_families[stat_rows[i].family].label[0] ==
			     '\0') != (*stat_rows[i].value[0] == '\0') ||
		    (*stat_families[stat_rows[i].family].label[1] == '\0') !=
			(*stat_rows[i].value[1] == '\0');
	check_int("stats-each-label-has-a-value", taken, 0);
}

int
main(void)
{
	int kind;

	arena = arena_new(64 << 20);
	for (kind = STATUS_NONE + 1; kind < STATUS_KIND_MAX; kind++)
		test_kind(kind);
	test_octets();
	test_limits();
	test_complete();
	test_tables();
	test_counts();
	arena_free(arena);
	return check_exit();
}
