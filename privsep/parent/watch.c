/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop. */

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/parent/watch.h"

#define WATCH_SECONDS 2

/* What the file was when it was last looked at; all 0: not there. */
static struct {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
} watch_seen;

/* stat(2) by the folder that was opened at start; Landlock allows that. */
static void
watch_stat(struct parent *p, const char *path, struct stat *st)
{
	size_t i;
	int rc = -1;

	for (i = 0; i < p->files.n; i++)
		if (strcmp(p->files.v[i].path, path) == 0)
			break;
	if (i < p->files.n)
		rc = fstatat(p->files.v[i].dirfd, p->files.v[i].base, st, 0);
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
	struct parent *p = arg;
	const char *path;
	struct stat st;

	if (p->stopping || p->cur == NULL || p->next != NULL)
		return;
	path = p->cur->conf->per_user_path;
	if (*path == '\0')
		return;
	watch_stat(p, path, &st);
	if (!watch_differs(&st))
		return;
	watch_keep(&st);
	log_info("%s changed", path);
	(void)parent_reload(p, config_say_log, NULL);
}

void
watch_start(struct parent *p, const struct conf *conf)
{
	static const struct timeval every = { WATCH_SECONDS, 0 };
	struct event *ev;
	struct stat st;

	if (conf->per_user_path[0] != '\0') {
		watch_stat(p, conf->per_user_path, &st);
		watch_keep(&st);
	}
	ev = event_new(p->base, -1, EV_PERSIST, watch_look, p);
	if (ev == NULL || event_add(ev, &every) == -1)
		fatalx("watch_start: no event");
}
