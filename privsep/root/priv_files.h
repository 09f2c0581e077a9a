/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#ifndef PRIVSEP_ROOT_PRIV_FILES_H
#define PRIVSEP_ROOT_PRIV_FILES_H

#include <sys/types.h>

#include "conf/conf.h"

/*
 * The owner of the sockets and the PID file: the daemon's user, or the user
 * that started the daemon if that is not root.
 */
struct priv_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * These functions return a descriptor, or -1 with the reason in why. They make
 * the missing directories of a path: owner root, mode 0755; the last one
 * root:gid, mode 1775, so that the daemon can remove its own files at its end,
 * and no others.
 */

/*
 * Creates the PID file, or overwrites it if no living daemon holds it. The
 * descriptor has a lock on the file and must stay open.
 */
int priv_pidfile(const char *path, const struct priv_owner *, char *why,
    size_t);
/*
 * Binds and listens: non-blocking, CLOEXEC, on inet TCP_NODELAY. Removes an old
 * UNIX socket if no process listens on it; the new one has mode 0777 & ~mask.
 */
int priv_listen(const struct conf_socket *, int mask, const struct priv_owner *,
    char *why, size_t);
/* The same for the control socket: local, SOCK_SEQPACKET, mode 0660. */
int priv_listen_control(const struct conf_socket *, const struct priv_owner *,
    char *why, size_t);
/* Writes the reason into why, closes fd unless it is -1, and returns -1. */
int priv_refuse(int fd, char *why, size_t, const char *, ...)
    __attribute__((__format__(printf, 4, 5)));

#endif
