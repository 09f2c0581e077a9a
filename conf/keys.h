/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/* The key table, and settings by recipient. */

#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "conf/value.h"

#define CONF_ROWS_MAX 64 /* a recipient's settings have a bit for each */

/* Row i, or NULL at the end. */
const struct conf_row *conf_row_at(size_t);
size_t conf_row_index(const struct conf_row *);
/* The row of a key, spelt exactly so, or NULL. */
const struct conf_row *conf_row_find(const char *);
/*
 * Sets a key's field from a value. Returns 0, or -1 with a message, also for a
 * value that is not UTF-8 or has control characters.
 */
int conf_row_set(struct conf_ctx *, struct conf *, const struct conf_row *,
    const char *);
/*
 * If old versions of spf-engine had this key: the text of a warning, "" for a
 * name that needs none; else NULL. *now is the key that replaces it, or NULL.
 */
const char *conf_old_key(const char *, const char **now);
/*
 * Warns of a key that does not exist, and names the key that a misspelt one
 * comes close to. where continues the sentence.
 */
void conf_unknown_key(struct conf_ctx *, const char *name, const char *where);

/* peruser.c: reads the text of a per-user file into users. */
void conf_users_parse(struct conf_ctx *, struct conf *, const char *, size_t);
/* Reads one line of it, without its comment. */
void conf_users_line(struct conf_ctx *, struct conf *, const char *, size_t);
/*
 * Call it last: sorts the entries, keeps the first of each user, and copies
 * into each the global settings that it does not change.
 */
void conf_users_done(struct conf_ctx *, struct conf *);
/* A line "@user ..." for each entry, which conf_users_line() reads back. */
void conf_users_print(FILE *, const struct conf *);
void conf_users_free(struct conf *);

#endif
