/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/parent/watch.h"

#define WATCH_SECONDS 2

/* A file as it was seen last; all 0: it did not exist. */
struct watch_seen {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

static const struct parent_ops *watch_ops;
static const struct config_files *watch_files;
static struct watch_seen watch_per_user, watch_resolvconf;

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
watch_differs(const struct watch_seen *seen, const struct stat *st)
{
	return st->st_dev != seen->dev || st->st_ino != seen->ino ||
	    st->st_size != seen->size ||
	    st->st_mtim.tv_sec != seen->mtime.tv_sec ||
	    st->st_mtim.tv_nsec != seen->mtime.tv_nsec;
}

static void
watch_keep(struct watch_seen *seen, const struct stat *st)
{
	seen->dev = st->st_dev;
	seen->ino = st->st_ino;
	seen->size = st->st_size;
	seen->mtime = st->st_mtim;
}

/*
 * Does not reload: the administrator may be editing the configuration, and
 * connections of an old generation would ask servers that are gone.
 */
static void
watch_look_resolvconf(struct generation *g)
{
	struct conf_servers servers = { NULL, 0 };
	const char *why;
	struct stat st;

	if (!g->conf->nameservers_found)
		return;
	/* follows links, also where they lead elsewhere than at the start */
	if (stat(CONFIG_RESOLV_CONF, &st) == -1)
		memset(&st, 0, sizeof(st));
	if (!watch_differs(&watch_resolvconf, &st))
		return;
	if (config_resolvconf(&servers, &why) == -1)
		log_warnx("%s: %s; the resolvers in use stay",
		    CONFIG_RESOLV_CONF, why);
	else if (!conf_servers_equal(&servers, &g->conf->nameservers)) {
		if (generation_nameservers(g, &servers) == -1)
			goto done;
		log_info("%s changed: dns asks its servers now",
		    CONFIG_RESOLV_CONF);
	}
	watch_keep(&watch_resolvconf, &st);
done:
	conf_servers_free(&servers);
}

static void
watch_look(evutil_socket_t fd, short what, void *arg)
{
	const struct parent_ops *ops = watch_ops;
	struct generation *g;
	const char *path;
	struct stat st;

	if (ops->state(ops->arg) != PARENT_SERVING)
		return;
	g = ops->serving(ops->arg);
	watch_look_resolvconf(g);
	path = g->conf->per_user_path;
	if (*path == '\0')
		return;
	watch_stat(path, &st);
	if (!watch_differs(&watch_per_user, &st))
		return;
	watch_keep(&watch_per_user, &st);
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
		watch_keep(&watch_per_user, &st);
	}
	ev = event_new(base, -1, EV_PERSIST, watch_look, NULL);
	if (ev == NULL || event_add(ev, &every) == -1)
		fatalx("watch_start: no event");
}
