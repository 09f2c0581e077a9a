/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; the children of a parent read no files. */

#ifndef CONF_PERUSER_H
#define CONF_PERUSER_H

#include "conf/local.h"

/* Reads the text of a per-user file into users. */
void conf_users_parse(struct conf_ctx *, struct conf *, const char *, size_t);
/* Reads one line of it, without its comment. */
void conf_users_line(struct conf_ctx *, struct conf *, const char *, size_t);
/*
 * To be called when all else is read: sorts the entries, keeps the first of
 * each user, and lets each share what it does not set.
 */
void conf_users_done(struct conf_ctx *, struct conf *);
/* A line "@user ..." for each entry, which conf_users_line() reads back. */
void conf_users_print(FILE *, const struct conf *);
void conf_users_free(struct conf *);

#endif
