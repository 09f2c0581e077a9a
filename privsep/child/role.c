/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns, worker, libmilter, shadow; from exec on. */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/child/role.h"
#include "privsep/child/role_table.h"
#include "privsep/child/statpage.h"
#include "privsep/sandbox/sandbox.h"
#include "proto/wire.h"

#define ROLE_SEALS	 (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)
#define ROLE_CONF_MAX	 (16 * 1024 * 1024)
#define ROLE_LOG_BACKLOG (256 * 1024)

static unsigned long role_log_dropped;

/* Sends a line to the parent; drops it when the channel is full. */
static void
role_log(int pri, const char *text, void *arg)
{
	struct role *r = arg;
	uint8_t buf[4 + 4096];
	char note[64];
	struct wbuf w;
	size_t len = strlen(text);

	if (len == 0)
		return;
	if (len > sizeof(buf) - 4)
		len = sizeof(buf) - 4;
	if (chan_backlog(r->parent) > ROLE_LOG_BACKLOG) {
		role_log_dropped++;
		stat_inc(LOG_DROPPED);
		return;
	}
	if (role_log_dropped != 0) {
		snprintf(note, sizeof(note), "%lu log lines were dropped",
		    role_log_dropped);
		role_log_dropped = 0;
		role_log(LOG_WARNING, note, arg);
	}
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, (uint32_t)pri);
	wbuf_bytes(&w, text, len);
	(void)chan_send(r->parent, MSG_LOG, 0, buf, w.len, -1, 0);
}

/* Reads the configuration: text in a sealed memfd, which cannot change. */
static struct conf *
role_read_conf(int fd, enum conf_program program)
{
	struct conf_msgs msgs;
	struct conf *conf;
	struct stat st;
	char *text;

	if ((fcntl(fd, F_GET_SEALS) & ROLE_SEALS) != ROLE_SEALS)
		fatalx("configuration is not sealed");
	if (fstat(fd, &st) == -1)
		fatal("configuration");
	if (st.st_size < 0 || st.st_size > ROLE_CONF_MAX)
		fatalx("configuration is too large");
	if ((text = malloc(st.st_size + 1)) == NULL)
		fatal("configuration");
	if (pread(fd, text, st.st_size, 0) != st.st_size)
		fatal("configuration");
	text[st.st_size] = '\0';
	close(fd);
	conf =
	    conf_parse(program, text, st.st_size, CONF_NAME_CHILD, NULL, &msgs);
	if (conf == NULL)
		fatalx("configuration from the parent is refused: %s",
		    msgs.n == 0 ? "?" : msgs.v[msgs.n - 1].text);
	conf_msgs_free(&msgs);
	free(text);
	return conf;
}

static void
role_got_config(struct role *r, const uint8_t *p, size_t len, int fd)
{
	struct rbuf b;
	uint32_t program;

	rbuf_init(&b, p, len);
	program = rbuf_u32(&b);
	if (!rbuf_done(&b) || r->conf != NULL)
		fatalx("bad CONFIG from the parent");
	r->conf = role_read_conf(fd, (enum conf_program)program);
}

static void
role_got_listener(struct role *r, const uint8_t *p, size_t len, int fd)
{
	struct rbuf b;
	int *slot;

	rbuf_init(&b, p, len);
	slot = rbuf_u32(&b) == ROLE_LISTENER_MILTER ? &r->milter_fd :
						      &r->policy_fd;
	if (*slot != -1)
		fatalx("a second listener of one kind from the parent");
	*slot = fd;
}

static void
role_got_peer(struct role *r, const uint8_t *p, size_t len, int fd)
{
	struct rbuf b;
	uint32_t id;
	enum msg_role peer;

	rbuf_init(&b, p, len);
	id = rbuf_u32(&b);
	peer = (enum msg_role)rbuf_u32(&b);
	switch (role_link_to(r->who, peer)) {
	case ROLE_LINK_DNS:
		r->ops->dns(r, fd);
		break;
	case ROLE_LINK_COPIES:
		r->ops->copies(r, fd);
		break;
	case ROLE_LINK_CLIENT:
		r->ops->client(r, id, peer, fd);
		break;
	case ROLE_LINK_NONE:
		fatalx("bad PEER from the parent");
	}
}

static void
role_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct role *r = arg;
	struct rbuf b;

	switch (h->type) {
	case MSG_CONFIG:
		role_got_config(r, p, len, fd);
		break;
	case MSG_LISTENER:
		role_got_listener(r, p, len, fd);
		break;
	case MSG_PEER:
		role_got_peer(r, p, len, fd);
		break;
	case MSG_STATS:
		if (statpage_use(fd) == -1)
			fatalx("bad STATS from the parent");
		break;
	case MSG_PING:
		(void)chan_send(r->parent, MSG_PONG, 0, NULL, 0, -1, 0);
		break;
	case MSG_GO:
		event_base_loopbreak(r->base);
		break;
	case MSG_VERBOSE:
		rbuf_init(&b, p, len);
		log_verbose((int)rbuf_u32(&b));
		/* FALLTHROUGH */
	default:
		if (r->ops->control != NULL)
			r->ops->control(r, (enum msg_type)h->type, p, len);
		break;
	}
}

static void
role_parent_gone(struct chan *c, const char *why, void *arg)
{
	if (why != NULL)
		fatalx("message from the parent: %s", why);
	_exit(0);
}

static void
role_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1,
		SIGUSR2, SIGPIPE };
	size_t i;

	/* Only the parent acts on signals. When it dies, its children die. */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		fatal("PR_SET_PDEATHSIG");
}

void
role_start(struct role *r, enum msg_role who, const struct role_ops *ops,
    void *arg)
{
	char prefix[48];

	sandbox_early();
	if (geteuid() == 0 || getuid() == 0) {
		fprintf(stderr, "%s: will not run as root\n",
		    msg_role_name[who]);
		exit(1);
	}
	role_signals();
	memset(r, 0, sizeof(*r));
	r->who = who;
	r->milter_fd = r->policy_fd = -1;
	r->ops = ops;
	r->arg = arg;
	if ((r->base = event_base_new()) == NULL)
		fatalx("no event base");
	r->parent = chan_new(r->base, ROLE_PARENT_FD, who, ROLE_PARENT,
	    role_msg, role_parent_gone, r);
	chan_phase(r->parent, PHASE_START);
	snprintf(prefix, sizeof(prefix), "%s[%d]: ", msg_role_name[who],
	    (int)getpid());
	log_prefix(prefix);
	log_init_callback(role_log, r);
	log_notes_init(r->base);

	if (event_base_dispatch(r->base) == -1)
		fatalx("event loop");
	if (r->conf == NULL)
		fatalx("no configuration before GO");
}

void
role_ready(struct role *r)
{
	chan_phase(r->parent, PHASE_RUN);
	if (chan_send(r->parent, MSG_READY, 0, NULL, 0, -1, 0) == -1)
		fatalx("cannot send READY to the parent");
}

void
role_drained(struct role *r)
{
	log_notes_flush();
	if (chan_send(r->parent, MSG_DRAINED, 0, NULL, 0, -1, 0) == -1)
		fatalx("cannot send DRAINED to the parent");
}
