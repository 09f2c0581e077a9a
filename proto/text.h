/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_TEXT_H
#define PROTO_TEXT_H

#include <stddef.h>

/* ASCII alone, whatever the locale. */
static inline int
ascii_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Length of the UTF-8 sequence at s (1..4), or 0 when it is not legal. */
size_t utf8_len(const char *, size_t);
/* 1 when all of it is legal UTF-8 without C0, DEL and C1 controls. */
int utf8_clean(const char *, size_t);
/*
 * Copy for a log line: printable ASCII and legal UTF-8 as they are, unless
 * it moves what is around it; everything else as \xHH, backslash as \\. Always
 * NUL-terminated; returns the length written, cut at a whole character when
 * size does not do.
 */
size_t text_escape_log(char *, size_t, const char *, size_t);

#endif
