/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit test: what is asked of Landlock, by its ABI. */

#include "privsep/sandbox/landlock.h"
#include "regress/unit/check.h"

/*
 * By the kernel's Documentation/userspace-api/landlock.rst: the number of file
 * rights, those for TCP, the scopes, and the size of its struct.
 */
static const struct {
	int abi;
	unsigned int fs;
	uint64_t net, scoped;
	size_t size;
	const char *lacks;
} rows[] = {
	{ -1, 0, 0, 0, 0,
	    "files, truncate(2), TCP ports, ioctl(2) on devices, "
	    "signals, abstract sockets" },
	{ 0, 0, 0, 0, 0,
	    "files, truncate(2), TCP ports, ioctl(2) on devices, "
	    "signals, abstract sockets" },
	{ 1, 13, 0, 0, 8,
	    "truncate(2), TCP ports, ioctl(2) on devices, "
	    "signals, abstract sockets" },
	{ 2, 14, 0, 0, 8,
	    "truncate(2), TCP ports, ioctl(2) on devices, "
	    "signals, abstract sockets" },
	{ 3, 15, 0, 0, 8,
	    "TCP ports, ioctl(2) on devices, signals, abstract sockets" },
	{ 4, 15, 3, 0, 16, "ioctl(2) on devices, signals, abstract sockets" },
	{ 5, 16, 3, 0, 16, "signals, abstract sockets" },
	{ 6, 16, 3, 3, 24, "" },
	{ 7, 16, 3, 3, 24, "" },
	{ 8, 16, 3, 3, 24, "" },
};

int
main(void)
{
	struct landlock_ruleset r;
	char name[32], lacks[LL_LACKS_LEN];
	size_t i, size;

	for (i = 0; i < NITEMS(rows); i++) {
		snprintf(name, sizeof(name), "landlock/abi-%d", rows[i].abi);
		memset(&r, 0xff, sizeof(r));
		size = landlock_rights(rows[i].abi, 3, &r);
		check(name,
		    r.fs == (1ULL << rows[i].fs) - 1 && r.net == rows[i].net &&
			r.scoped == rows[i].scoped && size == rows[i].size,
		    "%llx %llx %llx %zu", (unsigned long long)r.fs,
		    (unsigned long long)r.net, (unsigned long long)r.scoped,
		    size);
		strlcat(name, "-lacks", sizeof(name));
		check_str(name,
		    landlock_lacks(rows[i].abi, lacks, sizeof(lacks)),
		    rows[i].lacks);
	}
	(void)landlock_rights(7, LL_SCOPE_ABSTRACT, &r);
	check("landlock/scopes-as-given", r.scoped == LL_SCOPE_ABSTRACT);
	check("landlock/lacks-fits", strlen(rows[0].lacks) < LL_LACKS_LEN);
	return check_exit();
}
