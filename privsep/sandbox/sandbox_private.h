/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Shared by sandbox.c and its table only. */

#ifndef PRIVSEP_SANDBOX_SANDBOX_PRIVATE_H
#define PRIVSEP_SANDBOX_SANDBOX_PRIVATE_H

#include <seccomp.h>

#include "privsep/sandbox/landlock.h"
#include "privsep/sandbox/sandbox.h"

struct sandbox_rule {
	int nr;		    /* libseccomp's number */
	unsigned int roles; /* 1U << enum sandbox_role */
	uint32_t action;
	unsigned int nargs;
	struct scmp_arg_cmp args[3];
};

enum sandbox_net {
	NET_NONE = 0, /* no TCP connect, no bind */
	NET_DNS	      /* TCP connect to the resolvers' ports */
};

struct sandbox_profile {
	enum sandbox_net net;
	uint64_t scopes;    /* LL_SCOPE_ bits */
	int children;	    /* may start and signal processes, read files */
	int log;	    /* may send to args->log_fd */
	int output;	    /* writes to stdout, which may be a file */
	int nproc0;	    /* RLIMIT_NPROC 0 */
	unsigned int fsize; /* RLIMIT_FSIZE in MB; 0: writes no file */
	unsigned int cpu;   /* RLIMIT_CPU in seconds; 0: no limit */
	unsigned int data;  /* RLIMIT_DATA in MB; 0: no limit */
};

extern const struct sandbox_rule sandbox_rules[];
extern const size_t sandbox_nrules;
extern const struct sandbox_profile sandbox_profiles[SANDBOX_MAX];

#endif
