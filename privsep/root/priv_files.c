/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before the drop. */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/root/priv_files.h"

#define LISTEN_BACKLOG 4096
#define DIR_MODE       0755
#define RUN_DIR_MODE   01775

/* Copies text to why and closes fd, unless it is -1. Returns -1. */
static int
refuse(int fd, char *why, size_t whylen, const char *text)
{
	strlcpy(why, text, whylen);
	if (fd != -1)
		close(fd);
	return -1;
}

/*
 * Changes the new directory by its descriptor: another user who may write to
 * the directory above could replace it by a link.
 */
static int
mkdir_level(const char *dir, int last, const struct priv_owner *o)
{
	int fd, rc, saved;

	if (mkdir(dir, DIR_MODE) == -1)
		return errno == EEXIST ? 0 : -1;
	if (!last || geteuid() != 0)
		return 0;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) ==
	    -1)
		return -1;
	rc = fchown(fd, 0, o->gid) == -1 || fchmod(fd, RUN_DIR_MODE) == -1 ?
	    -1 :
	    0;
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/*
 * This lock needs a descriptor for writing. flock(2) does not: any user who
 * may read the file could keep the daemon from starting.
 */
static int
lock_file(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &l);
}

/* Makes the missing directories of a path. 0, or -1 with a text in why. */
static int
make_dirs(const char *path, const struct priv_owner *o, char *why,
    size_t whylen)
{
	char buf[PATH_MAX], *dir, *p;
	int last;

	if (strlcpy(buf, path, sizeof(buf)) >= sizeof(buf))
		return refuse(-1, why, whylen, strerror(ENAMETOOLONG));
	dir = dirname(buf);
	for (p = dir + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		last = *p == '\0';
		*p = '\0';
		if (mkdir_level(dir, last, o) == -1) {
			snprintf(why, whylen,
			    "its directory cannot be made: %s",
			    strerror(errno));
			return -1;
		}
		if (last)
			return 0;
		*p = '/';
	}
}

/* 1 when the process is a pyspf-milter, of this project or of spf-engine. */
static int
pid_is_milter(pid_t pid)
{
	char path[64], buf[1024];
	ssize_t n, i;
	int fd;

	if (pid <= 1 || pid == getpid())
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	for (i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	buf[n] = '\0';
	return strstr(buf, "pyspf-milter") != NULL;
}

/*
 * Opens the file, or creates it. With O_CREAT alone, root cannot open the file
 * of another user in a sticky directory if sysctl fs.protected_regular is 2,
 * as on Debian 12.
 */
static int
open_pidfile(const char *path)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd, tries;

	for (tries = 0; tries < 3; tries++) {
		if ((fd = open(path, flags)) != -1 || errno != ENOENT)
			return fd;
		fd = open(path, flags | O_CREAT | O_EXCL, 0644);
		if (fd != -1 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int
priv_pidfile(const char *path, const struct priv_owner *o, char *why,
    size_t whylen)
{
	struct stat st, now;
	char buf[32];
	const char *errstr;
	pid_t pid;
	ssize_t n;
	int fd = -1;

	if (make_dirs(path, o, why, whylen) == -1)
		return -1;
	fd = open_pidfile(path);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return refuse(fd, why, whylen,
		    "is not a regular file with one link");
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != o->uid)
		return refuse(fd, why, whylen, "belongs to another user");
	n = pread(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\r\n ")] = '\0';
	pid = (pid_t)strtonum(buf, 1, INT_MAX, &errstr);
	if (lock_file(fd) == -1 || (errstr == NULL && pid_is_milter(pid))) {
		snprintf(why, whylen, "a daemon is running already, pid %s",
		    buf[0] == '\0' ? "unknown" : buf);
		close(fd);
		return -1;
	}
	/* another daemon may have removed it between open and lock */
	if (lstat(path, &now) == -1 || now.st_ino != st.st_ino ||
	    now.st_dev != st.st_dev)
		return refuse(fd, why, whylen,
		    "another process replaced it; start the daemon again");
	n = snprintf(buf, sizeof(buf), "%d", (int)getpid());
	if (ftruncate(fd, 0) == -1 || pwrite(fd, buf, n, 0) != n ||
	    fchmod(fd, 0644) == -1 ||
	    (geteuid() == 0 && fchown(fd, o->uid, o->gid) == -1))
		goto fail;
	return fd;
fail:
	return refuse(fd, why, whylen, strerror(errno));
}

/* Removes a stale socket. 0, or -1 with a text when one is in use. */
static int
unix_clear(const struct sockaddr_un *sun, int type, char *why, size_t whylen)
{
	struct stat st;
	int fd, rc;

	if (lstat(sun->sun_path, &st) == -1)
		return errno == ENOENT ?
		    0 :
		    refuse(-1, why, whylen, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse(-1, why, whylen,
		    "a file with this name exists and is no socket");
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return refuse(-1, why, whylen, strerror(errno));
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	if (rc != -1 || errno != ECONNREFUSED)
		return refuse(fd, why, whylen,
		    "another program listens on it already");
	if (unlink(sun->sun_path) == -1)
		return refuse(fd, why, whylen, strerror(errno));
	close(fd);
	return 0;
}

static int
listen_local(const struct conf_socket *s, int type, int mask,
    const struct priv_owner *o, char *why, size_t whylen)
{
	struct sockaddr_un sun;
	struct stat st;
	mode_t old;
	gid_t gid;
	int fd, rc;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, s->path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		return refuse(-1, why, whylen, "path is too long for a socket");
	if (make_dirs(s->path, o, why, whylen) == -1 ||
	    unix_clear(&sun, type, why, whylen) == -1)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		goto fail;
	old = umask(mask);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1 || lstat(sun.sun_path, &st) == -1)
		goto fail;
	/* keep the group that a set-group-id directory gave it */
	gid = st.st_gid != getegid() ? (gid_t)-1 : o->gid;
	if ((geteuid() == 0 && lchown(sun.sun_path, o->uid, gid) == -1) ||
	    listen(fd, LISTEN_BACKLOG) == -1)
		goto fail;
	return fd;
fail:
	return refuse(fd, why, whylen, strerror(errno));
}

static int
listen_inet(const struct conf_socket *s, char *why, size_t whylen)
{
	struct addrinfo hints, *res = NULL;
	char port[8];
	int fd = -1, one = 1, rc;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = s->kind == SOCK_INET6 ? AF_INET6 : AF_INET;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
	snprintf(port, sizeof(port), "%u", s->port);
	if ((rc = getaddrinfo(s->host, port, &hints, &res)) != 0)
		return refuse(-1, why, whylen, gai_strerror(rc));
	fd = socket(res->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	/* accepted sockets inherit TCP_NODELAY, also in libmilter */
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1 ||
	    bind(fd, res->ai_addr, res->ai_addrlen) == -1 ||
	    listen(fd, LISTEN_BACKLOG) == -1)
		fd = refuse(fd, why, whylen, strerror(errno));
	freeaddrinfo(res);
	return fd;
}

int
priv_listen(const struct conf_socket *s, int mask, const struct priv_owner *o,
    char *why, size_t whylen)
{
	if (s->kind == SOCK_LOCAL)
		return listen_local(s, SOCK_STREAM, mask, o, why, whylen);
	return listen_inet(s, why, whylen);
}

int
priv_listen_control(const struct conf_socket *s, const struct priv_owner *o,
    char *why, size_t whylen)
{
	if (s->kind != SOCK_LOCAL)
		return refuse(-1, why, whylen, "must be a local socket");
	return listen_local(s, SOCK_SEQPACKET, 0117, o, why, whylen);
}
