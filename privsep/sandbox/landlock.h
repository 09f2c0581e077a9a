/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_SANDBOX_LANDLOCK_H
#define PRIVSEP_SANDBOX_LANDLOCK_H

#include <stdint.h>

/*
 * Structs and bits of <linux/landlock.h> up to ABI 7; Debian 12's header has
 * ABI 2 only.
 */
struct ll_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};
struct ll_path {
	uint64_t access;
	int32_t fd;
} __attribute__((__packed__));
struct ll_port {
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
#define LL_FS_V1	  ((1ULL << 13) - 1)
#define LL_FS_V2	  ((1ULL << 14) - 1) /* refer */
#define LL_FS_V3	  ((1ULL << 15) - 1) /* truncate */
#define LL_FS_V5	  ((1ULL << 16) - 1) /* ioctl on devices */
#define LL_NET_BIND	  (1ULL << 0)
#define LL_NET_CONNECT	  (1ULL << 1)

#endif
