/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_MSGS_H
#define CONF_MSGS_H

#include "conf/local.h"

/*
 * Adds a warning about the context's place; none about a child's text, since
 * the parent has reported it.
 */
void conf_warn(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * Adds an error; but a warning for a key of the other program, and in the
 * per-user file, whose reader then ignores the line. Returns -1.
 */
int conf_refuse(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* The same, but adds an error also for a key of the other program. */
int conf_refuse_any(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * Returns a quoted, escaped and shortened copy for a message. It is valid
 * until the fourth call after this one.
 */
const char *conf_show(const char *);

/* These exit the process when there is no memory. */
void *conf_xcalloc(size_t, size_t);
/* Returns the array with room for one more after n elements. */
void *conf_xgrow(void *, size_t n, size_t size);
/* Returns a NUL-terminated copy of n octets. */
char *conf_xstrndup(const char *, size_t n);
/* Appends an item to a list, a struct with an array v of n items. */
#define conf_push(l, item)                                     \
	((l)->v = conf_xgrow((l)->v, (l)->n, sizeof(*(l)->v)), \
	    (l)->v[(l)->n++] = (item))

#endif
