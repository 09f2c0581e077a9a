/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; sandbox_enter() is its last privileged step. */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/sandbox/sandbox_private.h"

/* The sanitizers need files, /proc and signals, which the sandbox forbids. */
#if defined(__SANITIZE_ADDRESS__) || defined(SANDBOX_OFF)
#define SANDBOX_BUILT 0
#else
#define SANDBOX_BUILT 1
#endif

static struct sandbox_state sandbox_has;

/* What a child reads and executes before it enters its own sandbox. */
static const char *const sandbox_exec_dirs[] = { "/usr/lib", "/lib", "/lib64",
	"/usr/lib64", "/usr/local/lib", NULL };
static const char *const sandbox_read_files[] = { "/etc/ld.so.cache",
	"/etc/localtime", "/usr/share/zoneinfo", "/etc/gai.conf",
	"/etc/unbound", "/dev/null", "/etc/resolv.conf", "/run/systemd/resolve",
	NULL };

static void
limit_set(int which, rlim_t soft, rlim_t hard, const char *name)
{
	struct rlimit rl = { soft, hard };

	if (setrlimit(which, &rl) == -1)
		fatal("%s", name);
}

/* Lowers a limit, unless it is lower already; 0: leaves it. */
static void
limit_lower(int which, rlim_t value, const char *name)
{
	struct rlimit rl;

	if (value == 0)
		return;
	if (getrlimit(which, &rl) == -1)
		fatal("%s", name);
	/* of CPU, the soft limit sends SIGXCPU, the hard one SIGKILL */
	limit_set(which, rl.rlim_cur > value ? value : rl.rlim_cur,
	    rl.rlim_max > value ? value + 1 : rl.rlim_max, name);
}

unsigned long
sandbox_nofile(unsigned long n)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("RLIMIT_NOFILE");
	if (rl.rlim_max == RLIM_INFINITY || n <= rl.rlim_max / 4 * 3)
		return n;
	return (unsigned long)rl.rlim_max / 4 * 3;
}

static void
limit_files(unsigned long want)
{
	unsigned long n = sandbox_nofile(want);

	if (n < want)
		log_warnx("only %lu of %lu descriptors may be open", n, want);
	limit_set(RLIMIT_NOFILE, n, n, "RLIMIT_NOFILE");
}

void
sandbox_early(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		fatal("PR_SET_DUMPABLE");
	limit_set(RLIMIT_CORE, 0, 0, "RLIMIT_CORE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("PR_SET_NO_NEW_PRIVS");
}

/* Exits, or with Sandbox = partial only logs. */
static void
sandbox_missing(const struct sandbox_args *a, const char *what)
{
	if (!a->partial)
		fatalx("%s is missing; refusing to run without it "
		       "(Sandbox = partial starts without it)",
		    what);
	log_warnx("Sandbox = partial: %s is missing", what);
}

static void
sandbox_rlimits(enum sandbox_role role, const struct sandbox_args *a)
{
	const struct sandbox_profile *pr = &sandbox_profiles[role];
	struct stat st;

	if (pr->nproc0)
		limit_set(RLIMIT_NPROC, 0, 0, "RLIMIT_NPROC");
	limit_lower(RLIMIT_CPU, pr->cpu, "RLIMIT_CPU");
	/* the sanitizers reserve more than any limit */
	if (SANDBOX_BUILT)
		limit_lower(RLIMIT_DATA, (rlim_t)pr->data << 20, "RLIMIT_DATA");
	if (a->nofile != 0)
		limit_files(a->nofile);
	/* stderr, and stdout of spfctl, may be redirected to a file */
	if ((fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode)) ||
	    (pr->output && fstat(STDOUT_FILENO, &st) == 0 &&
		S_ISREG(st.st_mode)))
		return;
	signal(SIGXFSZ, SIG_IGN);
	limit_set(RLIMIT_FSIZE, (rlim_t)pr->fsize << 20,
	    (rlim_t)pr->fsize << 20, "RLIMIT_FSIZE");
}

static void
ll_allow(int rs, int fd, uint64_t access)
{
	struct landlock_path rule = { access, fd };
	struct stat st;

	if (fstat(fd, &st) == -1)
		fatal("landlock rule");
	if (!S_ISDIR(st.st_mode))
		rule.access &= LL_FS_EXECUTE | LL_FS_READ_FILE;
	if (syscall(SYS_landlock_add_rule, rs, LL_RULE_PATH, &rule, 0) == -1)
		fatal("landlock rule");
}

static void
ll_allow_path(int rs, const char *path, uint64_t access)
{
	int fd;

	/* a path that does not exist needs no rule */
	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return;
	ll_allow(rs, fd, access);
	close(fd);
}

static void
ll_allow_files(int rs, const struct sandbox_args *a)
{
	const uint64_t rd = LL_FS_READ_FILE | LL_FS_READ_DIR;
	size_t i;

	for (i = 0; i < a->nread_dirs; i++)
		ll_allow(rs, a->read_dirs[i], rd);
	for (i = 0; i < a->nunlink_dirs; i++)
		ll_allow(rs, a->unlink_dirs[i], LL_FS_REMOVE_FILE);
	if (a->exe_fd == -1)
		return;
	ll_allow(rs, a->exe_fd, rd | LL_FS_EXECUTE);
	for (i = 0; sandbox_exec_dirs[i] != NULL; i++)
		ll_allow_path(rs, sandbox_exec_dirs[i], rd | LL_FS_EXECUTE);
	for (i = 0; sandbox_read_files[i] != NULL; i++)
		ll_allow_path(rs, sandbox_read_files[i], rd);
}

static void
ll_allow_ports(int rs, const struct sandbox_args *a)
{
	struct landlock_port rule = { LL_NET_CONNECT, 0 };
	size_t i;

	for (i = 0; i < a->ndns_ports; i++) {
		rule.port = a->dns_ports[i];
		if (syscall(SYS_landlock_add_rule, rs, LL_RULE_PORT, &rule,
			0) == -1)
			fatal("landlock port rule");
	}
}

static void
sandbox_landlock(enum sandbox_role role, const struct sandbox_args *a)
{
	const struct sandbox_profile *pr = &sandbox_profiles[role];
	struct landlock_ruleset attr;
	int abi, rs;
	size_t size;

	abi = landlock_abi();
	if ((size = landlock_rights(abi, pr->scopes, &attr)) == 0) {
		sandbox_missing(a, "Landlock");
		return;
	}
	rs = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (rs == -1)
		fatal("landlock");
	if (pr->children)
		ll_allow_files(rs, a);
	if (attr.net != 0 && pr->net == NET_DNS)
		ll_allow_ports(rs, a);
	if (syscall(SYS_landlock_restrict_self, rs, 0) == -1)
		fatal("landlock");
	close(rs);
	sandbox_has.landlock_abi = abi;
}

static void
sandbox_add(scmp_filter_ctx ctx, uint32_t action, int nr, unsigned int nargs,
    const struct scmp_arg_cmp *args)
{
	int rc;

	rc = seccomp_rule_add_array(ctx, action, nr, nargs, args);
	/* EDOM: this architecture does not have the call */
	if (rc < 0 && rc != -EDOM)
		fatalx("seccomp rule for %d: %s", nr, strerror(-rc));
}

static void
sandbox_seccomp(enum sandbox_role role, const struct sandbox_args *a)
{
	const struct sandbox_profile *pr = &sandbox_profiles[role];
	const struct sandbox_rule *r;
	struct scmp_arg_cmp own = { 0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0 };
	struct scmp_arg_cmp log = { 0, SCMP_CMP_EQ, (scmp_datum_t)a->log_fd,
		0 };
	scmp_filter_ctx ctx;
	size_t i;
	int rc;

	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL)
		fatalx("seccomp_init");
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) != 0)
		fatalx("seccomp: architecture rule");
	/* A binary tree instead of a list; older libraries refuse that. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; i < sandbox_nrules; i++) {
		r = &sandbox_rules[i];
		if ((r->roles & (1U << role)) != 0)
			sandbox_add(ctx, r->action, r->nr, r->nargs, r->args);
	}
	/* abort() and the stack protector signal their own process */
	sandbox_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), pr->children ? 0 : 1,
	    &own);
	if (pr->log && a->log_fd != -1)
		sandbox_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, &log);
	rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		sandbox_missing(a, "seccomp");
	else
		sandbox_has.seccomp = 1;
}

int
sandbox_state(struct sandbox_state *s)
{
	*s = sandbox_has;
	return s->landlock_abi > 0 && s->seccomp;
}

void
sandbox_enter(enum sandbox_role role, const struct sandbox_args *a)
{
	sandbox_rlimits(role, a);
	if (!SANDBOX_BUILT) {
		log_info("sanitizer build: no seccomp, no Landlock");
		return;
	}
	sandbox_landlock(role, a);
	sandbox_seccomp(role, a);
}
