/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Data: the system calls and limits of each role. */

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>

#include "privsep/sandbox/sandbox_private.h"

#define P     (1U << SANDBOX_PARENT)
#define D     (1U << SANDBOX_DNS)
#define W     (1U << SANDBOX_WORKER)
#define L     (1U << SANDBOX_LIBMILTER)
#define S     (1U << SANDBOX_SHADOW)
#define Y     (1U << SANDBOX_POLICYD)
#define C     (1U << SANDBOX_CTL)
#define CHILD (D | W | L | S | Y | C)
#define ALL   (P | CHILD)

/* clang-format off */
#define ANY(n, r)	{ SCMP_SYS(n), r, SCMP_ACT_ALLOW, 0, { { 0 } } }
#define IF1(n, r, a)	{ SCMP_SYS(n), r, SCMP_ACT_ALLOW, 1, { a } }
#define IF2(n, r, a, b)	{ SCMP_SYS(n), r, SCMP_ACT_ALLOW, 2, { a, b } }
#define IF3(n, r, a, b, c) { SCMP_SYS(n), r, SCMP_ACT_ALLOW, 3, { a, b, c } }
#define ERR(n, r, e)	{ SCMP_SYS(n), r, SCMP_ACT_ERRNO(e), 0, { { 0 } } }
#define ERR1(n, r, e, a) { SCMP_SYS(n), r, SCMP_ACT_ERRNO(e), 1, { a } }

#define EQ(i, v)	{ i, SCMP_CMP_EQ, (v), 0 }
#define MASK(i, m, v)	{ i, SCMP_CMP_MASKED_EQ, (m), (v) }
/* clang-format on */

/* An internet socket of one type and protocol; flags do not matter. */
#define INET(f, t, p) \
	IF3(socket, P | D, EQ(0, f), MASK(1, SOCK_TYPE_BITS, t), EQ(2, p))
#define SOCK_TYPE_BITS 0xf

/* clone() of a thread, and of a process by fork(). */
#define THREAD_FLAGS (CLONE_VM | CLONE_THREAD)

/*
 * A system call that matches no row ends the process
 * (SCMP_ACT_KILL_PROCESS). Two rows for one call are an OR; the conditions
 * of one row are an AND. A filter outlives execve(2), so the parent's rows
 * include what its children need until they load their own filter.
 */
/* clang-format off */
const struct sandbox_rule sandbox_rules[] = {
	/* open descriptors */
	ANY(read, ALL),
	ANY(readv, P | D | W | Y | L),
	ANY(write, ALL),
	ANY(writev, ALL),
	ANY(close, ALL),
	ANY(recvmsg, ALL),
	ANY(recvfrom, P | D | W | Y | C),
	ANY(lseek, P | Y | C),
	ANY(fstat, P | D | Y | C),
	ANY(newfstatat, P),
	/* libcap-ng, in a child without Landlock, opens /proc and calls it */
	/* libc's fstat() uses it; with a path it would give metadata only */
	IF1(newfstatat, Y | C, EQ(3, AT_EMPTY_PATH)),
	ANY(pread64, P),
	ANY(pwrite64, P),
	ANY(ftruncate, P),
	IF1(fcntl, ALL, EQ(1, F_GETFL)),
	/* not the workers: they share listeners, and with these their flags */
	IF1(fcntl, ALL & ~(W | Y), EQ(1, F_SETFL)),
	IF1(fcntl, ALL, EQ(1, F_GETFD)),
	IF1(fcntl, ALL, EQ(1, F_SETFD)),
	ANY(fcntl, P),
	ANY(getsockopt, P | D | W | Y | C),
	ANY(getsockname, P | W | Y),
	ANY(getpeername, P | W | Y),

	/* event loop */
	ANY(epoll_wait, ALL),
	ANY(epoll_pwait, ALL),
	ANY(epoll_pwait2, ALL),
	ANY(epoll_ctl, ALL),
	ANY(poll, P | L | C),
	ANY(ppoll, P | L | C),
	ANY(clock_gettime, ALL),
	ANY(gettimeofday, ALL),
	ANY(time, ALL),
	ANY(nanosleep, P | L),
	ANY(clock_nanosleep, P | L),

	/* memory, none of it executable */
	ANY(brk, ALL),
	ANY(munmap, ALL),
	ANY(mremap, ALL),
	ANY(madvise, ALL),
	IF1(mmap, CHILD, MASK(2, PROT_EXEC, 0)),
	IF1(mprotect, CHILD, MASK(2, PROT_EXEC, 0)),
	ANY(mmap, P),
	ANY(mprotect, P),

	/* the process itself */
	ANY(exit, ALL),
	ANY(exit_group, ALL),
	ANY(rt_sigreturn, ALL),
	ANY(rt_sigprocmask, ALL),
	ANY(restart_syscall, ALL),
	ANY(getpid, ALL),
	ANY(gettid, ALL),
	ANY(getrandom, ALL),
	ANY(sysinfo, ALL),	/* qsort(3) of a large array */
	ANY(futex, P | L),
	IF1(futex, CHILD & ~L, MASK(1, FUTEX_PRIVATE_FLAG,
	    FUTEX_PRIVATE_FLAG)),
	ANY(rt_sigaction, P | L),
	ANY(sched_yield, P | L),

	/* accepting connections */
	ANY(accept4, P | W | L),
	ANY(accept, P | L),
	IF2(setsockopt, W | Y, EQ(1, IPPROTO_TCP), EQ(2, TCP_NODELAY)),
	IF2(setsockopt, L, EQ(1, SOL_SOCKET), EQ(2, SO_KEEPALIVE)),
	/* without an address: only on connected sockets, no fast open */
	IF1(sendto, W | Y | C, EQ(4, 0)),

	/*
	 * Sending with MSG_FASTOPEN connects, even on a listener that was
	 * shut down, and Landlock does not check it. libunbound tries it,
	 * gets EOPNOTSUPP and calls connect(2).
	 */
	IF1(sendmsg, ALL, MASK(2, MSG_FASTOPEN, 0)),
	ERR1(sendmsg, P | D, EOPNOTSUPP, MASK(2, MSG_FASTOPEN, MSG_FASTOPEN)),
	IF1(sendto, P | D, MASK(3, MSG_FASTOPEN, 0)),
	ERR1(sendto, P | D, EOPNOTSUPP, MASK(3, MSG_FASTOPEN, MSG_FASTOPEN)),

	/*
	 * dns: UDP and TCP client. MPTCP, which any TCP server answers, and
	 * SCTP are not allowed: Landlock restricts plain TCP only.
	 */
	INET(AF_INET, SOCK_STREAM, 0),
	INET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET, SOCK_DGRAM, 0),
	INET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
	INET(AF_INET6, SOCK_STREAM, 0),
	INET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	INET(AF_INET6, SOCK_DGRAM, 0),
	INET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
	ANY(bind, P | D),
	ANY(connect, P | D),
	ANY(setsockopt, P | D),

	/* libmilter: threads, its pipe, draining by dup3(2) */
	IF1(clone, L, MASK(0, THREAD_FLAGS, THREAD_FLAGS)),
	ANY(set_robust_list, P | L),
	ANY(rseq, P | L),
	ANY(pipe2, P | L),
	ANY(dup3, P | L),
	ANY(rt_sigtimedwait, P | L),
	ANY(eventfd2, P | L),
	ERR(clone3, ALL, ENOSYS),

	/*
	 * parent: it starts children, reads the configuration again, and
	 * removes its files at the end. A child also needs these until it
	 * loads its own filter.
	 */
	IF1(clone, P, MASK(0, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET |
	    CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP, 0)),
	ANY(vfork, P),
	ANY(execve, P),
	ANY(execveat, P),
	ANY(wait4, P),
	ANY(waitid, P),
	ANY(kill, P),
	ANY(socketpair, P),
	IF1(socket, P, EQ(0, AF_UNIX)),
	ANY(listen, P),
	ANY(memfd_create, P),
	ANY(openat, P),
	ANY(openat2, P),
	ANY(access, P),
	ANY(faccessat, P),	/* access(2) of arm64 */
	ANY(fstatfs, P),	/* libcap-ng, of /proc if it may read that */
	ANY(readlink, P),
	ANY(readlinkat, P),
	ANY(getdents64, P),
	ANY(statx, P),
	ANY(unlinkat, P),
	ANY(unlink, P),
	ANY(epoll_create1, P),
	ANY(dup, P),
	ANY(dup2, P),
	ANY(prctl, P),
	ANY(seccomp, P),
	ANY(landlock_create_ruleset, P),
	ANY(landlock_add_rule, P),
	ANY(landlock_restrict_self, P),
	ANY(prlimit64, P),
	ANY(setrlimit, P),
	ANY(getrlimit, P),
	ANY(arch_prctl, P),
	ANY(set_tid_address, P),
	ANY(uname, P),
	ANY(sigaltstack, P),
	ANY(getuid, P),
	ANY(geteuid, P),
	ANY(getgid, P),
	ANY(getegid, P),
	ANY(getppid, P),
	/* the shadow lowers its priority */
	IF2(setpriority, P, EQ(0, PRIO_PROCESS), EQ(1, 0)),
	ANY(sched_getaffinity, P),
	ANY(ioctl, P),
	ANY(timerfd_create, P),
	ANY(timerfd_settime, P),
	ANY(inotify_init1, P),
	ANY(inotify_add_watch, P),
	ANY(inotify_rm_watch, P),
};
/* clang-format on */

const size_t sandbox_nrules = sizeof(sandbox_rules) / sizeof(sandbox_rules[0]);

/* Only the parent may open files: below the directories in its arguments. */
#define SCOPES (LL_SCOPE_ABSTRACT | LL_SCOPE_SIGNAL)
/* clang-format off */
const struct sandbox_profile sandbox_profiles[SANDBOX_MAX] = {
	[SANDBOX_PARENT] = { .net = NET_DNS, .scopes = LL_SCOPE_ABSTRACT,
	    .children = 1, .fsize = 64 /* the configuration's memfd */ },
	[SANDBOX_DNS] = { .net = NET_DNS, .scopes = SCOPES, .nproc0 = 1 },
	[SANDBOX_WORKER] = { .scopes = SCOPES, .nproc0 = 1 },
	[SANDBOX_LIBMILTER] = { .scopes = SCOPES },
	[SANDBOX_SHADOW] = { .scopes = SCOPES, .nproc0 = 1, .cpu = 120,
	    .data = 512 },
	[SANDBOX_POLICYD] = { .scopes = SCOPES, .nproc0 = 1, .log = 1 },
	[SANDBOX_CTL] = { .scopes = SCOPES, .nproc0 = 1, .output = 1 },
};
/* clang-format on */
