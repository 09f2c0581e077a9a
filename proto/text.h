/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_TEXT_H
#define PROTO_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* The number of elements of an array. */
#ifndef nitems
#define nitems(a) (sizeof(a) / sizeof((a)[0]))
#endif

/*
 * Classes of ASCII characters in every locale. The argument is a char or an
 * octet; values outside ASCII belong to no class and stay as they are.
 */
static inline int
ascii_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static inline int
ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline int
ascii_is_alpha(int c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static inline int
ascii_is_alnum(int c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Letters, digits, hyphen (RFC 5890 2.3.1). */
static inline int
ascii_is_ldh(int c)
{
	return ascii_is_alnum(c) || c == '-';
}

/* Printable, with the space. */
static inline int
ascii_is_print(int c)
{
	return c >= ' ' && c <= '~';
}

/* 1 when all octets are ASCII, control characters included. */
int ascii_only(const char *, size_t);

/* Length of the UTF-8 sequence at s (1..4), or 0 when it is not legal. */
size_t utf8_len(const char *, size_t);
/* The same; stores the code point when the sequence is legal. */
size_t utf8_decode(const char *, size_t, uint32_t *);
/* 1 when all octets are legal UTF-8 without C0, DEL and C1 controls. */
int utf8_clean(const char *, size_t);
/*
 * Copies text for a log line: printable ASCII and legal UTF-8 stay, except
 * characters that reorder or break the line; a backslash becomes \\ and each
 * other octet \xHH. The copy is NUL-terminated, and cut between characters
 * when size is too small. Returns its length.
 */
size_t text_escape_log(char *out, size_t size, const char *, size_t);

#endif
