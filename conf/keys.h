/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "conf/value.h"

#define CONF_ROWS_MAX 64 /* an overlay has a bit for each row */

/* Row i, or NULL at the end. */
const struct conf_row *conf_row_at(size_t);
size_t conf_row_index(const struct conf_row *);
/* The row of a key, spelt exactly so, or NULL. */
const struct conf_row *conf_row_find(const char *);
/*
 * Sets a key's field from a value, which need not be clean. 0, or -1 with a
 * message.
 */
int conf_row_set(struct conf_ctx *, struct conf *, const struct conf_row *,
    const char *);
/*
 * A key of old files: what to warn of, or NULL. *now is today's key that
 * took its meaning over, or NULL.
 */
const char *conf_old_key(const char *, const char **now);
/*
 * Warns of a key that does not exist, and names the key that a misspelt one
 * comes close to. where continues the sentence.
 */
void conf_unknown_key(struct conf_ctx *, const char *name, const char *where);

#endif
