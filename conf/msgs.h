/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_MSGS_H
#define CONF_MSGS_H

#include "conf/local.h"

/*
 * Adds a message about the place where the reader is. A warning about a
 * child's text is dropped: the parent has reported it.
 */
void conf_warn(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * An error; only a warning for a key of the other program, and in the
 * per-user file, where it ends the line. Returns -1.
 */
int conf_refuse(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* The same, but an error also for a key of the other program. */
int conf_refuse_any(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * A quoted, escaped and shortened copy for a message; it stays valid for
 * the next three calls.
 */
const char *conf_show(const char *);

/* These exit the process when there is no memory. */
void *conf_xcalloc(size_t, size_t);
/* Room for one more after n elements of that size; grows by doubling. */
void *conf_xgrow(void *, size_t n, size_t size);
/* A NUL-terminated copy of n octets. */
char *conf_xstrndup(const char *, size_t n);

#endif
