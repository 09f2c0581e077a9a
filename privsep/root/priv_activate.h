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
 * Takes over the listeners that the service manager opened (sd_listen_fds(3)):
 * reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES and removes them from the
 * environment. Sets fd[] to the descriptors, or to -1. Each must listen and be
 * SOCK_STREAM; that for control must be local and SOCK_SEQPACKET. Makes them
 * non-blocking, CLOEXEC and, on inet, TCP_NODELAY. Returns 0, or -1 with the
 * reason in why if a socket is of another kind: clients of it would hang.
 */
int priv_activate(int fd[ACTIVATE_MAX], char *why, size_t);

#endif
