/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; once, mostly as root. */

#ifndef PRIVSEP_ROOT_PRIV_DROP_H
#define PRIVSEP_ROOT_PRIV_DROP_H

#include <sys/types.h>

/* "user[:group]" as UserID has it. 0, or -1 with *why set. */
int priv_user(const char *, uid_t *, gid_t *, const char **why);
/*
 * Root for good bye: bounding set, securebits, groups, gid, uid, and the
 * proof that nothing comes back. Dies on anything unexpected. Not as root:
 * drops what capabilities there are.
 */
void priv_drop(uid_t, gid_t);
/*
 * For programs that need no root at all: as root, becomes the first of the
 * users that exists (names, then NULL); otherwise nothing.
 */
void priv_drop_named(const char *, ...) __attribute__((__sentinel__));

#endif
