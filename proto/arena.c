/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. No system calls but malloc's. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/arena.h"

/*
 * Under AddressSanitizer each object has its own malloc, so that an overrun
 * into the next object is detected.
 */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_APART 1
#endif
#endif
#ifndef ARENA_APART
#define ARENA_APART 0
#endif

#define ARENA_ALIGN   (sizeof(max_align_t) > 16 ? 16 : sizeof(max_align_t))
#define ARENA_FIRST   8192
#define ARENA_BIGGEST 65536

struct chunk {
	struct chunk *next; /* older */
	size_t size;
	_Alignas(16) unsigned char data[];
};

struct arena {
	struct chunk *chunk; /* newest: allocations come from it */
	size_t used;	     /* of the newest */
	size_t held;	     /* by all chunks */
	size_t limit;
	int failed;
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a;

	if ((a = calloc(1, sizeof(*a))) != NULL)
		a->limit = limit;
	return a;
}

void
arena_reset(struct arena *a)
{
	struct chunk *c, *next;

	for (c = a->chunk; c != NULL; c = next) {
		next = c->next;
		if (next == NULL && !ARENA_APART)
			break;
		a->held -= c->size;
		free(c);
	}
	a->chunk = c;
	a->used = 0;
	a->failed = 0;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	free(a->chunk);
	free(a);
}

int
arena_failed(const struct arena *a)
{
	return a->failed;
}

/* Adds a chunk with room for n octets; sizes double up to ARENA_BIGGEST. */
static struct chunk *
chunk_add(struct arena *a, size_t n)
{
	size_t size = a->chunk == NULL ? ARENA_FIRST : a->chunk->size * 2;
	struct chunk *c;

	if (size > ARENA_BIGGEST)
		size = ARENA_BIGGEST;
	if (size > a->limit - a->held)
		size = a->limit - a->held;
	if (size < n || ARENA_APART)
		size = n;
	if (size > a->limit - a->held)
		return NULL;
	if ((c = malloc(sizeof(*c) + size)) == NULL)
		return NULL;
	c->size = size;
	c->next = a->chunk;
	a->chunk = c;
	a->used = 0;
	a->held += size;
	return c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->chunk;
	void *p;

	if (a->failed)
		return NULL;
	if (n == 0)
		n = 1;
	if ((ARENA_APART || c == NULL || n > c->size - a->used) &&
	    (c = chunk_add(a, n)) == NULL) {
		a->failed = 1;
		return NULL;
	}
	p = c->data + a->used;
	n = n > SIZE_MAX - ARENA_ALIGN ?
	    n :
	    (n + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (n > c->size - a->used)
		n = c->size - a->used;
	a->used += n;
	return memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		a->failed = 1;
		return NULL;
	}
	return arena_alloc(a, total);
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p;

	if (len == SIZE_MAX) {
		a->failed = 1;
		return NULL;
	}
	if ((p = arena_alloc(a, len + 1)) != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = arena_alloc(a, (size_t)n + 1)) == NULL) {
		a->failed = 1;
		return NULL;
	}
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
