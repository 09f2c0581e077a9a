/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_SANDBOX_SANDBOX_H
#define PRIVSEP_SANDBOX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Each has a row in sandbox_table.c and one in privsep/child/role_table.c. */
enum sandbox_role {
	SANDBOX_NONE = 0,
	SANDBOX_PARENT,
	SANDBOX_DNS,
	SANDBOX_WORKER,
	SANDBOX_LIBMILTER,
	SANDBOX_SHADOW,
	SANDBOX_POLICYD, /* policyd-spf: a worker on stdin and stdout */
	SANDBOX_CTL,	 /* spfctl */
	SANDBOX_MAX
};

#define SANDBOX_PORTS 9

/*
 * What the sandbox of a role depends on. privsep/child/confine.h fills it from
 * the configuration.
 */
struct sandbox_args {
	int partial; /* Sandbox = partial */
	int log_fd;  /* POLICYD: may sendto() on it; or -1 */
	/* PARENT, DNS: TCP ports to connect to; one may be listed twice */
	uint16_t dns_ports[SANDBOX_PORTS];
	size_t ndns_ports;
	const int *read_dirs; /* PARENT: O_PATH descriptors to read below */
	size_t nread_dirs;
	const int *unlink_dirs; /* PARENT: may remove files below */
	size_t nunlink_dirs;
	int exe_fd;	      /* PARENT: its own image, to execute; or -1 */
	unsigned long nofile; /* 0: unchanged */
};

/* The first statement of a role: not dumpable, no core, no new privileges. */
void sandbox_early(void);
/*
 * Sets rlimits, Landlock and seccomp, in that order and for good. The caller
 * has opened all files that it needs. If Landlock or seccomp is missing, exits,
 * or with partial logs which one.
 */
void sandbox_enter(enum sandbox_role, const struct sandbox_args *);
/*
 * The layers that this process has; those of the daemon's other processes are
 * the same, as they run on the same kernel. Returns 1 if it has both.
 */
struct sandbox_state {
	int landlock_abi; /* 0: no Landlock */
	int seccomp;
};
int sandbox_state(struct sandbox_state *);

#endif
