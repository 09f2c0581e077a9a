/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; policyd-spf and spfctl before their sandbox. */

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/child/role.h"
#include "privsep/start/spawn.h"
#include "proto/wire.h"

static int null_fd = -1;

int
spawn_open_exe(void)
{
	int fd;

	if ((fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) == -1)
		fatal("/proc/self/exe");
	/* now: the sandbox forbids to open it for writing */
	if (null_fd == -1 &&
	    (null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	return fd;
}

/* Runs between fork and exec: async-signal-safe calls only. */
static void
spawn_child(int exe_fd, const char *ident, const char *role, int sock)
{
	char *argv[] = { NULL, NULL, NULL, NULL };
	static char *envp[] = { NULL };
	char self[64], opt[] = "-x", name[32];
	sigset_t none;
	int exe;

	strlcpy(self, ident, sizeof(self));
	strlcpy(name, role, sizeof(name));
	argv[0] = self;
	argv[1] = opt;
	argv[2] = name;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((exe = fcntl(exe_fd, F_DUPFD_CLOEXEC, 10)) == -1 ||
	    (sock = fcntl(sock, F_DUPFD_CLOEXEC, 10)) == -1 ||
	    dup2(null_fd, STDIN_FILENO) == -1 ||
	    dup2(null_fd, STDOUT_FILENO) == -1 ||
	    dup2(sock, ROLE_PARENT_FD) == -1)
		_exit(EX_OSERR);
	fexecve(exe, argv, envp);
	_exit(EX_OSERR);
}

pid_t
spawn_role(int exe_fd, const char *ident, enum msg_role role, int *sock)
{
	int sv[2];
	pid_t pid;

	if (chan_pair(sv) == -1)
		return -1;
	if ((pid = fork()) == -1) {
		close(sv[0]);
		close(sv[1]);
		return -1;
	}
	if (pid == 0)
		spawn_child(exe_fd, ident, msg_role_name[role], sv[1]);
	close(sv[1]);
	*sock = sv[0];
	return pid;
}

int
spawn_conf_fd(const struct conf *conf)
{
	char *text = NULL;
	size_t len, off = 0;
	ssize_t n;
	int fd = -1, saved;

	if ((text = conf_print(conf, 1)) == NULL ||
	    (fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING)) == -1)
		goto fail;
	for (len = strlen(text); off < len; off += n)
		if ((n = write(fd, text + off, len - off)) == -1)
			goto fail;
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		goto fail;
	free(text);
	return fd;
fail:
	saved = errno;
	free(text);
	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

int
spawn_send_config(struct chan *c, const struct conf *conf, int conf_fd)
{
	struct wbuf w;
	uint8_t buf[4];
	int fd;

	/* chan_send() closes the copy once it is sent */
	if ((fd = fcntl(conf_fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return -1;
	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, conf->program);
	return chan_send(c, MSG_CONFIG, 0, buf, w.len, fd, 1);
}

int
spawn_send_peer(struct chan *c, uint32_t id, enum msg_role role, int fd)
{
	struct wbuf w;
	uint8_t buf[8];

	wbuf_init(&w, buf, sizeof(buf));
	wbuf_u32(&w, id);
	wbuf_u32(&w, role);
	return chan_send(c, MSG_PEER, 0, buf, w.len, fd, 1);
}

int
spawn_send_peers(struct chan *a, enum msg_role arole, uint32_t aid,
    struct chan *b, enum msg_role brole, uint32_t bid)
{
	int sv[2];

	if (chan_pair(sv) == -1)
		return -1;
	if (spawn_send_peer(a, bid, brole, sv[0]) == -1) {
		close(sv[1]);
		return -1;
	}
	return spawn_send_peer(b, aid, arole, sv[1]);
}

int
spawn_role_main(const struct spawn_role *roles, const char *name)
{
	for (; roles->main != NULL; roles++)
		if (strcmp(name, msg_role_name[roles->role]) == 0)
			return roles->main();
	fprintf(stderr, "no such role: %s\n", name);
	return EX_USAGE;
}
