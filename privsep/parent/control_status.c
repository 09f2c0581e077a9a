/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/clock.h"
#include "privsep/parent/control.h"
#include "privsep/sandbox/landlock.h"
#include "privsep/sandbox/sandbox.h"
#include "proto/version.h"

/* Room for "inet:65535@" and an address, or a path. */
#define LISTENER_TEXT 160

/* The address that is bound; a later configuration may have another. */
static const char *
listener_text(int fd, char *buf, size_t size)
{
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage any;
	} u;
	char host[INET6_ADDRSTRLEN];
	socklen_t len = sizeof(u);
	size_t n;

	memset(&u, 0, sizeof(u));
	if (getsockname(fd, &u.sa, &len) == -1)
		return NULL;
	switch (u.sa.sa_family) {
	case AF_UNIX:
		n = len - offsetof(struct sockaddr_un, sun_path);
		snprintf(buf, size, "local:%.*s", (int)n, u.un.sun_path);
		break;
	case AF_INET:
		snprintf(buf, size, "inet:%u@%s", ntohs(u.in.sin_port),
		    inet_ntop(AF_INET, &u.in.sin_addr, host, sizeof(host)));
		break;
	case AF_INET6:
		snprintf(buf, size, "inet6:%u@%s", ntohs(u.in6.sin6_port),
		    inet_ntop(AF_INET6, &u.in6.sin6_addr, host, sizeof(host)));
		break;
	default:
		return NULL;
	}
	return buf;
}

static void
put_daemon(const struct parent_view *p, time_t now, control_row_fn put,
    void *arg)
{
	struct status_row row = { .kind = STATUS_DAEMON };
	union status_value *v = row.v;
	const struct role_row *role;

	v[STATUS_DAEMON_VERSION].text = PYSPF_VERSION;
	v[STATUS_DAEMON_PID].number = (uint64_t)getpid();
	v[STATUS_DAEMON_UPTIME].number = (uint64_t)(now - p->since);
	v[STATUS_DAEMON_STARTED].number = (uint64_t)p->started;
	v[STATUS_DAEMON_CONFIG].text = p->path;
	put(arg, &row);
	row.kind = STATUS_LOG;
	v[STATUS_LOG_LEVEL].number =
	    p->all->verbose ? STATUS_WORD_VERBOSE : STATUS_WORD_BRIEF;
	put(arg, &row);
	row.kind = STATUS_RELOADS;
	v[STATUS_RELOADS_DONE].number = p->reloads;
	v[STATUS_RELOADS_REFUSED].number = p->reloads_refused;
	v[STATUS_RELOADS_FAILED].number = p->reloads_failed;
	put(arg, &row);
	row.kind = STATUS_RESTARTS;
	for (role = role_rows; role < role_rows + SANDBOX_MAX; role++) {
		if (role->number == ROLE_NUMBER_NONE)
			continue;
		v[STATUS_RESTARTS_ROLE].number = role->role;
		v[STATUS_RESTARTS_COUNT].number = p->all->restarts[role->role];
		put(arg, &row);
	}
}

/* "full": both layers, with all that this kernel has of them. */
static void
put_sandbox(control_row_fn put, void *arg)
{
	struct status_row row = { .kind = STATUS_SANDBOX };
	union status_value *v = row.v;
	char lacks[LL_LACKS_LEN];
	struct sandbox_state st;
	int all = sandbox_state(&st);

	v[STATUS_SANDBOX_STATE].number = all  ? STATUS_WORD_FULL :
	    st.seccomp || st.landlock_abi > 0 ? STATUS_WORD_PARTIAL :
						STATUS_WORD_NONE;
	v[STATUS_SANDBOX_LANDLOCK_ABI].number = (uint64_t)st.landlock_abi;
	v[STATUS_SANDBOX_LACKS].text =
	    landlock_lacks(st.landlock_abi, lacks, sizeof(lacks));
	v[STATUS_SANDBOX_SECCOMP].number = st.seccomp != 0;
	put(arg, &row);
}

static void
put_listeners(const struct parent_view *p, control_row_fn put, void *arg)
{
	const struct {
		enum status_word name;
		int fd;
	} l[] = {
		{ STATUS_WORD_MILTER, p->all->milter_fd },
		{ STATUS_WORD_POLICY, p->all->policy_fd },
		{ STATUS_WORD_CONTROL, p->control_fd },
	};
	struct status_row row = { .kind = STATUS_LISTENER };
	char buf[LISTENER_TEXT];
	size_t i;

	for (i = 0; i < sizeof(l) / sizeof(l[0]); i++) {
		if (l[i].fd == -1 ||
		    listener_text(l[i].fd, buf, sizeof(buf)) == NULL)
			continue;
		row.v[STATUS_LISTENER_NAME].number = l[i].name;
		row.v[STATUS_LISTENER_ADDRESS].text = buf;
		put(arg, &row);
	}
}

static void
put_nameservers(const struct conf_servers *s, control_row_fn put, void *arg)
{
	struct status_row row = { .kind = STATUS_NAMESERVER };
	char addr[ADDR_STRLEN], buf[ADDR_STRLEN + 6];
	size_t i;

	for (i = 0; i < s->n; i++) {
		snprintf(buf, sizeof(buf), "%s@%u",
		    addr_format(&s->v[i].addr, addr, sizeof(addr)),
		    (unsigned int)s->v[i].port);
		row.v[STATUS_NAMESERVER_ADDRESS].text = buf;
		put(arg, &row);
	}
}

static uint64_t
checks_of(const struct stats *s)
{
	return s->v[STAT_CHECK_MILTER] + s->v[STAT_CHECK_POLICY];
}

static void
put_process(const struct generation_slot *s, time_t now, control_row_fn put,
    void *arg)
{
	struct status_row row = { .kind = STATUS_PROCESS };
	union status_value *v = row.v;

	v[STATUS_PROCESS_ROLE].number = s->row->role;
	v[STATUS_PROCESS_STATE].number = STATUS_WORD_DOWN;
	v[STATUS_PROCESS_RESTARTS].number = s->restarts;
	v[STATUS_PROCESS_CHECKS].number = checks_of(s->stats);
	if (s->pid != -1) {
		v[STATUS_PROCESS_PID].number = (uint64_t)s->pid;
		v[STATUS_PROCESS_STATE].number =
		    s->ready ? STATUS_WORD_READY : STATUS_WORD_STARTING;
		v[STATUS_PROCESS_UPTIME].number = (uint64_t)(now - s->started);
		v[STATUS_PROCESS_CONNECTIONS].number =
		    s->stats->v[STAT_CONN_OPEN];
	}
	put(arg, &row);
}

static void
put_generation(const struct parent_view *p, const struct generation *g,
    time_t now, control_row_fn put, void *arg)
{
	struct status_row row = { .kind = STATUS_GENERATION };
	union status_value *v = row.v;
	const struct generation_slot *s;
	struct stats sum;

	memset(&sum, 0, sizeof(sum));
	generation_stats(g, &sum, 1);
	v[STATUS_GENERATION_NUMBER].number = g->number;
	v[STATUS_GENERATION_STATE].number = g->draining ? STATUS_WORD_DRAINING :
	    g == p->cur					? STATUS_WORD_SERVING :
							  STATUS_WORD_STARTING;
	v[STATUS_GENERATION_AGE].number = (uint64_t)(now - g->since);
	v[STATUS_GENERATION_CONNECTIONS].number = sum.v[STAT_CONN_OPEN];
	v[STATUS_GENERATION_CHECKS].number = checks_of(&sum);
	put(arg, &row);
	TAILQ_FOREACH(s, &g->slots, entry)
		put_process(s, now, put, arg);
}

void
control_status(const struct parent_view *p, control_row_fn put, void *arg)
{
	const struct generation *g;
	time_t now = clock_seconds();

	put_daemon(p, now, put, arg);
	put_sandbox(put, arg);
	put_listeners(p, put, arg);
	if (p->cur != NULL)
		put_nameservers(&p->cur->conf->nameservers, put, arg);
	TAILQ_FOREACH(g, &p->all->list, entry)
		put_generation(p, g, now, put, arg);
}
