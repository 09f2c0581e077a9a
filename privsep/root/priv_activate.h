/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#ifndef PRIVSEP_ROOT_PRIV_ACTIVATE_H
#define PRIVSEP_ROOT_PRIV_ACTIVATE_H

#include <stddef.h>

enum activate_kind {
	ACTIVATE_MILTER = 0,
	ACTIVATE_POLICY,
	ACTIVATE_CONTROL,
	ACTIVATE_MAX
};

/*
 * Takes the listeners that the service manager opened, as sd_listen_fds(3)
 * does, and removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES from the
 * environment. Each must listen and be SOCK_STREAM; the one for control local
 * and SOCK_SEQPACKET. It becomes non-blocking, CLOEXEC and, on inet,
 * TCP_NODELAY. fd[] is -1 where there is none. 0; -1 with a text in why when
 * one does not fit: connections to it would hang.
 */
int priv_activate(int fd[ACTIVATE_MAX], char *why, size_t);

#endif
