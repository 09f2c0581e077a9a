/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: test; it is the parent and all the workers of one dns process. */

/*
 * usage: dns_bridge CONFIGFILE
 *
 * Starts the dns role by the parent's own code and lends it to a script.
 * Lines on stdin, one command each (N is the number of a worker):
 *	peer N			connects worker N (again: with a new channel)
 *	close N			closes its end
 *	ask N ID TYPE HEX	asks; the name in hex
 *	raw N HEX		sends a record as it is, header included
 *	hold N, resume N	stops and goes on reading answers
 *	flush			as the parent
 *	kill SIGNAL		to the dns process
 *	restart			a new dns process; the workers stay connected
 *	gauge			the counter of questions under way
 * Lines on stdout:
 *	ready PID
 *	answer N ID STATUS SECURE CACHED TYPE TTL USEC [AUX:HEX ...]
 *	closed N, log PRIORITY TEXT, exit CODE, signal NUMBER, gauge COUNT
 */

#include <sys/wait.h>

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/child/role.h"
#include "privsep/child/statpage.h"
#include "privsep/start/spawn.h"
#include "proto/dnsmsg.h"
#include "proto/wire.h"

#define WORKERS 8

/* clang-format off */
static const struct spawn_role roles[] = {
	{ ROLE_DNS, dns_main },
	{ ROLE_NONE, NULL }
};
/* clang-format on */

static struct event_base *base;
static struct conf *conf;
static int exe_fd, conf_fd, stats_fd;
static const struct stats *counters;
static pid_t pid = -1;
static struct chan *dns;
static struct chan *workers[WORKERS];

static void
worker_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p,
    size_t len, int fd, void *arg)
{
	static struct dns_rr rr[DNSMSG_MAXRR];
	size_t n = (struct chan **)arg - workers;
	struct dns_answer a;
	struct rbuf r;
	uint16_t i;
	size_t k;

	rbuf_init(&r, p, len);
	if (dnsmsg_get_answer(&r, &a, rr, DNSMSG_MAXRR) == -1) {
		printf("malformed %zu\n", n);
		return;
	}
	printf("answer %zu %u %s %u %u %s %u %u", n, h->peerid,
	    dns_status_name[a.status], a.secure, a.cached,
	    dns_type_name(a.type), a.ttl, a.usec);
	for (i = 0; i < a.nrr; i++) {
		printf(" %u:", rr[i].aux);
		for (k = 0; k < rr[i].len; k++)
			printf("%02x", rr[i].data[k]);
	}
	printf("\n");
}

static void
worker_gone(struct chan *c, const char *why, void *arg)
{
	struct chan **slot = arg;

	printf("closed %zu\n", (size_t)(slot - workers));
	chan_free(c);
	*slot = NULL;
}

static void
dns_msg(struct chan *c, const struct msg_hdr *h, const uint8_t *p, size_t len,
    int fd, void *arg)
{
	struct rbuf r;
	uint32_t pri;

	switch (h->type) {
	case MSG_LOG:
		rbuf_init(&r, p, len);
		pri = rbuf_u32(&r);
		printf("log %u %.*s\n", pri, (int)r.left, (const char *)r.p);
		break;
	case MSG_READY:
		chan_phase(c, PHASE_RUN);
		printf("ready %d\n", (int)pid);
		break;
	}
}

static void
dns_gone(struct chan *c, const char *why, void *arg)
{
	int status;

	if (why != NULL)
		printf("violation %s\n", why);
	chan_free(c);
	dns = NULL;
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("exit %d\n", WEXITSTATUS(status));
}

static void
connect_worker(size_t n)
{
	int sv[2];

	if (chan_pair(sv) == -1)
		fatal("chan_pair");
	chan_free(workers[n]);
	workers[n] = chan_new(base, sv[0], ROLE_WORKER, ROLE_DNS, worker_msg,
	    worker_gone, &workers[n]);
	if (spawn_send_peer(dns, (uint32_t)n + 1, ROLE_WORKER, sv[1]) == -1)
		fatalx("PEER not sent");
}

static void
start(void)
{
	int fd, sock;
	size_t i;

	if ((pid = spawn_role(exe_fd, "dns_bridge", ROLE_DNS, &sock)) == -1)
		fatal("spawn_role");
	dns = chan_new(base, sock, ROLE_PARENT, ROLE_DNS, dns_msg, dns_gone,
	    NULL);
	chan_phase(dns, PHASE_START);
	if (chan_send_u32(dns, MSG_CONFIG, conf->program, conf_fd) == -1)
		fatalx("CONFIG not sent");
	if ((fd = dup(stats_fd)) == -1 ||
	    chan_send(dns, MSG_STATS, 0, NULL, 0, fd, 1) == -1)
		fatal("STATS not sent");
	for (i = 0; i < WORKERS; i++)
		if (workers[i] != NULL)
			connect_worker(i);
	(void)chan_send(dns, MSG_GO, 0, NULL, 0, -1, 0);
}

static size_t
unhex(const char *hex, uint8_t *out, size_t size)
{
	unsigned int v;
	size_t n = 0;

	while (n < size && sscanf(hex + 2 * n, "%2x", &v) == 1)
		out[n++] = (uint8_t)v;
	return n;
}

static void
send_raw(size_t n, const char *hex)
{
	static uint8_t buf[MSG_MAX];

	if (workers[n] == NULL ||
	    send(chan_fd(workers[n]), buf, unhex(hex, buf, sizeof(buf)),
		MSG_NOSIGNAL) == -1)
		printf("not sent\n");
}

/* Without the checks of dnsmsg_put_query(), so that bad ones can be sent. */
static void
send_query(size_t n, unsigned int id, unsigned int type, const char *hex)
{
	uint8_t name[512], buf[1024];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u16(&w, (uint16_t)type);
	wbuf_blob(&w, name, unhex(hex, name, sizeof(name)));
	if (workers[n] == NULL ||
	    chan_send(workers[n], MSG_QUERY, id, buf, w.len, -1, 0) == -1)
		printf("not sent\n");
}

static void
command(char *line)
{
	static char hex[2 * MSG_MAX + 1];
	unsigned int n = 0, id, type;

	hex[0] = '\0';
	if (sscanf(line, "ask %u %u %u %1024s", &n, &id, &type, hex) >= 3)
		send_query(n % WORKERS, id, type, hex);
	else if (sscanf(line, "raw %u %131104s", &n, hex) == 2)
		send_raw(n % WORKERS, hex);
	else if (sscanf(line, "peer %u", &n) == 1)
		connect_worker(n % WORKERS);
	else if (sscanf(line, "close %u", &n) == 1) {
		chan_free(workers[n % WORKERS]);
		workers[n % WORKERS] = NULL;
	} else if (sscanf(line, "hold %u", &n) == 1)
		chan_pause(workers[n % WORKERS], 1);
	else if (sscanf(line, "resume %u", &n) == 1)
		chan_pause(workers[n % WORKERS], 0);
	else if (sscanf(line, "kill %u", &n) == 1)
		kill(pid, (int)n);
	else if (strcmp(line, "gauge") == 0)
		printf("gauge %llu\n",
		    (unsigned long long)counters->v[STAT_DNS_INFLIGHT]);
	else if (strcmp(line, "flush") == 0)
		(void)chan_send(dns, MSG_FLUSH, 0, NULL, 0, -1, 0);
	else if (strcmp(line, "restart") == 0)
		start();
	else
		printf("what? %s\n", line);
}

static void
commands(evutil_socket_t fd, short what, void *arg)
{
	static char buf[4 * MSG_MAX];
	static size_t have;
	char *nl, *line = buf;
	ssize_t n;

	if ((n = read(fd, buf + have, sizeof(buf) - 1 - have)) <= 0) {
		event_base_loopbreak(base);
		return;
	}
	have += (size_t)n;
	buf[have] = '\0';
	while ((nl = strchr(line, '\n')) != NULL) {
		*nl = '\0';
		command(line);
		line = nl + 1;
	}
	have -= (size_t)(line - buf);
	memmove(buf, line, have);
}

/* A role refuses to run as root. */
static void
drop(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) == -1 || setresgid(65534, 65534, 65534) == -1 ||
	    setresuid(65534, 65534, 65534) == -1)
		fatal("drop");
}

int
main(int argc, char **argv)
{
	struct conf_msgs msgs;
	struct event *in;

	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		return spawn_role_main(roles, argv[2]);
	if (argc < 2)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init_stderr("dns_bridge");
	conf = conf_load(CONF_MILTER, argv[1], 1, NULL, &msgs);
	if (conf == NULL)
		fatalx("%s: %s", argv[1], msgs.v[0].text);
	exe_fd = spawn_open_exe();
	if ((base = event_base_new()) == NULL ||
	    (conf_fd = spawn_conf_fd(conf)) == -1 ||
	    (stats_fd = statpage_new(&counters)) == -1)
		fatal("start");
	drop();
	if ((in = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, commands,
		 NULL)) == NULL ||
	    event_add(in, NULL) == -1)
		fatalx("stdin");
	start();
	event_base_dispatch(base);
	if (pid != -1)
		kill(pid, SIGKILL);
	return 0;
}
