/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_SANDBOX_SANDBOX_H
#define PRIVSEP_SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* The rows of the one table: who is confined how. */
enum sandbox_role {
	SANDBOX_NONE = 0,
	SANDBOX_PARENT,
	SANDBOX_DNS,
	SANDBOX_WORKER,
	SANDBOX_LIBMILTER,
	SANDBOX_SHADOW,
	SANDBOX_POLICYD, /* worker on stdin and stdout, with its log */
	SANDBOX_CTL,	 /* spfctl */
	SANDBOX_MAX
};

/* What only the process itself knows. */
struct sandbox_args {
	int partial;		   /* Sandbox = partial */
	int log_fd;		   /* POLICYD: may sendto() on it; or -1 */
	const uint16_t *dns_ports; /* DNS: TCP ports it may connect to */
	size_t ndns_ports;
	const int *read_dirs; /* PARENT: O_PATH descriptors to read below */
	size_t nread_dirs;
	const int *unlink_dirs; /* PARENT: may remove files below */
	size_t nunlink_dirs;
	int exe_fd;	      /* PARENT, POLICYD before exec; or -1 */
	unsigned long nofile; /* 0: leave */
};

/* First statement of every role: not dumpable, no core, no new privileges. */
void sandbox_early(void);
/*
 * rlimits, Landlock, seccomp, in that order, for good. Every file that the
 * role needs is open by now. Dies when a layer is missing, unless partial;
 * then logs what is missing.
 */
void sandbox_enter(enum sandbox_role, const struct sandbox_args *);
/*
 * What sandbox_enter() has put on this process; all processes of a daemon
 * have the same kernel. 1: both layers.
 */
struct sandbox_state {
	int landlock_abi; /* 0: no Landlock */
	int seccomp;
};
int sandbox_state(struct sandbox_state *);

#endif
