/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, and the roles at their start. */

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "privsep/child/statpage.h"

#define STATPAGE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int
statpage_new(const struct stats **map)
{
	void *p = MAP_FAILED;
	int fd, saved;

	fd = memfd_create("stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	if (ftruncate(fd, sizeof(struct stats)) == -1 ||
	    fcntl(fd, F_ADD_SEALS, STATPAGE_SEALS) == -1 ||
	    (p = mmap(NULL, sizeof(struct stats), PROT_READ, MAP_SHARED, fd,
		 0)) == MAP_FAILED) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	*map = p;
	return fd;
}

void
statpage_free(const struct stats *map)
{
	if (map != NULL)
		munmap((void *)(uintptr_t)map, sizeof(*map));
}

int
statpage_use(int fd)
{
	struct stat st;
	unsigned int i;
	void *p;

	if (fstat(fd, &st) == -1 || st.st_size != sizeof(struct stats) ||
	    (fcntl(fd, F_GET_SEALS) & STATPAGE_SEALS) != STATPAGE_SEALS)
		return -1;
	p = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -1;
	stats = p;
	for (i = 0; i < STAT_MAX; i++)
		if (stat_kind(i) == STAT_GAUGE)
			stats->v[i] = 0;
	return 0;
}
