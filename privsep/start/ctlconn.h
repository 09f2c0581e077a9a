/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, before its sandbox. */

#ifndef PRIVSEP_START_CTLCONN_H
#define PRIVSEP_START_CTLCONN_H

/*
 * Connects to the daemon's control socket: with the rights of whoever calls
 * the program, which the daemon asks the kernel for. Nothing is sent.
 * Returns a descriptor that does not block, or -1 with errno; ENAMETOOLONG
 * for what is no path of a socket, EAGAIN when the daemon does not take it.
 */
int ctlconn_open(const char *path);

#endif
