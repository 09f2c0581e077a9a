/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Enters each role's sandbox in a child and tries what a compromised
 * process would: the kernel must end it (SIGSYS) or refuse (EACCES, EPERM).
 * Each trial has a control: without the sandbox the same call succeeds.
 * Then all again as on kernels with an older Landlock than the present one.
 */

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/sandbox/landlock.h"
#include "privsep/sandbox/sandbox.h"

#define WON	10 /* the call did what the attacker wants */
#define REFUSED 11

#define ABI_PORTS 4 /* the first that restricts TCP ports */
#define ABI_LAST  7 /* the newest that the product knows */

static int failures;
static int kernel_abi;
static int abi;	      /* the one to use */
static pid_t sibling; /* same uid, not confined */
static int tcp_port;
static int other_listener; /* what a worker holds */
static char dir[] = "/tmp/sandbox-probe.XXXXXX";

static int
verdict(long rc)
{
	return rc == -1 ? REFUSED : WON;
}

static int
t_open(void)
{
	return verdict(open("/etc/passwd", O_RDONLY));
}

static int
t_create(void)
{
	char p[128];

	snprintf(p, sizeof(p), "%s/new", dir);
	return verdict(open(p, O_WRONLY | O_CREAT, 0600));
}

static int
t_openat2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	return verdict(
	    syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}

static int
t_exec(void)
{
	pid_t pid;
	int status;
	char *argv[] = { NULL };

	if ((pid = vfork()) == -1)
		return REFUSED;
	if (pid == 0) {
		execve("/bin/true", argv, argv);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? WON : REFUSED;
}

static int
t_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return verdict(pid);
}

static int
inet_try(int fastopen)
{
	struct sockaddr_in sin;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(tcp_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return REFUSED;
	if (fastopen)
		return verdict(sendto(fd, "x", 1, MSG_FASTOPEN,
		    (struct sockaddr *)&sin, sizeof(sin)));
	return verdict(connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
t_connect(void)
{
	return inet_try(0);
}

static int
t_fastopen(void)
{
	return inet_try(1);
}

/*
 * A listener that is shut down is an unconnected socket again, and by
 * MSG_FASTOPEN sendmsg() connects it.
 */
static int
t_listener(void)
{
	struct iovec iov = { dir, 1 };
	struct sockaddr_in sin;
	struct msghdr mh;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(tcp_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(&mh, 0, sizeof(mh));
	mh.msg_name = &sin;
	mh.msg_namelen = sizeof(sin);
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	(void)shutdown(other_listener, SHUT_RDWR);
	return verdict(sendmsg(other_listener, &mh, MSG_FASTOPEN));
}

/* Replaces the product's. */
int
landlock_abi(void)
{
	return abi;
}

/* The listener is shared: who ends it ends it for all. */
static int
t_shutdown(void)
{
	return verdict(shutdown(other_listener, SHUT_RDWR));
}

static int
t_listener_flags(void)
{
	int flags = fcntl(other_listener, F_GETFL);

	return verdict(fcntl(other_listener, F_SETFL, flags ^ O_NONBLOCK));
}

/* TCP to whoever does not speak MPTCP, and not TCP to Landlock. */
static int
t_mptcp(void)
{
	struct sockaddr_in sin;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(tcp_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP)) == -1)
		return REFUSED;
	return verdict(connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
t_rawip(void)
{
	return verdict(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
}

static int
t_bind(void)
{
	struct sockaddr_in sin;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return REFUSED;
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		return REFUSED;
	return verdict(listen(fd, 1));
}

static int
t_udp(void)
{
	return verdict(socket(AF_INET, SOCK_DGRAM, 0));
}

static int
t_unix(void)
{
	return verdict(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
t_raw(void)
{
	return verdict(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
t_kill(void)
{
	return verdict(kill(sibling, 0));
}

static int
t_ptrace(void)
{
	return verdict(ptrace(PTRACE_SEIZE, sibling, 0, 0));
}

static int
t_vm_read(void)
{
	static char buf[8];
	struct iovec l = { buf, 8 }, r = { buf, 8 };

	return verdict(process_vm_readv(sibling, &l, 1, &r, 1, 0));
}

static int
t_pidfd(void)
{
	return verdict(syscall(SYS_pidfd_open, sibling, 0));
}

static int
t_wx(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
	    REFUSED :
	    WON;
}

static int
t_mprotect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return verdict(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
t_unlink(void)
{
	char p[128];

	snprintf(p, sizeof(p), "%s/keep", dir);
	return verdict(unlink(p));
}

static int
t_userns(void)
{
	return verdict(unshare(CLONE_NEWUSER));
}

static int
t_iouring(void)
{
	static char params[120];

	return verdict(syscall(SYS_io_uring_setup, 4, params));
}

static int
t_bpf(void)
{
	static char attr[128];

	return verdict(syscall(SYS_bpf, 0, attr, sizeof(attr)));
}

#define R(r) (1U << SANDBOX_##r)
#define KIDS \
	(R(DNS) | R(WORKER) | R(LIBMILTER) | R(SHADOW) | R(POLICYD) | R(CTL))

/* The roles that must not, by what. */
static const struct trial {
	const char *name;
	int (*fn)(void);
	unsigned int roles;
	int control; /* WON without a sandbox */
} trials[] = {
	{ "open-file", t_open, KIDS, 1 },
	{ "open-file-openat2", t_openat2, KIDS, 1 },
	{ "create-file", t_create, KIDS | R(PARENT), 1 },
	{ "remove-file", t_unlink, KIDS | R(PARENT), 1 },
	{ "run-program", t_exec, KIDS | R(PARENT), 1 },
	{ "fork", t_fork, KIDS, 1 },
	{ "connect-tcp", t_connect, KIDS | R(PARENT), 1 },
	{ "connect-by-fastopen", t_fastopen, KIDS, 1 },
	{ "connect-a-listener", t_listener, KIDS | R(PARENT), 1 },
	{ "shut-listener", t_shutdown, KIDS | R(PARENT), 1 },
	{ "listener-flags", t_listener_flags, R(WORKER) | R(POLICYD), 1 },
	{ "connect-by-mptcp", t_mptcp, KIDS | R(PARENT), 0 },
	{ "raw-socket", t_rawip, KIDS | R(PARENT), 1 },
	{ "listen-tcp", t_bind, KIDS, 1 },
	{ "udp-socket", t_udp, KIDS & ~R(DNS), 1 },
	{ "unix-socket", t_unix, KIDS, 1 },
	{ "netlink-socket", t_raw, KIDS | R(PARENT), 1 },
	{ "signal-sibling", t_kill, KIDS, 1 },
	{ "trace-sibling", t_ptrace, KIDS | R(PARENT), 0 },
	{ "read-siblings-memory", t_vm_read, KIDS | R(PARENT), 0 },
	{ "pidfd-of-sibling", t_pidfd, KIDS | R(PARENT), 1 },
	{ "writable-code", t_wx, KIDS, 1 },
	{ "code-by-mprotect", t_mprotect, KIDS, 1 },
	{ "user-namespace", t_userns, KIDS | R(PARENT), 0 },
	{ "io-uring", t_iouring, KIDS | R(PARENT), 0 },
	{ "bpf", t_bpf, KIDS | R(PARENT), 0 },
};

/* clang-format off */
static const char *const role_name[SANDBOX_MAX] = {
	[SANDBOX_PARENT] = "parent", [SANDBOX_DNS] = "dns",
	[SANDBOX_WORKER] = "worker", [SANDBOX_LIBMILTER] = "libmilter",
	[SANDBOX_SHADOW] = "shadow", [SANDBOX_POLICYD] = "policyd",
	[SANDBOX_CTL] = "ctl"
};
/* clang-format on */

static int
run(enum sandbox_role role, const struct trial *t)
{
	struct sandbox_args sb;
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		memset(&sb, 0, sizeof(sb));
		sb.log_fd = sb.exe_fd = -1;
		sb.dns_ports[sb.ndns_ports++] = 53;
		if (role != SANDBOX_NONE) {
			sandbox_early();
			sandbox_enter(role, &sb);
		}
		_exit(t->fn());
	}
	waitpid(pid, &status, 0);
	return status;
}

/* What only Landlock restricts, and an older one cannot. */
static int
out_of_reach(enum sandbox_role role, const struct trial *t)
{
	return t->fn == t_connect && abi < ABI_PORTS &&
	    (role == SANDBOX_DNS || role == SANDBOX_PARENT);
}

/* Returns 1 if the trial ended as it must. */
static int
judge(enum sandbox_role role, const struct trial *t)
{
	int good, st = run(role, t);
	char name[96], seen[64];

	snprintf(name, sizeof(name), "%s-%s", role_name[role], t->name);
	if (abi != kernel_abi)
		snprintf(name, sizeof(name), "abi%d-%s-%s", abi,
		    role_name[role], t->name);
	if (WIFSIGNALED(st))
		snprintf(seen, sizeof(seen), "signal %d", WTERMSIG(st));
	else
		snprintf(seen, sizeof(seen), "exit %d", WEXITSTATUS(st));
	if (out_of_reach(role, t))
		good = WIFEXITED(st) && WEXITSTATUS(st) == WON;
	else
		good = (WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS) ||
		    (WIFEXITED(st) && WEXITSTATUS(st) == REFUSED);
	if (!good)
		printf("not ok sandbox/%s - %s\n", name, seen);
	else if (out_of_reach(role, t) && abi == kernel_abi)
		printf("skip sandbox/%s - this kernel's Landlock knows no "
		       "TCP ports\n",
		    name);
	else if (abi == kernel_abi)
		printf("ok sandbox/%s\n", name);
	failures += !good;
	return good;
}

static void
control(const struct trial *t)
{
	int st = run(SANDBOX_NONE, t);

	if (!t->control)
		return;
	if (WIFEXITED(st) && WEXITSTATUS(st) == WON)
		printf("ok sandbox/control-%s\n", t->name);
	else {
		printf("not ok sandbox/control-%s - the trial proves "
		       "nothing: status %x\n",
		    t->name, st);
		failures++;
	}
}

static void
make_keep(void)
{
	char p[128];
	int fd;

	snprintf(p, sizeof(p), "%s/keep", dir);
	if ((fd = open(p, O_WRONLY | O_CREAT, 0600)) != -1)
		close(fd);
	snprintf(p, sizeof(p), "%s/new", dir);
	unlink(p);
}

static int
make_listener(int *port)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "listener");
	*port = ntohs(sin.sin_port);
	return fd;
}

/* Tries all in each role with this ABI; returns 1 if all ended well. */
static int
all_trials(int with)
{
	int r, port, good = 1;
	size_t i;

	abi = with;
	for (i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		for (r = SANDBOX_NONE + 1; r < SANDBOX_MAX; r++) {
			if ((trials[i].roles & (1U << r)) == 0)
				continue;
			make_keep();
			other_listener = make_listener(&port);
			good &= judge(r, &trials[i]);
			close(other_listener);
		}
	return good;
}

int
main(void)
{
	size_t i;
	int older, port;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)make_listener(&tcp_port);
	if ((sibling = fork()) == 0)
		for (;;)
			pause();
	kernel_abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	for (i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		make_keep();
		other_listener = make_listener(&port);
		control(&trials[i]);
		close(other_listener);
	}
	(void)all_trials(kernel_abi);
	for (older = 1; older < kernel_abi && older < ABI_LAST; older++)
		if (all_trials(older))
			printf("ok sandbox/as-with-abi%d\n", older);
	kill(sibling, SIGKILL);
	make_keep();
	char p[128];
	snprintf(p, sizeof(p), "%s/keep", dir);
	unlink(p);
	rmdir(dir);
	return failures != 0;
}
