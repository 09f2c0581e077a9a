/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; once, mostly as root. */

#ifndef PRIVSEP_ROOT_PRIV_DROP_H
#define PRIVSEP_ROOT_PRIV_DROP_H

#include <sys/types.h>

/* Looks up "user[:group]" of UserID. 0, or -1 with the reason in *why. */
int priv_user(const char *, uid_t *, gid_t *, const char **why);
/*
 * Drops root for good: bounding set, securebits, groups, gid, uid; then checks
 * that none of it can be undone. If not run by root, drops all capabilities.
 * Exits on any failure.
 */
void priv_drop(uid_t, gid_t);
/*
 * For programs that never need root: if run by root, drops to the first of the
 * users (names, then NULL) that exists.
 */
void priv_drop_named(const char *, ...) __attribute__((__sentinel__));

#endif
