/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Takes the next line off a text, without its LF, CRLF or CR. Returns 0 at the
 * end of the text.
 */
int conf_line(const char **text, size_t *len, const char **line, size_t *n);
/* Skips a byte order mark. Returns 1 if there was one. */
int conf_skip_bom(const char **text, size_t *len);
/*
 * Returns why a value is refused (it is not UTF-8, or has a control character
 * other than TAB), or NULL.
 */
const char *conf_dirty(const char *, size_t);
/* Changes ASCII letters to lower case in place. */
void conf_lower(char *);
/* Reads a decimal port from 1 to 65535. Returns 0 or -1. */
int conf_port(const char *, size_t, uint16_t *);

#endif
