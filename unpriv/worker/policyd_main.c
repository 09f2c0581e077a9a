/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf; reads nothing from stdin before sandbox_enter(). */

#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "privsep/root/priv_drop.h"
#include "privsep/sandbox/sandbox.h"
#include "privsep/start/config.h"
#include "privsep/start/own_role.h"
#include "privsep/start/spawn.h"
#include "unpriv/check/asker.h"
#include "unpriv/worker/conn.h"

/*
 * A worker with one connection, stdin and stdout, which Postfix's spawn(8)
 * starts. It starts a dns process of its own.
 */
struct policyd {
	struct event_base *base;
	struct conn_env env;
	struct event *changed;
	int inotify;
	char watched[NAME_MAX + 1];
};

/* clang-format off */
static const struct spawn_role roles[] = {
	{ ROLE_DNS, dns_main },
	{ ROLE_NONE, NULL }
};
/* clang-format on */

static void
usage(void)
{
	printf("usage: policyd-spf [<configfilename>]\n");
	exit(1);
}

static void
policyd_closed(struct conn_env *env, void *arg)
{
	struct policyd *p = arg;

	if (env->nconn == 0)
		event_base_loopbreak(p->base);
}

/* Postfix starts another policyd-spf, with a new dns process. */
static void
policyd_dns_gone(void *arg)
{
	exit(EX_TEMPFAIL);
}

/* The per-user file changed: ends after this request; Postfix starts anew. */
static void
policyd_changed(evutil_socket_t fd, short what, void *arg)
{
	char buf[4096] __attribute__((__aligned__(8)));
	const struct inotify_event *ie;
	struct policyd *p = arg;
	ssize_t n, off;
	int changed = 0;

	if ((n = read(fd, buf, sizeof(buf))) <= 0)
		return;
	/* An event of the folder itself has no name. */
	for (off = 0; off < n; off += (ssize_t)(sizeof(*ie) + ie->len)) {
		ie = (const struct inotify_event *)(buf + off);
		if (ie->len == 0 || strcmp(ie->name, p->watched) == 0)
			changed = 1;
	}
	if (!changed)
		return;
	event_del(p->changed);
	p->env.draining = 1;
	conn_drain(&p->env);
}

/* Watches the folder, to notice also a new file of that name. */
static void
policyd_watch(struct policyd *p, const char *path)
{
	char dir[PATH_MAX], base[PATH_MAX];

	if (*path == '\0')
		return;
	strlcpy(dir, path, sizeof(dir));
	strlcpy(base, path, sizeof(base));
	strlcpy(p->watched, basename(base), sizeof(p->watched));
	p->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p->inotify == -1 ||
	    inotify_add_watch(p->inotify, dirname(dir),
		IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
		    IN_ONLYDIR) == -1) {
		log_warn(
		    "cannot watch %s; this process will not notice changes",
		    path);
		return;
	}
	p->changed = event_new(p->base, p->inotify, EV_READ | EV_PERSIST,
	    policyd_changed, p);
	if (p->changed == NULL || event_add(p->changed, NULL) == -1)
		fatalx("no event");
}

static struct conf *
policyd_conf(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : CONF_FILE_POLICY;
	struct conf *conf;

	conf = config_load(CONF_POLICY, path, argc > 1, NULL, config_say_log,
	    NULL);
	if (conf == NULL)
		exit(EX_CONFIG);
	config_nameservers(conf, NULL, NULL);
	return conf;
}

int
main(int argc, char **argv)
{
	struct policyd p;
	struct conf *conf;

	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		return spawn_role_main(roles, argv[2]);
	if (argc > 1 &&
	    (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
		strcmp(argv[1], "-?") == 0))
		usage();
	sandbox_early();
	signal(SIGPIPE, SIG_IGN);
	log_init_syslog("policyd-spf");
	memset(&p, 0, sizeof(p));
	p.inotify = -1;
	conf = policyd_conf(argc, argv);
	/* an administrator may start it as root, which it does not need */
	priv_drop_named("policyd-spf", "pyspf-milter", "nobody", NULL);
	if (conf->debug_level >= 3)
		log_line(LOG_INFO, "Starting");

	if ((p.base = event_base_new()) == NULL)
		fatalx("no event base");
	p.env.base = p.base;
	p.env.conf = conf;
	p.env.max = 1;
	p.env.closed = policyd_closed;
	p.env.arg = &p;
	policyd_watch(&p, conf->per_user_path);
	p.env.asker = asker_new(p.base, ROLE_WORKER);
	asker_connect(p.env.asker,
	    own_role_start_dns(p.base, "policyd-spf", conf, policyd_dns_gone,
		&p));
	asker_on_gone(p.env.asker, policyd_dns_gone, &p);

	confine_enter(SANDBOX_POLICYD, conf);

	if (conn_start(&p.env, CONF_POLICY, STDIN_FILENO, STDOUT_FILENO) == -1)
		fatalx("cannot serve stdin");
	while (p.env.nconn != 0)
		if (event_base_loop(p.base, EVLOOP_ONCE) == -1)
			fatalx("event loop");
	if (conf->debug_level >= 3)
		log_line(LOG_INFO, "Normal exit");
	return 0;
}
