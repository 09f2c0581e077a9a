/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; before and after the drop. */

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/start/config.h"

#define RESOLV_MAX 65536

/* 0 when the file is a link to one in another directory. */
static int
config_is_direct(const char *path, int dirfd)
{
	char dir[PATH_MAX];
	struct stat a, b;

	strlcpy(dir, path, sizeof(dir));
	return stat(dirname(dir), &a) == 0 && fstat(dirfd, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct config_file *
config_file_find(const struct config_files *f, const char *path)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			return &f->v[i];
	return NULL;
}

/*
 * Keeps the real directory of a file open, if it can be opened. The sandbox
 * allows the directory, not the file: editors and resolvconf replace a file by
 * a new one, to which a rule for the old one does not apply. Because of
 * /etc/resolv.conf the parent may thus read each file in /etc that all users
 * may read; it gets no path from other processes.
 */
static void
config_remember(struct config_files *f, const char *path)
{
	char real[PATH_MAX], dir[PATH_MAX];
	struct config_file *v;

	if (config_file_find(f, path) != NULL)
		return;
	if (realpath(path, real) == NULL)
		strlcpy(real, path, sizeof(real));
	strlcpy(dir, real, sizeof(dir));
	if ((v = recallocarray(f->v, f->n, f->n + 1, sizeof(*v))) == NULL)
		fatal("config_remember");
	f->v = v;
	v += f->n;
	if ((v->path = strdup(path)) == NULL ||
	    (v->base = strdup(basename(real))) == NULL)
		fatal("config_remember");
	v->dirfd = open(dirname(dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	v->direct = config_is_direct(path, v->dirfd);
	f->n++;
}

/*
 * Opens the directories where resolv.conf may lie later: a daemon of the
 * machine replaces it, or makes it a link into one of these.
 */
static void
config_remember_resolvconf(struct config_files *f)
{
	static const char *const dirs[] = { "/etc", "/run/systemd/resolve",
		"/run/resolvconf", "/etc/resolvconf/run",
		"/run/NetworkManager" };
	size_t i, n = sizeof(dirs) / sizeof(dirs[0]);
	struct config_file *v;
	int fd;

	config_remember(f, CONFIG_RESOLV_CONF);
	for (i = 0; i < n; i++) {
		fd = open(dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			continue;
		v = recallocarray(f->v, f->n, f->n + 1, sizeof(*v));
		if (v == NULL ||
		    asprintf(&v[f->n].path, "%s/resolv.conf", dirs[i]) == -1 ||
		    (v[f->n].base = strdup("resolv.conf")) == NULL)
			fatal("config_remember_resolvconf");
		f->v = v;
		v[f->n].dirfd = fd;
		v[f->n++].direct = 1;
	}
}

void
config_files_free(struct config_files *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].base);
		if (f->v[i].dirfd != -1)
			close(f->v[i].dirfd);
	}
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static FILE *
config_stream(int fd)
{
	FILE *fp;

	if (fd == -1)
		return NULL;
	if ((fp = fdopen(fd, "r")) == NULL)
		close(fd);
	return fp;
}

static FILE *
config_open_below(int dirfd, const char *base)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd;

	fd = (int)syscall(SYS_openat2, dirfd, base, &how, sizeof(how));
	/*
	 * systemd's RestrictSUIDSGID= forbids openat2(). For a name without
	 * '/', openat() is as strict.
	 */
	if (fd == -1 && errno == ENOSYS && strchr(base, '/') == NULL &&
	    strcmp(base, "..") != 0)
		fd = openat(dirfd, base,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	return config_stream(fd);
}

/* Returns the open directory that a path without links lies in, or -1. */
static int
config_dirfd(const struct config_files *f, const char *path)
{
	char copy[PATH_MAX], known[PATH_MAX], *dir;
	size_t i;

	strlcpy(copy, path, sizeof(copy));
	dir = dirname(copy);
	for (i = 0; i < f->n; i++) {
		strlcpy(known, f->v[i].path, sizeof(known));
		if (f->v[i].direct && strcmp(dirname(known), dir) == 0)
			return f->v[i].dirfd;
	}
	return -1;
}

/* Opens the directory of Include; at a reload, only one of the start. */
static int
config_dir(void *arg, const char *path)
{
	struct config_files *f = arg;
	char copy[PATH_MAX];
	struct stat st, known;
	int fd;

	if (!f->sealed)
		config_remember(f, path);
	strlcpy(copy, path, sizeof(copy));
	if ((fd = config_dirfd(f, path)) == -1) {
		if (stat(dirname(copy), &st) == 0)
			errno = EACCES;
		return -1;
	}
	/* not silently the old one: a new directory needs a restart */
	if (f->sealed && stat(dirname(copy), &st) == 0 &&
	    fstat(fd, &known) == 0 &&
	    (st.st_dev != known.st_dev || st.st_ino != known.st_ino)) {
		errno = ESTALE;
		return -1;
	}
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static FILE *
config_open(void *arg, const char *path)
{
	struct config_files *f = arg;
	const struct config_file *v;
	char base[PATH_MAX];
	int fd;

	if (!f->sealed) {
		config_remember(f, path);
		return config_stream(
		    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	}
	if ((v = config_file_find(f, path)) != NULL)
		return config_open_below(v->dirfd, v->base);
	/* a new file in a known directory */
	strlcpy(base, path, sizeof(base));
	if ((fd = config_dirfd(f, path)) != -1)
		return config_open_below(fd, basename(base));
	errno = EACCES;
	return NULL;
}

int
config_resolvconf(struct conf_servers *servers, const char **why)
{
	char *text;
	size_t n = 0;
	FILE *fp;
	int fd, named;

	*why = NULL;
	if ((text = malloc(RESOLV_MAX)) == NULL)
		fatal("config_resolvconf");
	/* follows links, which the sandbox ends at the known directories */
	fd = open(CONFIG_RESOLV_CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || (fp = fdopen(fd, "r")) == NULL)
		*why = strerror(errno);
	else {
		n = fread(text, 1, RESOLV_MAX, fp);
		if (ferror(fp))
			*why = strerror(errno);
		fclose(fp);
	}
	named = conf_resolvconf(text, n, servers) != 0;
	free(text);
	if (*why == NULL && !named)
		*why = "no nameserver line with an address";
	return *why == NULL ? 0 : -1;
}

void
config_nameservers(struct conf *conf, struct config_files *f,
    const struct conf_servers *old)
{
	const char *why;

	if (f != NULL && !f->sealed)
		config_remember_resolvconf(f);
	if (conf->nameservers.n != 0)
		return;
	conf->nameservers_found = 1;
	if (config_resolvconf(&conf->nameservers, &why) == 0)
		return;
	log_warnx("%s: %s; %s", CONFIG_RESOLV_CONF, why,
	    old != NULL ? "the resolvers in use stay" : "asking 127.0.0.1");
	if (old != NULL)
		conf_servers_copy(&conf->nameservers, old);
}

void
config_say_log(int pri, const char *text, void *arg)
{
	log_line(pri, "%s%s", pri == LOG_ERR ? "" : "warning: ", text);
}

void
config_say_stderr(int pri, const char *text, void *arg)
{
	fprintf(stderr, "%s%s\n", pri == LOG_ERR ? "" : "warning: ", text);
}

struct conf *
config_load(enum conf_program program, const char *path, int explicit,
    struct config_files *f, config_say_fn say, void *arg)
{
	struct conf_reader reader = { config_open, f, config_dir,
		f != NULL && f->environment ? environ : NULL };
	struct conf_msgs msgs;
	struct conf *conf;
	char *text;
	size_t i;

	conf = conf_load(program, path, explicit, f == NULL ? NULL : &reader,
	    &msgs);
	for (i = 0; i < msgs.n; i++) {
		if ((text = conf_msg_text(path, &msgs.v[i])) == NULL)
			continue;
		say(msgs.v[i].error ? LOG_ERR : LOG_WARNING, text, arg);
		free(text);
	}
	conf_msgs_free(&msgs);
	return conf;
}
