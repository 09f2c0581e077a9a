/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * The checks of the unit tests, and the headers of libc that all tests need.
 * A check prints one line, see regress/README: its name and, on failure, what
 * it got and what it wanted.
 */

#ifndef REGRESS_UNIT_CHECK_H
#define REGRESS_UNIT_CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

/* A condition. A format and its arguments may follow, to print on failure. */
#define check(name, cond, ...)                                         \
	do {                                                           \
		int check_ok = (cond) != 0;                            \
                                                                       \
		check_print(name, check_ok, __FILE__, __LINE__, #cond, \
		    " " __VA_ARGS__);                                  \
	} while (0)
/* Numbers (name, got, want); texts, or NULL; a text and a part of it. */
#define check_int(...) check_int_at(__FILE__, __LINE__, __VA_ARGS__)
#define check_str(...) check_str_at(__FILE__, __LINE__, __VA_ARGS__)
#define check_has(...) check_has_at(__FILE__, __LINE__, __VA_ARGS__)
/* Octets (name, got, length, want, length). */
#define check_mem(...) check_mem_at(__FILE__, __LINE__, __VA_ARGS__)
#define check_exit()   (check_failures != 0)

static int check_failures;

static inline void __attribute__((format(printf, 6, 7)))
check_print(const char *name, int ok, const char *file, int line,
    const char *what, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		printf("ok %s\n", name);
		return;
	}
	printf("not ok %s - failed: %s", name, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (%s:%d)\n", file, line);
	check_failures++;
}

/* Octets as text, escaped where they are not printable ASCII. */
static inline const char *
check_show(const void *p, size_t len)
{
	static char buf[2][32768];
	static int turn;
	const unsigned char *s = p;
	size_t n = 0;

	turn = !turn;
	for (; s != NULL && len > 0 && n < sizeof(buf[0]) - 8; s++, len--)
		n += (size_t)sprintf(buf[turn] + n,
		    *s < ' ' || *s > '~' ? "\\x%02x" : "%c", *s);
	buf[turn][n] = '\0';
	return p == NULL ? "(null)" : buf[turn];
}

static inline void
check_int_at(const char *file, int line, const char *name, long long got,
    long long want)
{
	check_print(name, got == want, file, line, "", "got %lld, want %lld",
	    got, want);
}

static inline void
check_mem_at(const char *file, int line, const char *name, const void *got,
    size_t len, const void *want, size_t wantlen)
{
	int same = got == NULL || want == NULL ?
	    got == want :
	    len == wantlen && memcmp(got, want, len) == 0;

	check_print(name, same, file, line, "", "\n\tgot  %s\n\twant %s\n",
	    check_show(got, len), check_show(want, wantlen));
}

static inline void
check_str_at(const char *file, int line, const char *name, const char *got,
    const char *want)
{
	check_mem_at(file, line, name, got, got == NULL ? 0 : strlen(got), want,
	    want == NULL ? 0 : strlen(want));
}

static inline void
check_has_at(const char *file, int line, const char *name, const char *text,
    const char *part)
{
	check_print(name, text != NULL && strstr(text, part) != NULL, file,
	    line, "", "\n\tgot  %s\n\twant %s in it\n",
	    check_show(text, text == NULL ? 0 : strlen(text)), part);
}

/* A name that is put together; good until the next one is. */
static inline const char *__attribute__((format(printf, 1, 2)))
check_name(const char *fmt, ...)
{
	static char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return buf;
}

#endif
