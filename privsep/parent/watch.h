/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_WATCH_H
#define PRIVSEP_PARENT_WATCH_H

#include "privsep/parent/parent_ops.h"

/*
 * Checks every few seconds whether the per-user file has changed, as spf-engine
 * reads it for each mail, and reloads if so. Checks as well whether
 * /etc/resolv.conf names other servers, unless Nameservers is set, and replaces
 * dns if so. ops and files are never freed; the per-user file may be in files.
 */
void watch_start(const struct parent_ops *, struct event_base *,
    const struct config_files *, const struct conf *);

#endif
