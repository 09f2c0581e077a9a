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
static struct stat watch_seen; /* last; all 0: the file did not exist */

/* Looks below the directory that was opened at the start, if there is one. */
static void
watch_stat(const char *path, struct stat *st)
{
	const struct config_file *f = config_file_find(watch_files, path);

	if ((f != NULL ? fstatat(f->dirfd, f->base, st, 0) : stat(path, st)) ==
	    -1)
		memset(st, 0, sizeof(*st));
}

static int
watch_differs(const struct stat *st)
{
	const struct stat *was = &watch_seen;

	return st->st_dev != was->st_dev || st->st_ino != was->st_ino ||
	    st->st_size != was->st_size ||
	    st->st_mtim.tv_sec != was->st_mtim.tv_sec ||
	    st->st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

static void
watch_look(evutil_socket_t fd, short what, void *arg)
{
	const struct parent_ops *ops = watch_ops;
	const char *path;
	struct stat st;

	if (parent_state(ops->view) != PARENT_SERVING)
		return;
	path = ops->view->cur->conf->per_user_path;
	if (*path == '\0')
		return;
	watch_stat(path, &st);
	if (!watch_differs(&st))
		return;
	watch_seen = st;
	log_info("%s changed", path);
	(void)ops->reload(ops->arg, config_say_log, NULL);
}

void
watch_start(const struct parent_ops *ops, struct event_base *base,
    const struct config_files *files, const struct conf *conf)
{
	static const struct timeval every = { WATCH_SECONDS, 0 };
	struct event *ev;

	watch_ops = ops;
	watch_files = files;
	if (conf->per_user_path[0] != '\0')
		watch_stat(conf->per_user_path, &watch_seen);
	ev = event_new(base, -1, EV_PERSIST, watch_look, NULL);
	if (ev == NULL || event_add(ev, &every) == -1)
		fatalx("watch_start: no event");
}
