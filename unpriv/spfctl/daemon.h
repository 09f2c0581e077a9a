/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; after sandbox_enter() but for ctl_daemon_new(). */

#ifndef UNPRIV_SPFCTL_DAEMON_H
#define UNPRIV_SPFCTL_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#include "proto/json.h"
#include "proto/msg.h"
#include "proto/stats.h"
#include "unpriv/spfctl/ctl.h"

/* What the daemon said to one question. */
struct ctl_answer {
	char **line;
	size_t n;
	struct stats stats;
	int has_stats;
	int status; /* sysexits(3) */
};

struct ctl_daemon;

/* Takes over fd, the way to the daemon. Nothing is read yet. */
struct ctl_daemon *ctl_daemon_new(struct event_base *, int fd);
/*
 * Asks, and waits for the end of the answer, at most so many seconds. 0; -1
 * when it did not come: that was said on stderr, and status is what to exit
 * with. Either way ctl_answer_free().
 */
int ctl_daemon_ask(struct ctl *, enum msg_type, const void *, size_t,
    unsigned int seconds, struct ctl_answer *);
void ctl_answer_free(struct ctl_answer *);
/* 0 when it hung up. */
int ctl_daemon_is_there(const struct ctl_daemon *);
/* Asks for the counters: 0, or an exit status, and why on stderr. */
int ctl_stats_ask(struct ctl *, struct ctl_answer *);
/* The answer's lines on stderr; returns its status. */
int ctl_answer_complain(const struct ctl_answer *);
/*
 * What stands behind the word of the next line from *i on that begins so, or
 * NULL; *i is then the one behind it.
 */
const char *ctl_answer_next(const struct ctl_answer *, const char *word,
    size_t *i);
/*
 * In such a rest, the number behind the key: "uptime" of "12 uptime 3". ""
 * is the number that it begins with. 0 when there is none.
 */
uint64_t ctl_line_number(const char *rest, const char *key);
/*
 * Its word number i from 0 on, in buf; "" when there are fewer. Printable
 * ASCII: anything else has become "?".
 */
const char *ctl_line_word(const char *rest, unsigned int i, char *buf,
    size_t size);
/* "1 d 2 h 3 min 4 s", the two largest of it. */
const char *ctl_seconds(uint64_t, char *buf, size_t size);
/* Ready for a document on stdout. */
void ctl_json_start(struct json *, int indent);

/* A family of counters as people and Prometheus call it. */
struct ctl_family {
	const char *name; /* of stat_rows */
	const char *title;
	const char *help;
};
/* Never NULL: of a family unknown here all is the name. Till the next call. */
const struct ctl_family *ctl_family_find(const char *name);

/* The commands; each returns the exit status. */
int ctl_status(struct ctl *);
int ctl_stats(struct ctl *);
int ctl_metrics(struct ctl *);
int ctl_reload(struct ctl *);
int ctl_flush(struct ctl *);
int ctl_log(struct ctl *);

#endif
