/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; once, mostly as root. */

#ifndef PRIVSEP_ROOT_PRIV_DROP_H
#define PRIVSEP_ROOT_PRIV_DROP_H

#include <sys/types.h>

/* Looks up "user[:group]", the form of UserID. 0, or -1 with *why set. */
int priv_user(const char *, uid_t *, gid_t *, const char **why);
/*
 * Gives up root for good: bounding set, securebits, groups, gid, uid; then
 * checks that this cannot be undone. If not root, only drops all
 * capabilities. Exits on any failure.
 */
void priv_drop(uid_t, gid_t);
/*
 * For programs that do not need root: if run by root, becomes the first of
 * the named users that exists (names, then NULL).
 */
void priv_drop_named(const char *, ...) __attribute__((__sentinel__));

#endif
