/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
				fopen(path, "re");
	if (f == NULL)
		return NULL;
	buf = slurp(f, len);
	save = errno;
	fclose(f);
	errno = save;
	return buf;
}
