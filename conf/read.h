/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; the children of a parent read no files. */

#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/local.h"

/*
 * A whole file by the context's reader, malloced and NUL-terminated. NULL
 * with errno: EFBIG above CONF_FILE_MAX, EISDIR or EINVAL when it is no
 * regular file, EPERM in a child, which opens nothing.
 */
char *conf_read(struct conf_ctx *, const char *path, size_t *len);

#endif
