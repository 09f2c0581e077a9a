/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; policyd-spf and spfctl before their sandbox. */

#ifndef PRIVSEP_START_SPAWN_H
#define PRIVSEP_START_SPAWN_H

#include <sys/types.h>

#include "conf/conf.h"
#include "privsep/base/chan.h"

/*
 * Forks and executes the program's own image (exe_fd) with "-x ROLE", so that
 * each role has its own address space and stack canary. The child has its
 * channel at ROLE_PARENT_FD, /dev/null at 0 and 1, the caller's stderr at 2,
 * and no other descriptor. Returns the pid, and the caller's end of the
 * channel in *sock; -1 with errno.
 */
pid_t spawn_role(int exe_fd, const char *ident, enum msg_role, int *sock);
/*
 * Writes conf_print()'s text for children to a sealed memfd, which the caller
 * closes. -1 with errno.
 */
int spawn_conf_fd(const struct conf *);
/* Sends CONFIG with a copy of conf_fd. 0 or -1. */
int spawn_send_config(struct chan *, const struct conf *, int conf_fd);
/* Connects two children by a new pair: PEER to both. 0 or -1. */
int spawn_send_peers(struct chan *, enum msg_role, uint32_t id, struct chan *,
    enum msg_role, uint32_t peer_id);
/* Sends PEER with one end of a pair. 0 or -1; closes fd. */
int spawn_send_peer(struct chan *, uint32_t id, enum msg_role, int fd);
/* Opens /proc/self/exe for spawn_role(). Exits when that fails. */
int spawn_open_exe(void);
/* The roles that a program can run as; main NULL ends the table. */
struct spawn_role {
	enum msg_role role;
	int (*main)(void);
};
/* main() with "-x ROLE": runs the role and returns its status, or 64. */
int spawn_role_main(const struct spawn_role *, const char *name);

#endif
