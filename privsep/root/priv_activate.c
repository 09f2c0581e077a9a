/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/root/priv_activate.h"

#define FIRST_FD  3
#define NAMES_MAX 1024

/* FileDescriptorName=, its default (the unit's name), the socket's type. */
static const struct {
	const char *name;
	const char *unit;
	int type;
} kinds[ACTIVATE_MAX] = {
	[ACTIVATE_MILTER] = { "milter", "pyspf-milter.socket", SOCK_STREAM },
	[ACTIVATE_POLICY] = { "policy", "pyspf-milter-policy.socket",
	    SOCK_STREAM },
	[ACTIVATE_CONTROL] = { "control", "pyspf-milter-control.socket",
	    SOCK_SEQPACKET },
};

static int __attribute__((__format__(printf, 3, 4)))
refuse(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return -1;
}

/* Without a name, the first is milter and the second policy. */
static enum activate_kind
activate_kind(const char *name, int place)
{
	int i;

	if (name == NULL || *name == '\0' || strcmp(name, "unknown") == 0)
		return place <= ACTIVATE_POLICY ? (enum activate_kind)place :
						  ACTIVATE_MAX;
	for (i = 0; i < ACTIVATE_MAX; i++)
		if (strcmp(name, kinds[i].name) == 0 ||
		    strcmp(name, kinds[i].unit) == 0)
			break;
	return (enum activate_kind)i;
}

static int
sock_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int v;

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) == -1 ? -1 : v;
}

static int
activate_check(int fd, enum activate_kind kind, char *why, size_t len)
{
	const char *name = kinds[kind].name;
	int domain, type, one = 1, flags;

	if ((type = sock_option(fd, SO_TYPE)) == -1)
		return refuse(why, len, "descriptor %d (%s): %s", fd, name,
		    strerror(errno));
	domain = sock_option(fd, SO_DOMAIN);
	if (type != kinds[kind].type)
		return refuse(why, len, "descriptor %d (%s) must be %s", fd,
		    name,
		    kinds[kind].type == SOCK_STREAM ?
			"a stream socket" :
			"a sequential packet socket");
	if (domain != AF_UNIX &&
	    (kind == ACTIVATE_CONTROL ||
		(domain != AF_INET && domain != AF_INET6)))
		return refuse(why, len,
		    "descriptor %d (%s) has an address family that is not "
		    "supported",
		    fd, name);
	if (sock_option(fd, SO_ACCEPTCONN) != 1)
		return refuse(why, len, "descriptor %d (%s) does not listen",
		    fd, name);
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    (domain != AF_UNIX &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ==
		    -1))
		return refuse(why, len, "descriptor %d (%s): %s", fd, name,
		    strerror(errno));
	return 0;
}

static int
activate_all(int fds[ACTIVATE_MAX], int n, char *names, char *why, size_t len)
{
	enum activate_kind kind;
	const char *name;
	int i;

	for (i = 0; i < n; i++) {
		name = names == NULL ? NULL : strsep(&names, ":");
		kind = activate_kind(name, i);
		if (kind == ACTIVATE_MAX)
			return refuse(why, len,
			    "descriptor %d%s%s: names are "
			    "milter, policy, control",
			    FIRST_FD + i, name == NULL ? "" : " has the name ",
			    name == NULL ? "" : name);
		if (fds[kind] != -1)
			return refuse(why, len, "two descriptors for %s",
			    kinds[kind].name);
		if (activate_check(FIRST_FD + i, kind, why, len) == -1)
			return -1;
		fds[kind] = FIRST_FD + i;
	}
	return 0;
}

int
priv_activate(int fds[ACTIVATE_MAX], char *why, size_t len)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS"),
		   *names = getenv("LISTEN_FDNAMES"), *errstr = NULL;
	char copy[NAMES_MAX];
	long long count = 0;
	int i, for_us, rc = 0;

	for (i = 0; i < ACTIVATE_MAX; i++)
		fds[i] = -1;
	/* the variables may be meant for another process */
	for_us = pid != NULL && n != NULL &&
	    strtonum(pid, 1, INT_MAX, &errstr) == getpid() && errstr == NULL;
	if (for_us)
		count = strtonum(n, 0, ACTIVATE_MAX, &errstr);
	if (for_us && errstr != NULL)
		rc = refuse(why, len, "LISTEN_FDS %s is %s", n, errstr);
	else if (names != NULL &&
	    strlcpy(copy, names, sizeof(copy)) >= sizeof(copy))
		rc = refuse(why, len, "LISTEN_FDNAMES is too long");
	else if (for_us)
		rc = activate_all(fds, (int)count, names == NULL ? NULL : copy,
		    why, len);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}
