/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; the parent's children read no files. */

#ifndef CONF_PERUSER_H
#define CONF_PERUSER_H

#include "conf/local.h"

/* Reads the text of a per-user file into users. */
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
