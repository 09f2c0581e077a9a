/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Memory of one run: allocated piece by piece, freed at once. limit bounds
 * the octets it will ever hold; beyond it, and when malloc fails, arena_alloc
 * returns NULL and arena_failed() stays 1 until the next reset.
 */
struct arena;

struct arena *arena_new(size_t limit);
void arena_free(struct arena *);
/* Forgets all contents; keeps the first chunk for the next run. */
void arena_reset(struct arena *);
int arena_failed(const struct arena *);
/* Zeroed, aligned for any object. */
void *arena_alloc(struct arena *, size_t);
/* n * size with overflow checked. */
void *arena_array(struct arena *, size_t, size_t);
/* A copy of len octets with a NUL behind them. */
char *arena_strndup(struct arena *, const char *, size_t);
char *arena_strdup(struct arena *, const char *);
char *arena_printf(struct arena *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));

#endif
