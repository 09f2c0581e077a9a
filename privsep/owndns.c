/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: policyd-spf, spfctl; started before their sandbox. */

#include <stdlib.h>
#include <unistd.h>

#include "../proto/wire.h"
#include "log.h"
#include "owndns.h"
#include "spawn.h"

struct owndns {
	struct chan	*chan;
	void		(*gone)(void *);
	void		*arg;
};

static void
owndns_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	struct rbuf r;
	uint32_t pri;

	if (h->type != MSG_LOG)
		return;
	rbuf_init(&r, p, len);
	pri = rbuf_u32(&r);
	log_line(pri > LOG_DEBUG ? LOG_INFO : (int)pri, "%.*s", (int)r.left,
	    (const char *)r.p);
}

static void
owndns_gone(struct chan *c, const char *why, void *arg)
{
	struct owndns *d = arg;

	log_warnx("dns ended%s%s", why == NULL ? "" : ": ",
	    why == NULL ? "" : why);
	chan_free(c);
	d->chan = NULL;
	d->gone(d->arg);
}

int
owndns_start(struct event_base *base, const char *ident,
    const struct conf *conf, void (*gone)(void *), void *arg)
{
	struct owndns *d;
	int exe, sock, conf_fd, pair[2];

	if ((d = calloc(1, sizeof(*d))) == NULL)
		fatal("owndns_start");
	d->gone = gone;
	d->arg = arg;
	exe = spawn_open_exe();
	if (spawn_role(exe, ident, ROLE_DNS, &sock) == -1)
		fatal("cannot start dns");
	close(exe);
	d->chan = chan_new(base, sock, ROLE_PARENT, ROLE_DNS, owndns_msg,
	    owndns_gone, d);
	if ((conf_fd = spawn_conf_fd(conf)) == -1 || chan_pair(pair) == -1)
		fatal("cannot start dns");
	if (spawn_send_config(d->chan, conf, conf_fd) == -1 ||
	    spawn_send_peer(d->chan, 1, ROLE_WORKER, pair[0]) == -1 ||
	    chan_send(d->chan, MSG_GO, 0, NULL, 0, -1, 0) == -1)
		fatalx("cannot tell dns");
	close(conf_fd);
	return pair[1];
}
