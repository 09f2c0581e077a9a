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
#include "privsep/child/confine.h"
#include "privsep/parent/control.h"
#include "privsep/parent/notify.h"
#include "privsep/parent/parent.h"
#include "privsep/parent/watch.h"
#include "privsep/root/priv_activate.h"
#include "privsep/root/priv_drop.h"
#include "privsep/root/priv_files.h"
#include "privsep/sandbox/landlock.h"
#include "privsep/start/spawn.h"

#define STOP_SECONDS   10   /* for connections to finish at SIGTERM */
#define RELOAD_SECONDS 600  /* the same, in an old generation */
#define CHILD_NOFILE   8192 /* hard limit of descriptors for children */
#define DRAINING_MAX   16   /* old generations that still have connections */

struct parent {
	struct config_files files;
	struct priv_owner owner;
	int pid_fd; /* -1: none */
	/* files that the parent made at the start; NULL: none */
	char *milter_path, *policy_path, *control_path, *pid_path;
	struct generations all;
	struct parent_view view;
	struct parent_ops ops;
};

static int parent_reload(void *, config_say_fn, void *);
static void parent_generation_empty(struct generation *, void *);

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
	parent_close(&p->all.milter_fd);
	parent_close(&p->all.policy_fd);
	parent_close(&p->view.control_fd);
}

static void
parent_remove_pidfile(struct parent *p)
{
	/* if the directory does not allow removal, leave the file empty */
	if (p->pid_fd != -1 && ftruncate(p->pid_fd, 0) == -1)
		log_warn("%s", p->pid_path);
	parent_remove(&p->pid_path);
	parent_close(&p->pid_fd);
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
		{ "Socket", &conf->socket, &p->all.milter_fd, &p->milter_path,
		    ACTIVATE_MILTER },
		{ "PolicySocket", &conf->policy_socket, &p->all.policy_fd,
		    &p->policy_path, ACTIVATE_POLICY },
		{ "ControlSocket", &conf->control_socket, &p->view.control_fd,
		    &p->control_path, ACTIVATE_CONTROL },
	};
	int given[ACTIVATE_MAX];
	char why[256];
	size_t i;

	if (priv_activate(given, why, sizeof(why)) == -1) {
		log_warnx("socket activation: %s", why);
		return -1;
	}
	for (i = 0; i < sizeof(l) / sizeof(l[0]); i++) {
		/* the service manager also removes the socket's file */
		if (given[l[i].kind] != -1) {
			*l[i].fd = given[l[i].kind];
			log_debug("%s: the service manager listens", l[i].key);
			continue;
		}
		if (l[i].s->kind == SOCK_NONE)
			continue;
		*l[i].fd = l[i].fd == &p->view.control_fd ?
		    priv_listen_control(l[i].s, &p->owner, why, sizeof(why)) :
		    priv_listen(l[i].s, conf->umask, &p->owner, why,
			sizeof(why));
		if (*l[i].fd == -1) {
			log_warnx("%s %s: %s", l[i].key,
			    l[i].s->path != NULL     ? l[i].s->path :
				l[i].s->host != NULL ? l[i].s->host :
						       "*",
			    why);
			/* another daemon may use the default path, too */
			if (l[i].fd == &p->view.control_fd)
				continue;
			return -1;
		}
		if (l[i].s->kind == SOCK_LOCAL &&
		    (*l[i].path = strdup(l[i].s->path)) == NULL)
			fatal("parent_bind");
	}
	if (p->all.milter_fd == -1 && p->all.policy_fd == -1) {
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
	if ((p->pid_path = strdup(conf->pid_file)) == NULL)
		fatal("parent_pidfile");
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

/*
 * Raises the hard limit, which children cannot do after the drop, and takes
 * all of it: the kernel compares the descriptors that any process of the user
 * has sent and nobody received with the sender's limit, and a child must not
 * reach the parent's.
 */
static void
parent_nofile(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("RLIMIT_NOFILE");
	rl.rlim_cur = rl.rlim_max;
	if (rl.rlim_max < CHILD_NOFILE && geteuid() == 0) {
		const struct rlimit more = { CHILD_NOFILE, CHILD_NOFILE };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
		log_warn("RLIMIT_NOFILE");
	}
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

/* Logs what an old kernel leaves open; the children have the same kernel. */
static void
parent_say_landlock(void)
{
	char lacks[LL_LACKS_LEN];
	struct sandbox_state st;

	(void)sandbox_state(&st);
	if (st.landlock_abi < 1)
		return;
	log_debug("Landlock ABI %d", st.landlock_abi);
	if (*landlock_lacks(st.landlock_abi, lacks, sizeof(lacks)) != '\0')
		log_info("Landlock ABI %d of this kernel does not restrict: %s",
		    st.landlock_abi, lacks);
}

static void
parent_sandbox(struct parent *p, const struct conf *conf)
{
	const char *gone[] = { p->milter_path, p->policy_path, p->control_path,
		p->pid_path };
	struct sandbox_args sb;
	int *reads, unlinks[sizeof(gone) / sizeof(gone[0])];
	size_t i;

	confine_args(&sb, SANDBOX_PARENT, conf);
	/* a reload may add a name server at the default port */
	sb.dns_ports[sb.ndns_ports++] = 53;
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
	sb.exe_fd = p->all.exe_fd;
	sandbox_enter(SANDBOX_PARENT, &sb);
	parent_say_landlock();
	for (i = 0; i < sb.nunlink_dirs; i++)
		close(unlinks[i]);
	free(reads);
}

/*
 * A generation whose processes all failed to start gets no SIGCHLD: end it
 * here.
 */
static void
parent_end_generation(struct parent *p, struct generation *g)
{
	generation_kill(g);
	if (generation_is_empty(g))
		parent_generation_empty(g, p);
}

static void
parent_stop(struct parent *p)
{
	struct generation *g, *next;

	if (p->view.stopping)
		return;
	p->view.stopping = 1;
	log_info("stopping");
	notify_stopping();
	control_stop();
	parent_remove_sockets(p);
	TAILQ_FOREACH_SAFE(g, &p->all.list, entry, next) {
		if (g == p->view.next || g->draining)
			parent_end_generation(p, g);
		else
			generation_drain(g, STOP_SECONDS);
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
			generations_reaped(&p->all, pid, status);
		break;
	}
}

/*
 * A client may keep its connection for RELOAD_SECONDS, and reloads may follow
 * each other quickly: end the oldest generations before processes and
 * descriptors run out.
 */
static void
parent_limit_draining(struct parent *p)
{
	struct generation *g;
	unsigned int n = 0;

	TAILQ_FOREACH(g, &p->all.list, entry)
		n += g->draining != 0;
	TAILQ_FOREACH(g, &p->all.list, entry) {
		if (n <= DRAINING_MAX)
			return;
		if (!g->draining)
			continue;
		log_warnx("generation %u is ended: %u newer ones are still "
			  "draining",
		    g->number, n - 1);
		generation_kill(g);
		n--;
	}
}

static void
parent_generation_ready(struct generation *g, void *arg)
{
	struct parent *p = arg;
	struct generation *old = p->view.cur;

	p->view.cur = g;
	p->view.next = NULL;
	notify_ready();
	if (old == NULL) {
		log_debug("ready");
		return;
	}
	log_info("reloaded: generation %u serves", g->number);
	p->view.reloads++;
	control_reload_done(0, "reloaded");
	control_dns_ready();
	generation_drain(old, RELOAD_SECONDS);
	parent_limit_draining(p);
}

static void
parent_generation_empty(struct generation *g, void *arg)
{
	struct parent *p = arg;

	if (p->view.stopping &&
	    TAILQ_NEXT(TAILQ_FIRST(&p->all.list), entry) == NULL) {
		event_base_loopbreak(p->all.base);
		return;
	}
	if (p->view.cur == g)
		p->view.cur = NULL;
	if (p->view.next == g)
		p->view.next = NULL;
	generation_free(g);
}

static void
parent_generation_failed(struct generation *g, const char *why, void *arg)
{
	struct parent *p = arg;

	if (p->view.cur == NULL) {
		log_line(LOG_CRIT, "start failed: %s", why);
		p->view.stopping = -1;
		event_base_loopbreak(p->all.base);
		return;
	}
	log_warnx("reload failed: %s; the running configuration stays", why);
	p->view.reloads_failed++;
	control_reload_done(EX_SOFTWARE, why);
	notify_ready();
	p->view.next = NULL;
	parent_end_generation(p, g);
}

static void
parent_dns_ready(struct generation *g, void *arg)
{
	struct parent *p = arg;

	if (g == p->view.cur)
		control_dns_ready();
}

static const struct generation_ops parent_generation_ops = {
	.ready = parent_generation_ready,
	.failed = parent_generation_failed,
	.empty = parent_generation_empty,
	.dns_ready = parent_dns_ready,
};

static int
parent_socket_differs(const struct conf_socket *a, const struct conf_socket *b)
{
	return a->kind != b->kind || a->port != b->port ||
	    strcmp(a->path != NULL ? a->path : "",
		b->path != NULL ? b->path : "") != 0 ||
	    strcmp(a->host != NULL ? a->host : "",
		b->host != NULL ? b->host : "") != 0;
}

/* Warns about each change that needs a restart. */
static void
parent_say_fixed(const struct conf *was, const struct conf *is,
    config_say_fn say, void *arg)
{
	const struct {
		int changed;
		const char *key;
	} v[] = {
		{ parent_socket_differs(&was->socket, &is->socket), "Socket" },
		{ parent_socket_differs(&was->policy_socket,
		      &is->policy_socket),
		    "PolicySocket" },
		{ parent_socket_differs(&was->control_socket,
		      &is->control_socket),
		    "ControlSocket" },
		{ strcmp(was->user_id, is->user_id) != 0, "UserID" },
		{ strcmp(was->pid_file, is->pid_file) != 0, "PidFile" },
	};
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].changed) {
			snprintf(text, sizeof(text),
			    "%s changes with a restart only", v[i].key);
			say(LOG_WARNING, text, arg);
		}
}

static int
parent_reload(void *parent, config_say_fn say, void *arg)
{
	struct parent *p = parent;
	struct conf *conf;

	if (p->view.stopping || p->view.cur == NULL) {
		say(LOG_ERR, "not now: starting or stopping", arg);
		return -1;
	}
	notify_reloading();
	conf = config_load(CONF_MILTER, p->view.path, 1, &p->files, say, arg);
	if (conf == NULL) {
		notify_ready();
		p->view.reloads_refused++;
		log_warnx("reload refused; the running configuration stays");
		return -1;
	}
	config_nameservers(conf, &p->files, &p->view.cur->conf->nameservers);
	parent_say_fixed(p->view.cur->conf, conf, say, arg);
	if (p->view.next != NULL)
		parent_end_generation(p, p->view.next);
	p->view.next = generation_new(&p->all, conf);
	generation_start(p->view.next);
	return 0;
}

static void
parent_verbose(void *arg, int on)
{
	struct parent *p = arg;

	log_verbose(on);
	generations_verbose(&p->all, on);
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
		ev = evsignal_new(p->all.base, sigs[i], parent_signal, p);
		if (ev == NULL || event_add(ev, NULL) == -1)
			fatalx("no event for a signal");
	}
}

static int
parent_serve(struct parent *p, struct conf *conf)
{
	struct generation *g;

	g = generation_new(&p->all, conf);
	generation_start(g);
	if (event_base_dispatch(p->all.base) == -1)
		fatalx("event loop");
	TAILQ_FOREACH(g, &p->all.list, entry)
		generation_kill(g);
	parent_remove_sockets(p);
	parent_remove_pidfile(p);
	config_files_free(&p->files);
	log_info("stopped");
	return p->view.stopping == 1 ? 0 : EX_OSERR;
}

static void
parent_init(struct parent *p, const char *path, int debug,
    const struct config_files *files)
{
	memset(p, 0, sizeof(*p));
	p->view.path = path;
	p->files = *files;
	p->view.since = clock_seconds();
	p->view.started = time(NULL);
	p->view.control_fd = p->pid_fd = -1;
	p->view.all = &p->all;
	p->all.milter_fd = p->all.policy_fd = -1;
	p->all.verbose = debug;
	p->all.ops = &parent_generation_ops;
	p->all.arg = p;
	TAILQ_INIT(&p->all.list);
	p->ops.arg = p;
	p->ops.view = &p->view;
	p->ops.reload = parent_reload;
	p->ops.verbose = parent_verbose;
}

int
parent_main(const char *path, int debug, const struct config_files *files,
    struct conf *conf)
{
	static struct parent parent;
	struct parent *p = &parent;

	parent_init(p, path, debug, files);
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
	p->all.exe_fd = spawn_open_exe();
	parent_nofile();
	log_line(LOG_INFO, "pyspf-milter started:%d user:%s", (int)getpid(),
	    conf->user_id);
	umask(077);
	priv_drop(p->owner.uid, p->owner.gid);

	if ((p->all.base = event_base_new()) == NULL)
		fatalx("no event base");
	parent_signals(p);
	parent_sandbox(p, conf);
	control_start(&p->ops, p->all.base, &p->owner, p->view.control_fd);
	generations_watch(&p->all);
	notify_start(&p->view, p->all.base);
	watch_start(&p->ops, p->all.base, &p->files, conf);
	return parent_serve(p, conf);
}
