/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; the parent's children read no files. */

#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/local.h"

/*
 * Reads a whole file by the context's reader. Returns the contents, malloced
 * and NUL-terminated; or NULL with errno: EFBIG above CONF_FILE_MAX, EISDIR or
 * EINVAL for a file that is not regular, EPERM in a child.
 */
char *conf_read(struct conf_ctx *, const char *path, size_t *len);

#endif
