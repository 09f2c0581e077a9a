/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, spfctl. Pure. */

#include <string.h>

#include "proto/msg.h"
#include "proto/status.h"

const struct status_kind_rule status_kinds[STATUS_KIND_MAX] = {
#define X(kind, name, form, within) \
	[STATUS_##kind] = { name, STATUS_FORM_##form, STATUS_##within },
	STATUS_KIND_TABLE(X)
#undef X
};

const struct status_field status_fields[STATUS_FIELD_MAX] = {
#define X(kind, field, name, type) { STATUS_##kind, name, STATUS_TYPE_##type },
	STATUS_FIELD_TABLE(X)
#undef X
};

const char *const status_words[STATUS_WORD_MAX] = {
#define X(word, text) text,
	STATUS_WORD_TABLE(X)
#undef X
};

static const uint64_t type_max[STATUS_TYPE_MAX] = {
#define X(type, max) [STATUS_TYPE_##type] = (max),
	STATUS_TYPE_TABLE(X)
#undef X
};

static uint8_t
count_fields(enum status_kind kind)
{
	uint8_t n = 0;
	int f;

	for (f = 0; f < STATUS_FIELD_MAX; f++)
		n += status_fields[f].kind == kind;
	return n;
}

int
status_put(struct wbuf *w, const struct status_row *row)
{
	enum status_type type;
	uint64_t v;
	int f;

	wbuf_u8(w, row->kind);
	wbuf_u8(w, count_fields(row->kind));
	for (f = 0; f < STATUS_FIELD_MAX; f++) {
		if (status_fields[f].kind != row->kind)
			continue;
		type = status_fields[f].type;
		v = type == STATUS_TYPE_TEXT ? strlen(row->v[f].text) :
					       row->v[f].number;
		if (v > type_max[type])
			return -1;
		wbuf_u8(w, type);
		if (type == STATUS_TYPE_TEXT)
			wbuf_blob(w, row->v[f].text, v);
		else
			wbuf_u64(w, v);
	}
	return wbuf_ok(w) ? 0 : -1;
}

/* Copies a blob to the arena as a string; NULL when it cannot be one. */
static const char *
get_text(struct rbuf *r, struct arena *a)
{
	const uint8_t *p;
	size_t len;

	if ((p = rbuf_blob(r, &len)) == NULL || len > STATUS_TEXT_MAX ||
	    memchr(p, '\0', len) != NULL)
		return NULL;
	return arena_strndup(a, (const char *)p, len);
}

struct status_row *
status_get(struct arena *a, const uint8_t *p, size_t len)
{
	struct status_row *row;
	struct rbuf r;
	int f;

	if ((row = arena_alloc(a, sizeof(*row))) == NULL)
		return NULL;
	rbuf_init(&r, p, len);
	row->kind = rbuf_u8(&r);
	if (row->kind == STATUS_NONE || row->kind >= STATUS_KIND_MAX ||
	    rbuf_u8(&r) != count_fields(row->kind))
		return NULL;
	for (f = 0; f < STATUS_FIELD_MAX; f++) {
		if (status_fields[f].kind != row->kind)
			continue;
		if (rbuf_u8(&r) != status_fields[f].type)
			return NULL;
		if (status_fields[f].type == STATUS_TYPE_TEXT) {
			if ((row->v[f].text = get_text(&r, a)) == NULL)
				return NULL;
			continue;
		}
		row->v[f].number = rbuf_u64(&r);
		if (row->v[f].number > type_max[status_fields[f].type])
			return NULL;
	}
	return rbuf_done(&r) ? row : NULL;
}

int
status_complete(const struct status_rows *rows)
{
	unsigned int seen[STATUS_KIND_MAX] = { 0 };
	const struct status_row *row;
	enum status_kind within;
	int kind;

	STAILQ_FOREACH(row, rows, entry) {
		within = status_kinds[row->kind].within;
		if (within != STATUS_NONE && seen[within] == 0)
			return 0;
		seen[row->kind]++;
	}
	for (kind = STATUS_NONE + 1; kind < STATUS_KIND_MAX; kind++)
		if (status_kinds[kind].form <= STATUS_FORM_OBJECT &&
		    seen[kind] != 1)
			return 0;
	return 1;
}

const char *
status_text(const struct status_row *row, enum status_field_id f)
{
	switch (status_fields[f].type) {
	case STATUS_TYPE_WORD:
		return status_words[row->v[f].number];
	case STATUS_TYPE_ROLE:
		return msg_role_name[row->v[f].number];
	default:
		return row->v[f].text;
	}
}
