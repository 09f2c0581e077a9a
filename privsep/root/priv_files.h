/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#ifndef PRIVSEP_ROOT_PRIV_FILES_H
#define PRIVSEP_ROOT_PRIV_FILES_H

#include <sys/types.h>

#include "conf/conf.h"

/*
 * The owner of sockets and PID file: the daemon's user, or who started it
 * when that is not root.
 */
struct priv_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * All functions make missing directories of the path: owner root, mode 0755;
 * the last one root:gid, mode 1775, so that the daemon can remove its own
 * files at its end, and no others.
 */

/*
 * Takes over a PID file: creates it or, when no living daemon holds it,
 * overwrites it. Returns its locked descriptor, which must stay open; -1
 * with a text in why.
 */
int priv_pidfile(const char *path, const struct priv_owner *, char *why,
    size_t);
/*
 * Binds and listens: non-blocking, CLOEXEC, TCP_NODELAY on inet. A stale
 * UNIX socket is removed only when nobody listens on it; mode 0777 less
 * umask. Returns the descriptor; -1 with a text in why.
 */
int priv_listen(const struct conf_socket *, int mask, const struct priv_owner *,
    char *why, size_t);
/*
 * The same for the control socket: SOCK_SEQPACKET, mode 0660, user and
 * group of the daemon; local only.
 */
int priv_listen_control(const struct conf_socket *, const struct priv_owner *,
    char *why, size_t);

#endif
