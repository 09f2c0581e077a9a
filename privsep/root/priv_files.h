/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#ifndef PRIVSEP_ROOT_PRIV_FILES_H
#define PRIVSEP_ROOT_PRIV_FILES_H

#include <sys/types.h>

#include "conf/conf.h"

/*
 * The owner of sockets and PID file: the daemon's user, or the user who
 * started it when that is not root.
 */
struct priv_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * All functions make the missing directories of the path: root's, mode 0755;
 * the last one with the daemon's group and mode 1775, so that the daemon can
 * remove its own files at its end, and no others.
 */

/*
 * Creates a PID file, or overwrites one that no running daemon has. Returns
 * its locked descriptor, which must stay open; -1 with a text in why.
 */
int priv_pidfile(const char *path, const struct priv_owner *, char *why,
    size_t);
/*
 * Binds and listens: non-blocking, CLOEXEC, TCP_NODELAY on inet. The file of
 * a UNIX socket has mode 0777 less mask; an old one is replaced only when no
 * process listens on it. Returns the descriptor; -1 with a text in why.
 */
int priv_listen(const struct conf_socket *, int mask, const struct priv_owner *,
    char *why, size_t);
/* The same for the control socket: local, SOCK_SEQPACKET, mode 0660. */
int priv_listen_control(const struct conf_socket *, const struct priv_owner *,
    char *why, size_t);

#endif
