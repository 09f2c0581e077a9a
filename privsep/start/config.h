/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; before and after the drop. */

#ifndef PRIVSEP_START_CONFIG_H
#define PRIVSEP_START_CONFIG_H

#include "conf/conf.h"

struct config_file {
	char *path; /* as configured */
	char *base; /* last part of the real path */
	int dirfd;  /* O_PATH, its real directory; or -1 */
	int direct; /* 0: path is a link to a file in another directory */
};

/*
 * The files that the configuration is read from. At the start they are opened
 * by path, and their directories are kept open. Afterwards they are opened
 * below these directories only, without following links (openat2(2)): the
 * sandbox allows no others.
 */
struct config_files {
	struct config_file *v;
	size_t n;
	int sealed;	 /* set before the sandbox: no more directories */
	int environment; /* 1: variables PYSPF_Key count, too */
};

/* Gets one message about a file: LOG_ERR or LOG_WARNING, "file:line: ...". */
typedef void (*config_say_fn)(int, const char *, void *);

/* These write it to the log, and to stderr. arg is not used. */
void config_say_log(int, const char *, void *);
void config_say_stderr(int, const char *, void *);

/*
 * Loads a configuration and reports its messages. NULL when it is refused.
 * Without files, it is opened by path.
 */
struct conf *config_load(enum conf_program, const char *path, int explicit,
    struct config_files *, config_say_fn, void *arg);
/* The file of this path, or NULL. */
struct config_file *config_file_find(const struct config_files *, const char *);
/* Closes the directories and forgets the files. */
void config_files_free(struct config_files *);

#define CONFIG_RESOLV_CONF "/etc/resolv.conf"
/*
 * Replaces the list by the servers of /etc/resolv.conf, and by 127.0.0.1 if
 * it names none. 0; -1 with the reason if it cannot be read or names none.
 */
int config_resolvconf(struct conf_servers *, const char **why);
/*
 * Fills conf->nameservers from /etc/resolv.conf when none are set, and sets
 * nameservers_found. If the file names none, takes those of old, which may
 * be NULL, and logs it. files may be NULL; before they are sealed, the
 * directories where the file may lie later are added.
 */
void config_nameservers(struct conf *, struct config_files *,
    const struct conf_servers *old);

#endif
