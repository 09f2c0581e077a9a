/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: what each ABI of Landlock restricts. */

#include <stddef.h>
#include <string.h>

#include "privsep/sandbox/landlock.h"

/*
 * What an ABI adds. Without LL_FS_REFER a kernel refuses all that it would
 * restrict; ABI 7 adds flags for the audit log, whose defaults are right: it
 * gets what a process tries after it has confined itself.
 */
static const struct {
	int abi;
	struct landlock_ruleset add;
	const char *what; /* NULL: an older kernel lacks nothing */
} abis[] = {
	{ 1, { .fs = LL_FS_V1 }, "files" },
	{ 2, { .fs = LL_FS_REFER }, NULL },
	{ 3, { .fs = LL_FS_TRUNCATE }, "truncate(2)" },
	{ 4, { .net = LL_NET_BIND | LL_NET_CONNECT }, "TCP ports" },
	{ 5, { .fs = LL_FS_IOCTL_DEV }, "ioctl(2) on devices" },
	{ 6, { .scoped = LL_SCOPE_ABSTRACT | LL_SCOPE_SIGNAL },
	    "signals, abstract sockets" },
};

size_t
landlock_rights(int abi, uint64_t scoped, struct landlock_ruleset *r)
{
	size_t i, size = 0;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		if (abis[i].abi > abi)
			break;
		r->fs |= abis[i].add.fs;
		r->net |= abis[i].add.net;
		r->scoped |= abis[i].add.scoped & scoped;
		if (abis[i].add.scoped != 0)
			size = sizeof(*r);
		else if (abis[i].add.net != 0)
			size = offsetof(struct landlock_ruleset, scoped);
		else if (size == 0)
			size = offsetof(struct landlock_ruleset, net);
	}
	return size;
}

char *
landlock_lacks(int abi, char *buf, size_t size)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		if (abis[i].abi <= abi || abis[i].what == NULL)
			continue;
		if (buf[0] != '\0')
			(void)strlcat(buf, ", ", size);
		(void)strlcat(buf, abis[i].what, size);
	}
	return buf;
}
