/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; as root up to priv_drop(), then confined. */

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "privsep/parent/control.h"
#include "privsep/parent/notify.h"
#include "privsep/parent/parent.h"
#include "privsep/parent/watch.h"
#include "privsep/root/priv_activate.h"
#include "privsep/root/priv_drop.h"
#include "privsep/sandbox/sandbox.h"
#include "privsep/start/spawn.h"

#define STOP_SECONDS   10   /* for connections to finish at SIGTERM */
#define RELOAD_SECONDS 600  /* for those of an old generation */
#define CHILD_NOFILE   8192 /* hard limit that children may use */
#define DRAINING_MAX   16   /* old generations with connections left */

/*
 * The files that tell others where we are. Their paths are those of the
 * start: a reload may name others, but does not move us.
 */
static void
parent_remove(char **path)
{
	if (*path == NULL)
		return;
	if (unlink(*path) == -1 && errno != ENOENT)
		log_warn("cannot remove %s", *path);
	free(*path);
	*path = NULL;
}

static void
parent_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
parent_remove_sockets(struct parent *p)
{
	parent_remove(&p->milter_path);
	parent_remove(&p->policy_path);
	parent_remove(&p->control_path);
	parent_close(&p->milter_fd);
	parent_close(&p->policy_fd);
	parent_close(&p->control_fd);
}

static void
parent_remove_pidfile(struct parent *p)
{
	/* where its directory is not ours, an empty file says the same */
	if (p->pid_fd != -1 && ftruncate(p->pid_fd, 0) == -1)
		log_warn("%s", p->pid_path);
	parent_remove(&p->pid_path);
	parent_close(&p->pid_fd);
}

static char *
parent_strdup(const char *s)
{
	char *copy;

	if ((copy = strdup(s)) == NULL)
		fatal("parent_strdup");
	return copy;
}

static int
parent_bind(struct parent *p, const struct conf *conf)
{
	struct {
		const char *key;
		const struct conf_socket *s;
		int *fd;
		char **path;
		enum activate_kind kind;
	} l[] = {
		{ "Socket", &conf->socket, &p->milter_fd, &p->milter_path,
		    ACTIVATE_MILTER },
		{ "PolicySocket", &conf->policy_socket, &p->policy_fd,
		    &p->policy_path, ACTIVATE_POLICY },
		{ "ControlSocket", &conf->control_socket, &p->control_fd,
		    &p->control_path, ACTIVATE_CONTROL },
	};
	int held[ACTIVATE_MAX];
	char why[256];
	size_t i;

	if (priv_activate(held, why, sizeof(why)) == -1) {
		log_warnx("socket activation: %s", why);
		return -1;
	}
	for (i = 0; i < sizeof(l) / sizeof(l[0]); i++) {
		/* whoever holds it removes its file, too */
		if (held[l[i].kind] != -1) {
			*l[i].fd = held[l[i].kind];
			log_debug("%s: the service manager listens", l[i].key);
			continue;
		}
		if (l[i].s->kind == SOCK_NONE)
			continue;
		*l[i].fd = l[i].fd == &p->control_fd ?
		    priv_listen_control(l[i].s, &p->owner, why, sizeof(why)) :
		    priv_listen(l[i].s, conf->umask, &p->owner, why,
			sizeof(why));
		if (*l[i].fd == -1) {
			log_warnx("%s %s: %s", l[i].key,
			    l[i].s->path != NULL     ? l[i].s->path :
				l[i].s->host != NULL ? l[i].s->host :
						       "*",
			    why);
			/* a second daemon may run by the same default */
			if (l[i].fd == &p->control_fd)
				continue;
			return -1;
		}
		if (l[i].s->kind == SOCK_LOCAL)
			*l[i].path = parent_strdup(l[i].s->path);
	}
	if (p->milter_fd == -1 && p->policy_fd == -1) {
		log_warnx("neither Socket nor PolicySocket is set");
		return -1;
	}
	return 0;
}

static int
parent_pidfile(struct parent *p, const struct conf *conf)
{
	char why[256];

	if (conf->pid_file[0] == '\0')
		return 0;
	p->pid_fd = priv_pidfile(conf->pid_file, &p->owner, why, sizeof(why));
	if (p->pid_fd == -1) {
		log_warnx("PidFile %s: %s", conf->pid_file, why);
		return -1;
	}
	p->pid_path = parent_strdup(conf->pid_file);
	return 0;
}

static int
parent_owner(struct parent *p, const struct conf *conf)
{
	const char *why;

	p->owner.uid = geteuid();
	p->owner.gid = getegid();
	if (geteuid() != 0)
		return 0;
	if (priv_user(conf->user_id, &p->owner.uid, &p->owner.gid, &why) ==
	    -1) {
		log_warnx("UserID %s: %s", conf->user_id, why);
		return -1;
	}
	return 0;
}

/* Children cannot raise it any more after the drop. */
static void
parent_nofile(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("RLIMIT_NOFILE");
	if (rl.rlim_max < CHILD_NOFILE && geteuid() == 0)
		rl.rlim_max = CHILD_NOFILE;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("RLIMIT_NOFILE");
}

static int
parent_open_dir(const char *path)
{
	char buf[PATH_MAX];

	strlcpy(buf, path, sizeof(buf));
	return open(dirname(buf), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
parent_sandbox(struct parent *p, const struct conf *conf)
{
	const char *gone[] = { p->milter_path, p->policy_path, p->control_path,
		p->pid_path };
	struct sandbox_args sb;
	uint16_t ports[16];
	int *reads, unlinks[sizeof(gone) / sizeof(gone[0])];
	size_t i;

	memset(&sb, 0, sizeof(sb));
	if ((reads = calloc(p->files.n + 1, sizeof(*reads))) == NULL)
		fatal("parent_sandbox");
	for (i = 0; i < p->files.n; i++)
		if (p->files.v[i].dirfd != -1)
			reads[sb.nread_dirs++] = p->files.v[i].dirfd;
	p->files.sealed = 1;
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (gone[i] != NULL &&
		    (unlinks[sb.nunlink_dirs] = parent_open_dir(gone[i])) != -1)
			sb.nunlink_dirs++;
	sb.read_dirs = reads;
	sb.unlink_dirs = unlinks;
	sb.dns_ports = ports;
	sb.ndns_ports =
	    config_dns_ports(conf, ports, sizeof(ports) / sizeof(ports[0]));
	sb.partial = conf->sandbox == CONF_SANDBOX_PARTIAL;
	sb.exe_fd = p->exe_fd;
	sb.log_fd = -1;
	sandbox_enter(SANDBOX_PARENT, &sb);
	for (i = 0; i < sb.nunlink_dirs; i++)
		close(unlinks[i]);
	free(reads);
}

/* Nobody is reaped of a generation none of whose processes could start. */
static void
parent_gen_end(struct generation *g)
{
	gen_kill(g);
	if (gen_is_empty(g))
		parent_gen_empty(g);
}

static void
parent_stop(struct parent *p)
{
	struct generation *g, *next;

	if (p->stopping)
		return;
	p->stopping = 1;
	log_info("stopping");
	notify_stopping();
	control_stop(p);
	parent_remove_sockets(p);
	TAILQ_FOREACH_SAFE(g, &p->all, entry, next) {
		if (g == p->next || g->draining)
			parent_gen_end(g);
		else
			gen_drain(g, STOP_SECONDS);
	}
}

static void
parent_signal(evutil_socket_t sig, short what, void *arg)
{
	struct parent *p = arg;
	pid_t pid;
	int status;

	switch (sig) {
	case SIGTERM:
	case SIGINT:
		parent_stop(p);
		break;
	case SIGHUP:
	case SIGUSR1:
		(void)parent_reload(p, config_say_log, NULL);
		break;
	case SIGCHLD:
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			gen_reaped(p, pid, status);
		break;
	}
}

/*
 * A client may hold its connection for all of RELOAD_SECONDS, and a reload
 * may come each second: processes and descriptors must not run out by that.
 */
static void
parent_crowd(struct parent *p)
{
	struct generation *g;
	unsigned int n = 0;

	TAILQ_FOREACH(g, &p->all, entry)
		n += g->draining != 0;
	TAILQ_FOREACH(g, &p->all, entry) {
		if (n <= DRAINING_MAX)
			return;
		if (!g->draining)
			continue;
		log_warnx("generation %u is ended: %u newer ones have "
			  "clients, too",
		    g->number, n - 1);
		gen_kill(g);
		n--;
	}
}

void
parent_gen_ready(struct generation *g)
{
	struct parent *p = g->parent;
	struct generation *old = p->cur;

	p->cur = g;
	p->next = NULL;
	notify_ready(p);
	if (old == NULL) {
		log_debug("ready");
		return;
	}
	log_info("reloaded: generation %u serves", g->number);
	p->reloads++;
	control_reload_done(p, 0, "reloaded");
	control_dns_ready(p);
	gen_drain(old, RELOAD_SECONDS);
	parent_crowd(p);
}

void
parent_gen_empty(struct generation *g)
{
	struct parent *p = g->parent;

	if (p->stopping) {
		if (TAILQ_NEXT(TAILQ_FIRST(&p->all), entry) == NULL) {
			event_base_loopbreak(p->base);
			return;
		}
	}
	if (p->cur == g)
		p->cur = NULL;
	if (p->next == g)
		p->next = NULL;
	gen_free(g);
}

void
parent_gen_failed(struct generation *g, const char *why)
{
	struct parent *p = g->parent;

	if (p->cur == NULL) {
		log_line(LOG_CRIT, "start failed: %s", why);
		p->stopping = -1;
		event_base_loopbreak(p->base);
		return;
	}
	log_warnx("reload failed: %s; the running configuration stays", why);
	p->reloads_failed++;
	control_reload_done(p, EX_SOFTWARE, why);
	notify_ready(p);
	p->next = NULL;
	parent_gen_end(g);
}

static int
socket_differs(const struct conf_socket *a, const struct conf_socket *b)
{
	return a->kind != b->kind || a->port != b->port ||
	    strcmp(a->path != NULL ? a->path : "",
		b->path != NULL ? b->path : "") != 0 ||
	    strcmp(a->host != NULL ? a->host : "",
		b->host != NULL ? b->host : "") != 0;
}

/* What only a restart can change. */
static void
parent_fixed(const struct conf *was, const struct conf *is, config_say_fn say,
    void *arg)
{
	const struct {
		int changed;
		const char *text;
	} v[] = {
		{ socket_differs(&was->socket, &is->socket),
		    "Socket changes with a restart only" },
		{ socket_differs(&was->policy_socket, &is->policy_socket),
		    "PolicySocket changes with a restart only" },
		{ socket_differs(&was->control_socket, &is->control_socket),
		    "ControlSocket changes with a restart only" },
		{ strcmp(was->user_id, is->user_id) != 0,
		    "UserID changes with a restart only" },
		{ strcmp(was->pid_file, is->pid_file) != 0,
		    "PidFile changes with a restart only" },
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].changed)
			say(LOG_WARNING, v[i].text, arg);
}

int
parent_reload(struct parent *p, config_say_fn say, void *arg)
{
	struct conf *conf;

	if (p->stopping || p->cur == NULL) {
		say(LOG_ERR, "not now: starting or stopping", arg);
		return -1;
	}
	notify_reloading();
	conf = config_load(CONF_MILTER, p->path, 1, &p->files, say, arg);
	if (conf == NULL) {
		notify_ready(p);
		p->reloads_refused++;
		log_warnx("reload refused; the running configuration stays");
		return -1;
	}
	config_nameservers(conf, &p->files);
	parent_fixed(p->cur->conf, conf, say, arg);
	if (p->next != NULL)
		parent_gen_end(p->next);
	p->next = gen_new(p, conf);
	gen_start(p->next);
	return 0;
}

void
parent_verbose(struct parent *p, int on)
{
	struct generation *g;

	p->debug = on;
	log_verbose(on);
	TAILQ_FOREACH(g, &p->all, entry)
		gen_tell(g, ROLE_NONE, MSG_VERBOSE, (uint32_t)on);
}

void
parent_stats(struct parent *p, struct stats *sum)
{
	struct generation *g;

	*sum = p->retired;
	TAILQ_FOREACH(g, &p->all, entry)
		gen_stats(g, sum, 1);
}

static void
parent_signals(struct parent *p)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
	struct event *ev;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		ev = evsignal_new(p->base, sigs[i], parent_signal, p);
		if (ev == NULL || event_add(ev, NULL) == -1)
			fatalx("no event for a signal");
	}
}

static int
parent_serve(struct parent *p, struct conf *conf)
{
	struct generation *g;

	g = gen_new(p, conf);
	gen_start(g);
	if (event_base_dispatch(p->base) == -1)
		fatalx("event loop");
	TAILQ_FOREACH(g, &p->all, entry)
		gen_kill(g);
	parent_remove_sockets(p);
	parent_remove_pidfile(p);
	config_files_free(&p->files);
	log_info("stopped");
	return p->stopping == 1 ? 0 : EX_OSERR;
}

int
parent_main(struct parent *p, struct conf *conf)
{
	p->since = clock_seconds();
	p->started = time(NULL);
	p->milter_fd = p->policy_fd = p->control_fd = p->pid_fd = -1;
	TAILQ_INIT(&p->all);
	notify_init();
	if (parent_owner(p, conf) == -1)
		return EX_NOUSER;
	if (parent_pidfile(p, conf) == -1)
		return EX_UNAVAILABLE;
	if (parent_bind(p, conf) == -1) {
		parent_remove_sockets(p);
		parent_remove_pidfile(p);
		return EX_UNAVAILABLE;
	}
	p->exe_fd = spawn_open_exe();
	parent_nofile();
	log_line(LOG_INFO, "pyspf-milter started:%d user:%s", (int)getpid(),
	    conf->user_id);
	umask(077);
	priv_drop(p->owner.uid, p->owner.gid);

	if ((p->base = event_base_new()) == NULL)
		fatalx("no event base");
	parent_signals(p);
	parent_sandbox(p, conf);
	control_start(p, p->control_fd);
	notify_start(p);
	watch_start(p, conf);
	return parent_serve(p, conf);
}
