/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/clock.h"
#include "privsep/parent/control.h"
#include "privsep/sandbox/sandbox.h"
#include "proto/version.h"

/* Room for "inet:65535@" and an address, or a path. */
#define LISTENER_TEXT 160

/* As it is bound, whatever a configuration that came later says. */
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
status_listeners(const struct parent_view *p, control_say_fn say, void *arg)
{
	const struct {
		const char *name;
		int fd;
	} v[] = {
		{ "milter", p->all->milter_fd },
		{ "policy", p->all->policy_fd },
		{ "control", p->control_fd },
	};
	char buf[LISTENER_TEXT];
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].fd != -1 &&
		    listener_text(v[i].fd, buf, sizeof(buf)) != NULL)
			say(arg, "listener %s %s", v[i].name, buf);
}

static void
status_nameservers(const struct parent_view *p, control_say_fn say, void *arg)
{
	const struct conf_servers *s;
	char buf[ADDR_STRLEN];
	size_t i;

	if (p->cur == NULL)
		return;
	s = &p->cur->conf->nameservers;
	for (i = 0; i < s->n; i++)
		say(arg, "nameserver %s@%u",
		    addr_format(&s->v[i].addr, buf, sizeof(buf)),
		    (unsigned int)s->v[i].port);
}

/* "full" is all that this release knows how to ask of a kernel. */
static void
status_sandbox(control_say_fn say, void *arg)
{
	struct sandbox_state st;
	int all = sandbox_state(&st);

	say(arg, "sandbox %s landlock %d seccomp %d",
	    all					  ? "full" :
		st.seccomp || st.landlock_abi > 0 ? "partial" :
						    "none",
	    st.landlock_abi, st.seccomp);
}

static uint64_t
checks_of(const struct stats *s)
{
	return s->v[STAT_CHECK_MILTER] + s->v[STAT_CHECK_POLICY];
}

static void
status_slot(const struct slot *s, time_t now, control_say_fn say, void *arg)
{
	int down = s->pid == -1;

	say(arg,
	    "process %s %d generation %u %s restarts %u uptime %lld "
	    "connections %llu checks %llu",
	    s->row->name, (int)s->pid, s->gen->number,
	    down	 ? "down" :
		s->ready ? "ready" :
			   "starting",
	    s->restarts, down ? 0LL : (long long)(now - s->started),
	    down ? 0ULL : (unsigned long long)s->stats->v[STAT_CONN_OPEN],
	    (unsigned long long)checks_of(s->stats));
}

static void
status_generation(const struct parent_view *p, const struct generation *g,
    time_t now, control_say_fn say, void *arg)
{
	const struct slot *s;
	struct stats sum;

	memset(&sum, 0, sizeof(sum));
	generation_stats(g, &sum, 1);
	say(arg, "generation %u %s age %lld connections %llu checks %llu",
	    g->number,
	    g->draining	    ? "draining" :
		g == p->cur ? "serving" :
			      "starting",
	    (long long)(now - g->since),
	    (unsigned long long)sum.v[STAT_CONN_OPEN],
	    (unsigned long long)checks_of(&sum));
	TAILQ_FOREACH(s, &g->slots, entry)
		status_slot(s, now, say, arg);
}

void
control_status(const struct parent_view *p, control_say_fn say, void *arg)
{
	const struct generation *g;
	const struct role_row *row;
	time_t now = clock_seconds();

	say(arg, "version %s", PYSPF_VERSION);
	say(arg, "parent %d uptime %lld started %lld", (int)getpid(),
	    (long long)(now - p->since), (long long)p->started);
	say(arg, "config %s", p->path);
	status_sandbox(say, arg);
	say(arg, "log %s", p->all->verbose ? "verbose" : "brief");
	status_listeners(p, say, arg);
	status_nameservers(p, say, arg);
	say(arg, "reloads done %lu refused %lu failed %lu", p->reloads,
	    p->reloads_refused, p->reloads_failed);
	for (row = role_rows; row < role_rows + SANDBOX_MAX; row++)
		if (row->number != ROLE_NUMBER_NONE)
			say(arg, "restarts %s %lu", row->name,
			    p->all->restarts[row->role]);
	TAILQ_FOREACH(g, &p->all->list, entry)
		status_generation(p, g, now, say, arg);
}
