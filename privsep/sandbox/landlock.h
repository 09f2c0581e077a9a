/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_SANDBOX_LANDLOCK_H
#define PRIVSEP_SANDBOX_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Structs and bits of <linux/landlock.h> up to ABI 7; Debian 12's header has
 * ABI 2 only.
 */
struct landlock_ruleset {
	uint64_t fs;
	uint64_t net;	 /* from ABI 4 on */
	uint64_t scoped; /* from ABI 6 on */
};
struct landlock_path {
	uint64_t access;
	int32_t fd;
} __attribute__((__packed__));
struct landlock_port {
	uint64_t access;
	uint64_t port;
};

#define LL_RULE_PATH	  1
#define LL_RULE_PORT	  2
#define LL_CREATE_VERSION 1

#define LL_FS_EXECUTE	  (1ULL << 0)
#define LL_FS_READ_FILE	  (1ULL << 2)
#define LL_FS_READ_DIR	  (1ULL << 3)
#define LL_FS_REMOVE_FILE (1ULL << 5)
#define LL_FS_REFER	  (1ULL << 13)
#define LL_FS_TRUNCATE	  (1ULL << 14)
#define LL_FS_IOCTL_DEV	  (1ULL << 15)
#define LL_FS_V1	  (LL_FS_REFER - 1) /* all others */
#define LL_NET_BIND	  (1ULL << 0)
#define LL_NET_CONNECT	  (1ULL << 1)
#define LL_SCOPE_ABSTRACT (1ULL << 0)
#define LL_SCOPE_SIGNAL	  (1ULL << 1)

/*
 * Fills in the rights to restrict on a kernel with this ABI, of scoped only
 * those given. Returns the size of the struct that this kernel knows; 0, with
 * no rights, if abi is below 1. An ABI above 7 has those of 7.
 */
size_t landlock_rights(int abi, uint64_t scoped, struct landlock_ruleset *);
/*
 * Writes what a kernel with this ABI cannot restrict, as "TCP ports, ioctl(2)
 * on devices"; "" for nothing. LL_LACKS_LEN octets are enough. Returns buf.
 */
#define LL_LACKS_LEN 128
char *landlock_lacks(int abi, char *buf, size_t size);
/* Returns the running kernel's ABI; below 1: it has no Landlock. */
int landlock_abi(void);

#endif
