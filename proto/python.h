/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#ifndef PROTO_PYTHON_H
#define PROTO_PYTHON_H

#include <stddef.h>

/*
 * Python's treatment of text, as it shows in spf-engine's files, log lines and
 * replies. Output is NUL-terminated and cut to size, which is at least 1.
 */

/* The ASCII characters that str.strip() removes. */
#define PYTHON_SPACES " \t\n\v\f\r\x1c\x1d\x1e\x1f"
/* Moves both ends of the n octets at *s inwards as str.strip() does. */
void python_strip(const char **s, size_t *n);
/* 1 when the text has a character that str.strip() would remove. */
int python_has_space(const char *, size_t);

/* repr() of a text without controls; up to 2 * strlen() + 3 octets. */
void python_repr(char *out, size_t size, const char *);

struct python_field {
	const char *name;
	const char *value;
};

/*
 * str.format() of a template with n fields: {name}, {name!s}, {name!r}, each
 * with a format of fill, alignment, width and precision; {{ and }} are braces.
 * Other braces are copied. !r adds quotes and escapes nothing.
 */
void python_format(char *out, size_t size, const char *template,
    const struct python_field *, size_t n);

#endif
