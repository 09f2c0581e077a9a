/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: fuzz target: an answer to CTL_STATUS, each row with its length
 * (u16) before it.
 */

#include "proto/status.h"
#include "regress/fuzz/fuzz.h"

static uint8_t again[STATUS_ROW_MAX];

/* What was accepted must encode to the same octets. */
static void
round_trip(const struct status_row *row, const uint8_t *p, size_t len)
{
	struct wbuf w;
	int f;

	wbuf_init(&w, again, sizeof(again));
	if (len < STATUS_ROW_MIN || status_put(&w, row) == -1 || w.len != len ||
	    memcmp(again, p, len) != 0)
		abort();
	for (f = 0; f < STATUS_FIELD_MAX; f++)
		if (status_fields[f].kind == row->kind &&
		    status_fields[f].type >= STATUS_TYPE_WORD &&
		    strlen(status_text(row, f)) > STATUS_TEXT_MAX)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct status_rows rows = STAILQ_HEAD_INITIALIZER(rows);
	struct arena *a = arena_new(1 << 20);
	unsigned int seen[STATUS_KIND_MAX] = { 0 };
	struct status_row *row;
	const uint8_t *p;
	struct rbuf r;
	size_t len;

	rbuf_init(&r, data, n);
	while ((p = rbuf_blob(&r, &len)) != NULL) {
		if ((row = status_get(a, p, len)) == NULL)
			continue;
		round_trip(row, p, len);
		seen[row->kind]++;
		STAILQ_INSERT_TAIL(&rows, row, entry);
	}
	if (status_complete(&rows) &&
	    (seen[STATUS_DAEMON] != 1 || seen[STATUS_SANDBOX] != 1 ||
		(seen[STATUS_PROCESS] > 0 && seen[STATUS_GENERATION] == 0)))
		abort();
	arena_free(a);
	return 0;
}
