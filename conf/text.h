/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Takes the next line off a text; LF, CRLF and CR end a line. The line has
 * no terminator. Returns 0 at the end of the text.
 */
int conf_line(const char **text, size_t *len, const char **line, size_t *n);
/* Skips a byte order mark; returns 1 when there was one. */
int conf_skip_bom(const char **text, size_t *len);
/* NULL, or why a value is refused: not UTF-8, or a control character. */
const char *conf_dirty(const char *, size_t);
/* ASCII capitals to lower case, in place. */
void conf_lower(char *);
/* A decimal port from 1 to 65535: 0, or -1. */
int conf_port(const char *, size_t, uint16_t *);

#endif
