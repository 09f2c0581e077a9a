/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; starts processes before their sandbox. */

#include <stdlib.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/start/own_role.h"
#include "privsep/start/spawn.h"
#include "proto/wire.h"

struct own_role {
	enum msg_role role;
	struct chan *chan;
	void (*gone)(void *);
	void *arg;
};

static void
own_role_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct rbuf r;

	if (h->type != MSG_LOG)
		return;
	rbuf_init(&r, p, len);
	log_line(log_priority(rbuf_u32(&r)), "%.*s", (int)r.left,
	    (const char *)r.p);
}

static void
own_role_gone(struct chan *c, const char *why, void *arg)
{
	struct own_role *o = arg;

	log_warnx("%s ended%s%s", msg_role_name[o->role],
	    why == NULL ? "" : ": ", why == NULL ? "" : why);
	chan_free(c);
	o->chan = NULL;
	if (o->gone != NULL)
		o->gone(o->arg);
}

/* Starts the process and sends its configuration; it waits for PEER and GO. */
static struct own_role *
own_role_new(struct event_base *base, const char *ident,
    const struct conf *conf, enum msg_role role, void (*gone)(void *),
    void *arg)
{
	struct own_role *o;
	int exe, sock, conf_fd;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		fatal("own_role_new");
	o->role = role;
	o->gone = gone;
	o->arg = arg;
	exe = spawn_open_exe();
	if (spawn_role(exe, ident, role, &sock) == -1)
		fatal("cannot start %s", msg_role_name[role]);
	close(exe);
	o->chan = chan_new(base, sock, ROLE_PARENT, role, own_role_msg,
	    own_role_gone, o);
	if ((conf_fd = spawn_conf_fd(conf)) == -1)
		fatal("cannot start %s", msg_role_name[role]);
	if (spawn_send_config(o->chan, conf, conf_fd) == -1)
		fatalx("cannot send CONFIG to %s", msg_role_name[role]);
	close(conf_fd);
	return o;
}

/* Makes a channel on which the caller has this role; returns its end. */
static int
own_role_peer(struct own_role *o, uint32_t id, enum msg_role role)
{
	int pair[2];

	if (chan_pair(pair) == -1)
		fatal("cannot start %s", msg_role_name[o->role]);
	if (spawn_send_peer(o->chan, id, role, pair[0]) == -1)
		fatalx("cannot send PEER to %s", msg_role_name[o->role]);
	return pair[1];
}

static void
own_role_go(struct own_role *o)
{
	if (chan_send(o->chan, MSG_GO, 0, NULL, 0, -1, 0) == -1)
		fatalx("cannot send GO to %s", msg_role_name[o->role]);
}

int
own_role_start_dns(struct event_base *base, const char *ident,
    const struct conf *conf, void (*gone)(void *), void *arg)
{
	struct own_role *o;
	int fd;

	o = own_role_new(base, ident, conf, ROLE_DNS, gone, arg);
	fd = own_role_peer(o, 1, ROLE_WORKER);
	own_role_go(o);
	return fd;
}

void
own_role_start_shadow(struct event_base *base, const char *ident,
    const struct conf *conf, void (*gone)(void *), void *arg, int *questions,
    int *copies)
{
	struct own_role *o;

	o = own_role_new(base, ident, conf, ROLE_SHADOW, gone, arg);
	*questions = own_role_peer(o, 1, ROLE_DNS);
	*copies = own_role_peer(o, 2, ROLE_CONTROL);
	own_role_go(o);
}
