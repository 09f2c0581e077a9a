/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; as root up to priv_drop(), then confined. */

#ifndef PRIVSEP_PARENT_PARENT_H
#define PRIVSEP_PARENT_PARENT_H

#include "privsep/start/config.h"

/*
 * Runs the daemon: makes sockets and PID file, drops root, enters the sandbox,
 * starts children and handles signals. path is the configuration's, files are
 * those that it was read from. Takes over conf and files. Returns the exit
 * status.
 */
int parent_main(const char *path, int debug, const struct config_files *,
    struct conf *);

#endif
