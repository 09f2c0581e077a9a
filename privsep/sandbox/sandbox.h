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
 * The part of a sandbox that depends on the configuration and the process.
 * confine_args() (privsep/child/confine.h) fills it.
 */
struct sandbox_args {
	int partial; /* Sandbox = partial */
	int log_fd;  /* POLICYD: it may use sendto() on this; or -1 */
	/* PARENT, DNS: TCP ports to connect to; duplicates are allowed */
	uint16_t dns_ports[SANDBOX_PORTS];
	size_t ndns_ports;
	const int *read_dirs; /* PARENT: O_PATH descriptors to read below */
	size_t nread_dirs;
	const int *unlink_dirs; /* PARENT: O_PATH; to remove files below */
	size_t nunlink_dirs;
	int exe_fd;	      /* PARENT: its own image, to execute; or -1 */
	unsigned long nofile; /* RLIMIT_NOFILE; 0: unchanged */
};

/* First statement of every role: not dumpable, no core, no new privileges. */
void sandbox_early(void);
/*
 * Returns how many descriptors a process may have that wants n: not more than
 * three quarters of the hard limit. The parent keeps the rest for what it
 * sends, see parent_nofile().
 */
unsigned long sandbox_nofile(unsigned long n);
/*
 * Sets rlimits, Landlock and seccomp, in this order; they cannot be undone.
 * The caller has opened all files that it needs. Exits when Landlock or
 * seccomp is missing; with partial, logs that and returns.
 */
void sandbox_enter(enum sandbox_role, const struct sandbox_args *);
struct sandbox_state {
	int landlock_abi; /* 0: no Landlock */
	int seccomp;
};
/*
 * Gets the layers that sandbox_enter() has put on this process; the other
 * processes run on the same kernel and have the same. Returns 1 for both.
 */
int sandbox_state(struct sandbox_state *);

#endif
