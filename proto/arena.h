/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Memory that is allocated in pieces and freed at once. An arena holds at most
 * limit octets: beyond it, and when malloc fails, allocations return NULL and
 * arena_failed() is 1 until the next reset.
 */
struct arena;

/* NULL when there is no memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *);
/* Frees all contents; keeps the first chunk for further use. */
void arena_reset(struct arena *);
int arena_failed(const struct arena *);
/* Zeroed, aligned for any object. */
void *arena_alloc(struct arena *, size_t);
/* n * size octets; an overflow fails. */
void *arena_array(struct arena *, size_t n, size_t size);
/* A copy of len octets and a NUL. */
char *arena_strndup(struct arena *, const char *, size_t);
char *arena_strdup(struct arena *, const char *);
char *arena_printf(struct arena *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));

#endif
