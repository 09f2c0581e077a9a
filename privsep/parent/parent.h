/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; as root up to priv_drop(), then confined. */

#ifndef PRIVSEP_PARENT_PARENT_H
#define PRIVSEP_PARENT_PARENT_H

#include "privsep/start/config.h"

/*
 * Runs the daemon with a checked configuration: binds its sockets, writes the
 * PID file, drops root, enters the sandbox, starts children, handles signals.
 * path and files are those that conf was read from. Takes over files and conf.
 * Returns the exit status.
 */
int parent_main(const char *path, int debug, const struct config_files *,
    struct conf *);

#endif
