/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, policyd-spf, spfctl; before and after the drop. */

#ifndef PRIVSEP_START_CONFIG_H
#define PRIVSEP_START_CONFIG_H

#include "conf/conf.h"

/*
 * The files that the configuration is read from. At the start they are opened
 * by path, and their directories stay open. Later, as the sandbox allows no
 * others, they are opened below these directories, and links are not followed
 * (openat2(2)).
 */
struct config_file {
	char *path; /* as configured */
	char *base; /* last part of the real path */
	int dirfd;  /* the real directory, O_PATH; -1: not opened */
	int here;   /* 0: path is a link into dirfd */
};
struct config_files {
	struct config_file *v;
	size_t n;
	int sealed; /* set before the sandbox: keep no more directories */
};

/* Receives LOG_ERR or LOG_WARNING and a message, "file:line: ...". */
typedef void (*config_say_fn)(int, const char *, void *);

/* Write the message to the log and to stderr. arg is not used. */
void config_say_log(int, const char *, void *);
void config_say_stderr(int, const char *, void *);

/*
 * Loads a configuration and reports its messages. Returns NULL if it has an
 * error. If files is NULL, opens all files by path.
 */
struct conf *config_load(enum conf_program, const char *path, int explicit,
    struct config_files *, config_say_fn, void *arg);
/* Closes the directories and forgets the files. */
void config_files_free(struct config_files *);
/* The file of that path, or NULL. */
struct config_file *config_file_find(const struct config_files *, const char *);
/* If no nameservers are set, reads /etc/resolv.conf; files may be NULL. */
void config_nameservers(struct conf *, struct config_files *);

#endif
