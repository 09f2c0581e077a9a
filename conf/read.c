/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/local.h"

static char *
slurp(FILE *f, size_t *len)
{
	struct stat st;
	char *buf = NULL;
	size_t n = 0, size = 0, k;
	int fd;

	/* A stream over memory has no descriptor. */
	if ((fd = fileno(f)) != -1) {
		if (fstat(fd, &st) == -1)
			return NULL;
		if (!S_ISREG(st.st_mode)) {
			errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
			return NULL;
		}
	}
	do {
		if (size - n < 2) {
			size = size == 0 ? 4096 : size * 2;
			if ((buf = realloc(buf, size)) == NULL)
				abort();
		}
		k = fread(buf + n, 1, size - n - 1, f);
		n += k;
	} while (k != 0 && n <= CONF_FILE_MAX);
	if (ferror(f) != 0 || n > CONF_FILE_MAX) {
		errno = n > CONF_FILE_MAX ? EFBIG : errno;
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	*len = n;
	return buf;
}

/* A FIFO must not hold up the open. */
static FILE *
open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f;

	if (fd == -1)
		return NULL;
	if ((f = fdopen(fd, "r")) == NULL)
		close(fd);
	return f;
}

char *
conf_read(struct conf_ctx *x, const char *path, size_t *len)
{
	FILE *f;
	char *buf;
	int save;

	if (x->child) {
		errno = EPERM;
		return NULL;
	}
	f = x->reader != NULL ? x->reader->open(x->reader->arg, path) :
				open_file(path);
	if (f == NULL)
		return NULL;
	buf = slurp(f, len);
	save = errno;
	fclose(f);
	errno = save;
	return buf;
}

int
conf_is_pattern(const char *path)
{
	const char *base = strrchr(path, '/');

	return strpbrk(base != NULL ? base : path, "*?[") != NULL;
}

static DIR *
open_dir(struct conf_ctx *x, const char *pattern, size_t dirlen)
{
	char *path;
	DIR *d;
	int fd;

	path = conf_xstrndup(pattern, dirlen);
	fd = x->reader != NULL ? x->reader->dir(x->reader->arg, pattern) :
				 open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (fd == -1)
		return NULL;
	if ((d = fdopendir(fd)) == NULL)
		close(fd);
	return d;
}

static int
by_octets(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

ssize_t
conf_match(struct conf_ctx *x, const char *pattern, size_t most,
    struct conf_strs *l)
{
	const size_t dirlen = (size_t)(strrchr(pattern, '/') + 1 - pattern);
	const struct dirent *e;
	ssize_t count = 0;
	char *path;
	DIR *d;

	if (x->child) {
		errno = EPERM;
		return -1;
	}
	if ((d = open_dir(x, pattern, dirlen)) == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((errno = 0, e = readdir(d)) != NULL) {
		if (fnmatch(pattern + dirlen, e->d_name, FNM_PERIOD) != 0 ||
		    (size_t)count++ >= most)
			continue;
		if (asprintf(&path, "%.*s%s", (int)dirlen, pattern,
			e->d_name) == -1)
			abort();
		conf_append(l, path);
	}
	if (errno != 0)
		count = -1;
	closedir(d);
	if (l->n != 0)
		qsort(l->v, l->n, sizeof(*l->v), by_octets);
	return count;
}
