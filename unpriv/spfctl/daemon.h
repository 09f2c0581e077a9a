/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; after sandbox_enter() but for ctl_daemon_new(). */

#ifndef UNPRIV_SPFCTL_DAEMON_H
#define UNPRIV_SPFCTL_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#include "proto/json.h"
#include "proto/msg.h"
#include "proto/stats.h"
#include "proto/status.h"
#include "unpriv/spfctl/ctl.h"

/* The daemon's answer to one command. */
struct ctl_answer {
	char **line; /* messages */
	size_t n;
	struct arena *arena; /* owns the rows; NULL: there are none */
	struct status_rows rows;
	int bad_rows; /* status_get() refused at least one */
	struct stats stats;
	int has_stats;
	int status; /* sysexits(3) */
};

struct ctl_daemon;

/* Takes over fd, which is connected to the daemon. Does not read yet. */
struct ctl_daemon *ctl_daemon_new(struct event_base *, int fd);
/*
 * Asks, and waits at most so many seconds for the end of the answer. Returns
 * 0; or -1 after printing the reason on stderr, with the exit status in status.
 * The caller calls ctl_answer_free() either way.
 */
int ctl_daemon_ask(struct spfctl *, enum msg_type, const void *, size_t,
    unsigned int seconds, struct ctl_answer *);
void ctl_answer_free(struct ctl_answer *);
/* Waits so many seconds, or until the daemon closes the connection. */
void ctl_daemon_wait(struct ctl_daemon *, unsigned int seconds);
/*
 * Ask for the status or the counters. Return 0, or an exit status after
 * printing the reason on stderr. With 0, the rows of a status satisfy
 * status_complete().
 */
int ctl_status_ask(struct spfctl *, struct ctl_answer *);
int ctl_stats_ask(struct spfctl *, struct ctl_answer *);
/* The first row of a kind, or NULL. */
const struct status_row *ctl_status_row(const struct ctl_answer *,
    enum status_kind);
/* Prints that the daemon has another version; returns the exit status. */
int ctl_daemon_differs(const char *why);
/* Prints the answer's lines on stderr; returns its status. */
int ctl_answer_complain(const struct ctl_answer *);
/* A time in its two largest units: "1 d 2 h", "3 min 4 s". */
const char *ctl_seconds(uint64_t, char *buf, size_t size);
/* Begin and end an object on stdout that is a document. */
void ctl_json_start(struct json *, int indent);
void ctl_json_end(struct json *);

#endif
