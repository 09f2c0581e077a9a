/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; before and after the drop. */

#ifndef PRIVSEP_CONFIG_H
#define PRIVSEP_CONFIG_H

#include "../conf/conf.h"

/*
 * The files that make up the configuration. At start they are opened by
 * path and their directories are remembered; afterwards they are opened
 * below these directories only, without following links (openat2(2)), since
 * the sandbox knows no others.
 */
struct config_files {
	struct config_file {
		char	*path;		/* as configured */
		char	*base;		/* last part of the real path */
		int	 dirfd;		/* O_PATH */
	} *v;
	size_t	 n;
	int	 sealed;		/* no more directories */
};

/*
 * Loads a configuration, reports its messages (to the log, and to stderr on
 * tty), fills in the name servers. NULL when it is refused. files may be
 * NULL: plain opens.
 */
struct conf	*config_load(enum conf_program, const char *path,
		    int explicit, struct config_files *, int tty);
/* Fills conf->nameservers from /etc/resolv.conf when none are set. */
void		 config_nameservers(struct conf *, struct config_files *);
/* The ports of the name servers and 53, each once; returns the number. */
size_t		 config_dns_ports(const struct conf *, uint16_t *, size_t);

#endif
