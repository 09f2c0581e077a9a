/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker; the loop runs after sandbox_enter(). */

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/shadow_copy.h"
#include "unpriv/worker/conn.h"

#define WORKER_ACCEPTS 16 /* at a time; then connections get a turn */

struct listener {
	struct worker *worker;
	enum conf_program program;
	int fd;
	struct event *ev;
};

struct worker {
	struct role role;
	struct conn_env env;
	struct listener milter, policy;
	struct event *resume; /* accept again after a pause */
	int drained;
};

static void
worker_listen(struct worker *w, int on)
{
	struct listener *l[2] = { &w->milter, &w->policy };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (l[i]->ev == NULL)
			continue;
		if (!on)
			event_del(l[i]->ev);
		else if (event_add(l[i]->ev, NULL) == -1)
			fatalx("worker_listen: no event");
	}
}

static void
worker_pause(struct worker *w)
{
	static const struct timeval tv = { 0, 100000 };

	worker_listen(w, 0);
	evtimer_add(w->resume, &tv);
}

/* At the cap clients wait in the backlog for this or another worker. */
static void
worker_accept(evutil_socket_t sock, short what, void *arg)
{
	struct listener *l = arg;
	struct worker *w = l->worker;
	int fd, i;

	for (i = 0; i < WORKER_ACCEPTS; i++) {
		if (w->env.nconn >= w->env.max) {
			conn_note_cap();
			worker_pause(w);
			return;
		}
		fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM) {
				conn_note_accept();
				worker_pause(w);
			}
			return;
		}
		(void)conn_start(&w->env, l->program, fd, fd);
	}
}

static void
worker_resume(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	if (w->env.draining)
		return;
	if (w->env.nconn >= w->env.max)
		worker_pause(w);
	else
		worker_listen(w, 1);
}

static void
worker_closed(struct conn_env *env, void *arg)
{
	struct worker *w = arg;

	if (env->draining && env->nconn == 0 && !w->drained) {
		w->drained = 1;
		role_drained(&w->role);
	}
}

static void
worker_dns(struct role *r, int fd)
{
	struct worker *w = r->arg;

	if (w->env.asker == NULL)
		w->env.asker = asker_new(r->base, r->who);
	asker_connect(w->env.asker, fd);
}

static void
worker_copies(struct role *r, int fd)
{
	shadow_copy_connect(r->base, r->who, fd);
}

static void
worker_control(struct role *r, enum msg_type type, const uint8_t *p, size_t len)
{
	struct worker *w = r->arg;

	if (type != MSG_DRAIN || w->env.draining)
		return;
	w->env.draining = 1;
	worker_listen(w, 0);
	conn_drain(&w->env);
	worker_closed(&w->env, w);
}

static const struct role_ops worker_ops = {
	.dns = worker_dns,
	.copies = worker_copies,
	.control = worker_control,
};

static void
worker_add_listener(struct worker *w, struct listener *l,
    enum conf_program program, int fd)
{
	l->worker = w;
	l->program = program;
	l->fd = fd;
	if (fd == -1)
		return;
	l->ev =
	    event_new(w->role.base, fd, EV_READ | EV_PERSIST, worker_accept, l);
	if (l->ev == NULL)
		fatalx("listener: no event");
}

int
worker_main(void)
{
	struct worker w;

	memset(&w, 0, sizeof(w));
	role_start(&w.role, ROLE_WORKER, &worker_ops, &w);
	if (w.env.asker == NULL) /* dns starts again and is not ready */
		w.env.asker = asker_new(w.role.base, w.role.who);
	w.env.base = w.role.base;
	w.env.conf = w.role.conf;
	w.env.max = (unsigned int)w.role.conf->max_connections;
	w.env.closed = worker_closed;
	w.env.arg = &w;
	worker_add_listener(&w, &w.milter, CONF_MILTER, w.role.milter_fd);
	worker_add_listener(&w, &w.policy, CONF_POLICY, w.role.policy_fd);
	if ((w.resume = evtimer_new(w.role.base, worker_resume, &w)) == NULL)
		fatalx("no event");

	confine_enter(SANDBOX_WORKER, w.role.conf);

	worker_listen(&w, 1);
	role_ready(&w.role);
	if (event_base_dispatch(w.role.base) == -1)
		fatalx("event loop");
	return 0;
}
