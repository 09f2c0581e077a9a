/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, before its sandbox. */

#ifndef PRIVSEP_START_CTLCONN_H
#define PRIVSEP_START_CTLCONN_H

/*
 * Connects to the daemon's control socket; the daemon checks the user who
 * calls this. Returns a non-blocking descriptor, or -1 with errno:
 * ENAMETOOLONG when path is too long for a socket, EAGAIN when the daemon
 * does not accept.
 */
int ctlconn_open(const char *path);

#endif
