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
/* Returns the row of a key, spelt exactly so, or NULL. */
const struct conf_row *conf_row_find(const char *);
/* Returns a key's field. */
void *conf_field(struct conf *, const struct conf_row *);
/*
 * Replaces a key's field by the value of a text, which need not be clean. On
 * an error, adds a message and returns -1, and the field stays.
 */
int conf_row_set(struct conf_ctx *, struct conf *, const struct conf_row *,
    const char *);
/* Prints a key's value as conf_row_set() reads it. */
void conf_row_print(FILE *, const struct conf *, const struct conf_row *);
/* Frees what a key's field owns. */
void conf_row_free(struct conf *, const struct conf_row *);
/*
 * Returns what to warn of for another name of a key or a key of old files, ""
 * for no warning, or NULL for other names. *now is the key to use, or NULL.
 */
const char *conf_old_key(const char *, const char **now);
/*
 * Warns about an unknown key, and suggests a key that is spelt like it. where
 * continues the sentence.
 */
void conf_unknown_key(struct conf_ctx *, const char *name, const char *where);
/* peruser.c: reads the text of a per-user file into users. */
void conf_users_parse(struct conf_ctx *, struct conf *, const char *, size_t);
/* Reads one line of such a file, without its comment. */
void conf_users_line(struct conf_ctx *, struct conf *, const char *, size_t);
/*
 * Sorts the entries, removes all but the first of each user, and copies into
 * each the fields that it does not set. Call it after all else is read.
 */
void conf_users_done(struct conf_ctx *, struct conf *);
/* Prints "@user " and a line for conf_users_line() for each entry. */
void conf_users_print(FILE *, const struct conf *);
void conf_users_free(struct conf *);

#endif
