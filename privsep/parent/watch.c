/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/parent/watch.h"

#define WATCH_SECONDS 2

static const struct parent_ops *watch_ops;
static const struct config_files *watch_files;
/* The file's identity at the last check; all 0: it did not exist. */
static struct {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
} watch_seen;

/* Uses the directory that was opened at the start, if it is known. */
static void
watch_stat(const char *path, struct stat *st)
{
	const struct config_files *f = watch_files;
	size_t i;
	int rc = -1;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			break;
	if (i < f->n)
		rc = fstatat(f->v[i].dirfd, f->v[i].base, st, 0);
	else
		rc = stat(path, st);
	if (rc == -1)
		memset(st, 0, sizeof(*st));
}

static int
watch_differs(const struct stat *st)
{
	return st->st_dev != watch_seen.dev || st->st_ino != watch_seen.ino ||
	    st->st_size != watch_seen.size ||
	    st->st_mtim.tv_sec != watch_seen.mtime.tv_sec ||
	    st->st_mtim.tv_nsec != watch_seen.mtime.tv_nsec;
}

static void
watch_keep(const struct stat *st)
{
	watch_seen.dev = st->st_dev;
	watch_seen.ino = st->st_ino;
	watch_seen.size = st->st_size;
	watch_seen.mtime = st->st_mtim;
}

static void
watch_look(evutil_socket_t fd, short what, void *arg)
{
	const struct parent_ops *ops = watch_ops;
	const char *path;
	struct stat st;

	if (ops->state(ops->arg) != PARENT_SERVING)
		return;
	path = ops->serving(ops->arg)->conf->per_user_path;
	if (*path == '\0')
		return;
	watch_stat(path, &st);
	if (!watch_differs(&st))
		return;
	watch_keep(&st);
	log_info("%s changed", path);
	(void)ops->reload(ops->arg, config_say_log, NULL);
}

void
watch_start(const struct parent_ops *ops, struct event_base *base,
    const struct config_files *files, const struct conf *conf)
{
	static const struct timeval every = { WATCH_SECONDS, 0 };
	struct event *ev;
	struct stat st;

	watch_ops = ops;
	watch_files = files;
	if (conf->per_user_path[0] != '\0') {
		watch_stat(conf->per_user_path, &st);
		watch_keep(&st);
	}
	ev = event_new(base, -1, EV_PERSIST, watch_look, NULL);
	if (ev == NULL || event_add(ev, &every) == -1)
		fatalx("watch_start: no event");
}
