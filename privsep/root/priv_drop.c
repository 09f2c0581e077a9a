/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; once, mostly as root. */

#include <sys/prctl.h>

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/root/priv_drop.h"

/* Locked: exec as root gives no capabilities, and none are kept or ambient. */
#define PRIV_SECUREBITS                                               \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |                       \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

int
priv_user(const char *text, uid_t *uid, gid_t *gid, const char **why)
{
	char user[256], *group;
	struct passwd *pw;
	struct group *gr;

	if (strlcpy(user, text, sizeof(user)) >= sizeof(user)) {
		*why = "name is too long";
		return -1;
	}
	if ((group = strchr(user, ':')) != NULL)
		*group++ = '\0';
	if ((pw = getpwnam(user)) == NULL) {
		*why = "no such user";
		return -1;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	/* without a group: the one of the same name, else the login group */
	gr = getgrnam(group == NULL ? user : group);
	if (gr != NULL)
		*gid = gr->gr_gid;
	else if (group != NULL) {
		*why = "no such group";
		return -1;
	}
	if (*uid == 0) {
		*why = "root is not a user to drop to";
		return -1;
	}
	return 0;
}

static void
priv_capabilities(void)
{
	/* without capabilities, do not call capset(2): a unit may forbid it */
	if (capng_get_caps_process() != 0)
		fatalx("capabilities cannot be read");
	if (geteuid() != 0 &&
	    capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
		return;
	capng_clear(CAPNG_SELECT_BOTH);
	/* keep what the next steps need; the bounding set becomes empty */
	if (geteuid() == 0 &&
	    capng_updatev(CAPNG_ADD,
		(capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_SETUID,
		CAP_SETGID, CAP_SETPCAP, -1) != 0)
		fatalx("capabilities");
	if (capng_apply(
		geteuid() == 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
		fatalx("capabilities cannot be dropped");
}

/* Reads back what was set, and checks that it cannot be undone. */
static void
priv_verify(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	gid_t list[1];

	if (getresuid(&r, &e, &s) == -1 || r != uid || e != uid || s != uid)
		fatalx("uid was not dropped");
	if (getresgid(&rg, &eg, &sg) == -1 || rg != gid || eg != gid ||
	    sg != gid)
		fatalx("gid was not dropped");
	if (getgroups(1, list) != 0)
		fatalx("supplementary groups were not dropped");
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1)
		fatalx("root was not dropped: it can be regained");
	if (capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
	    capng_have_capabilities(CAPNG_SELECT_BOUNDS) != CAPNG_NONE)
		fatalx("capabilities were not dropped");
}

void
priv_drop(uid_t uid, gid_t gid)
{
	priv_capabilities();
	if (geteuid() != 0)
		return;
	if (prctl(PR_SET_SECUREBITS, PRIV_SECUREBITS, 0, 0, 0) == -1)
		fatal("securebits");
	if (setgroups(0, NULL) == -1)
		fatal("setgroups");
	if (setresgid(gid, gid, gid) == -1)
		fatal("setresgid");
	if (setresuid(uid, uid, uid) == -1)
		fatal("setresuid");
	priv_verify(uid, gid);
	/* setresuid(2) may have made the process dumpable again */
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		fatal("PR_SET_DUMPABLE");
}

void
priv_drop_named(const char *name, ...)
{
	struct passwd *pw = NULL;
	va_list ap;

	if (geteuid() != 0)
		return;
	va_start(ap, name);
	for (; name != NULL && pw == NULL; name = va_arg(ap, const char *))
		pw = getpwnam(name);
	va_end(ap);
	if (pw == NULL || pw->pw_uid == 0)
		fatalx("started as root, and no user to become exists");
	priv_drop(pw->pw_uid, pw->pw_gid);
}
