/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Load for milters: N connections in one epoll loop, each sends messages
 * one after the other, ten a connection, as a mail server does.
 *
 *	mload [-c connections] [-n messages] [-d domain] [-p pid[,pid...]]
 *	      unix:PATH | inet:PORT
 *
 * %d in the domain becomes a number of its own for each message. Prints
 * messages a second, p50 and p99 of a message in ms, and the CPU
 * milliseconds per 1000 messages of the processes named by -p.
 */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PER_CONN 10
#define MAXCONN	 1024

enum stage {
	S_OPTNEG,
	S_CONNECT,
	S_HELO,
	S_MAIL,
	S_EOM
};

struct conn {
	int fd;
	enum stage stage;
	int left;	/* messages on this connection */
	uint32_t steps; /* agreed */
	uint8_t in[65536];
	size_t len;
	double start;
};

static struct conn conns[MAXCONN];
static struct sockaddr_storage addr;
static socklen_t addrlen;
static const char *domain = "pass.test";
static long total = 5000, started, finished, rejected;
static double *took;
static int ep;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static size_t
put(uint8_t *p, char cmd, const void *data, size_t len)
{
	uint32_t n = htonl((uint32_t)len + 1);

	memcpy(p, &n, 4);
	p[4] = cmd;
	memcpy(p + 5, data, len);
	return len + 5;
}

static void
out(struct conn *c, const uint8_t *p, size_t n)
{
	if (write(c->fd, p, n) != (ssize_t)n)
		err(1, "write");
}

static void conn_open(struct conn *);

static void
send_mail(struct conn *c)
{
	uint8_t buf[1024];
	char from[512], dom[400];
	size_t n = 0;

	snprintf(dom, sizeof(dom), domain, (int)started++);
	snprintf(from, sizeof(from), "<user@%s>", dom);
	c->start = now();
	n += put(buf + n, 'D', "M{mail_addr}\0x\0", 15);
	n += put(buf + n, 'M', from, strlen(from) + 1);
	out(c, buf, n);
	c->stage = S_MAIL;
}

static void
send_eom(struct conn *c)
{
	uint8_t buf[16384];
	size_t n = 0;
	int i;

	if ((c->steps & 0x20) == 0)
		for (i = 0; i < 8; i++)
			n += put(buf + n, 'L',
			    "Subject\0a header of usual "
			    "length, more or less\0",
			    47);
	if ((c->steps & 0x40) == 0)
		n += put(buf + n, 'N', "", 0);
	if ((c->steps & 0x10) == 0) {
		static char body[4096];
		n += put(buf + n, 'B', body, sizeof(body));
	}
	n += put(buf + n, 'E', "", 0);
	out(c, buf, n);
	c->stage = S_EOM;
}

static void
next_message(struct conn *c)
{
	if (c->left-- > 0 && started < total)
		send_mail(c);
	else {
		uint8_t buf[8];
		out(c, buf, put(buf, 'Q', "", 0));
		close(c->fd);
		if (started < total)
			conn_open(c);
		else
			c->fd = -1;
	}
}

static void
done_message(struct conn *c)
{
	took[finished++] = now() - c->start;
	next_message(c);
}

static void
helo(struct conn *c)
{
	uint8_t buf[128];

	c->stage = S_HELO;
	if (c->steps & 2) {
		next_message(c);
		return;
	}
	out(c, buf, put(buf, 'H', "mail.none.test", 15));
	if (c->steps & 0x2000)
		next_message(c);
}

static void
connected(struct conn *c)
{
	uint8_t buf[256];
	size_t n;
	static const char info[] = "client.none.test\0004\020\341"
				   "192.0.2.1";

	c->stage = S_CONNECT;
	n = put(buf, 'D', "Cj\0mx.example.test", 19);
	n += put(buf + n, 'C', info, sizeof(info));
	out(c, buf, n);
	if (c->steps & 0x1000)
		helo(c);
}

static void
reply(struct conn *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	switch (c->stage) {
	case S_OPTNEG:
		memcpy(&v, p + 9, 4);
		c->steps = ntohl(v);
		connected(c);
		break;
	case S_CONNECT:
		helo(c);
		break;
	case S_HELO:
		next_message(c);
		break;
	case S_MAIL:
		if (p[0] == 'c')
			send_eom(c);
		else {
			rejected++;
			done_message(c);
		}
		break;
	case S_EOM:
		if (p[0] == 'i' || p[0] == 'h' || p[0] == 'm')
			break;
		if (p[0] != 'c' && p[0] != 'a')
			rejected++;
		done_message(c);
		break;
	}
}

static void
conn_open(struct conn *c)
{
	/* all actions; every step may be left out or go unanswered */
	static const uint32_t neg[3] = { 6, 0x1ff, 0x1fffff };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	uint8_t buf[32];
	uint32_t v[3];
	int i, one = 1;

	c->fd = socket(addr.ss_family, SOCK_STREAM, 0);
	if (c->fd == -1 ||
	    connect(c->fd, (struct sockaddr *)&addr, addrlen) == -1)
		err(1, "connect");
	if (addr.ss_family == AF_INET)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->stage = S_OPTNEG;
	c->left = PER_CONN;
	c->len = 0;
	for (i = 0; i < 3; i++)
		v[i] = htonl(neg[i]);
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(1, "epoll_ctl");
	out(c, buf, put(buf, 'O', v, sizeof(v)));
}

static void
conn_read(struct conn *c)
{
	ssize_t n;
	uint32_t len;
	int fd = c->fd;

	n = read(c->fd, c->in + c->len, sizeof(c->in) - c->len);
	if (n <= 0)
		errx(1, "the milter closed the connection");
	c->len += n;
	while (c->len >= 5) {
		memcpy(&len, c->in, 4);
		len = ntohl(len);
		if (len > sizeof(c->in) - 4)
			errx(1, "reply of %u octets", len);
		if (c->len < len + 4)
			break;
		c->len -= len + 4;
		{
			static uint8_t pkt[65536];
			memcpy(pkt, c->in + 4, len);
			memmove(c->in, c->in + 4 + len, c->len);
			reply(c, pkt, len);
		}
		if (c->fd != fd)
			return; /* a new connection, or none */
	}
}

static double
cpu_of(const char *pids)
{
	char path[64], buf[1024], *copy, *tok, *p;
	unsigned long u, s;
	double sum = 0;
	FILE *fp;

	copy = strdup(pids);
	for (tok = strtok(copy, ","); tok != NULL; tok = strtok(NULL, ",")) {
		snprintf(path, sizeof(path), "/proc/%s/stat", tok);
		if ((fp = fopen(path, "r")) == NULL)
			continue;
		if (fgets(buf, sizeof(buf), fp) != NULL &&
		    (p = strrchr(buf, ')')) != NULL &&
		    sscanf(p + 2,
			"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
			"%*u %lu %lu",
			&u, &s) == 2)
			sum += (double)(u + s) / sysconf(_SC_CLK_TCK);
		fclose(fp);
	}
	free(copy);
	return sum;
}

static int
cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
set_addr(const char *s)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&addr;
	struct sockaddr_in *sin = (struct sockaddr_in *)&addr;

	if (strncmp(s, "unix:", 5) == 0) {
		sun->sun_family = AF_UNIX;
		strncpy(sun->sun_path, s + 5, sizeof(sun->sun_path) - 1);
		addrlen = sizeof(*sun);
	} else if (strncmp(s, "inet:", 5) == 0) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(atoi(s + 5));
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		addrlen = sizeof(*sin);
	} else
		errx(64, "address?");
}

int
main(int argc, char **argv)
{
	struct epoll_event evs[64];
	const char *pids = "";
	int ch, i, n, nconn = 8;
	double start, cpu, wall;

	while ((ch = getopt(argc, argv, "c:n:d:p:")) != -1)
		switch (ch) {
		case 'c':
			nconn = atoi(optarg);
			break;
		case 'n':
			total = atol(optarg);
			break;
		case 'd':
			domain = optarg;
			break;
		case 'p':
			pids = optarg;
			break;
		default:
			errx(64, "usage: see the source");
		}
	if (optind + 1 != argc || nconn < 1 || nconn > MAXCONN || total < 1 ||
	    total > 10000000)
		errx(64, "usage: see the source");
	set_addr(argv[optind]);
	took = calloc(total + MAXCONN, sizeof(*took));
	ep = epoll_create1(0);
	cpu = cpu_of(pids);
	start = now();
	for (i = 0; i < nconn; i++)
		conn_open(&conns[i]);
	while (finished < total) {
		if (now() - start > 300)
			errx(1, "%ld of %ld after 300 s", finished, total);
		n = epoll_wait(ep, evs, 64, 1000);
		for (i = 0; i < n; i++)
			conn_read(evs[i].data.ptr);
	}
	wall = now() - start;
	cpu = cpu_of(pids) - cpu;
	qsort(took, finished, sizeof(*took), cmp);
	printf("messages %ld rejected %ld per_second %.0f p50_ms %.3f "
	       "p99_ms %.3f cpu_ms_per_1000 %.2f\n",
	    finished, rejected, finished / wall, took[finished / 2] * 1e3,
	    took[finished * 99 / 100] * 1e3, cpu * 1e6 / finished);
	return 0;
}
