/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after sandbox_enter(). */

#ifndef PRIVSEP_PARENT_GENERATION_H
#define PRIVSEP_PARENT_GENERATION_H

#include <sys/queue.h>
#include <sys/types.h>

#include <time.h>

#include "conf/conf.h"
#include "privsep/base/chan.h"
#include "privsep/child/role_table.h"
#include "proto/stats.h"

struct event;
struct event_base;
struct generation;

/*
 * A child of a generation. When its process ends, another one takes the same
 * slot, with the same id and the same page of counters.
 */
struct generation_slot {
	TAILQ_ENTRY(generation_slot) entry;
	struct generation *gen;
	const struct role_row *row;
	uint32_t id;
	pid_t pid;	   /* -1: none now */
	struct chan *chan; /* NULL: closed */
	int ready;
	int drained;
	int condemned; /* killed: dns reported it (BADPEER) */
	int asked;     /* PING was sent, PONG has not arrived */
	time_t started;
	unsigned int fails; /* ends in a row, each soon after the start */
	unsigned int restarts;
	int stats_fd;
	const struct stats *stats; /* the child writes, the parent reads */
	struct event *respawn;
	time_t log_second; /* log_lines were written in this second */
	unsigned int log_lines;
};

/* The children that run with one configuration. */
struct generation {
	TAILQ_ENTRY(generation) entry;
	struct generations *all;
	unsigned int number;
	time_t since; /* monotonic */
	struct conf *conf;
	int conf_fd;
	TAILQ_HEAD(, generation_slot) slots;
	int was_ready; /* all essential children have been ready */
	int draining;
	struct event *deadline; /* for getting ready, or for draining */
};

/* Callbacks; the last argument is arg of struct generations. */
struct generation_ops {
	/* All its essential children are ready for the first time. */
	void (*ready)(struct generation *, void *);
	/* It does not become ready; the text says why. */
	void (*failed)(struct generation *, const char *, void *);
	/* Its last process has ended; the callee may free it. */
	void (*empty)(struct generation *, void *);
	/* Its dns process became ready, with an empty cache. */
	void (*dns_ready)(struct generation *, void *);
};

/* All generations. The caller sets the members from base to verbose. */
struct generations {
	struct event_base *base;
	const struct generation_ops *ops;
	void *arg;
	int exe_fd;		  /* spawn_open_exe() */
	int milter_fd, policy_fd; /* listeners; -1: not open */
	int verbose;
	TAILQ_HEAD(, generation) list; /* oldest first */
	unsigned int last_number;
	uint32_t last_id;
	struct stats retired; /* counters of generations that were freed */
	/* processes that ended unasked and were started again */
	unsigned long restarts[ROLE_MAX];
};

/* Handles the end of a process that waitpid(2) returned. */
void generations_reaped(struct generations *, pid_t, int status);
/* Turns debug lines on or off in all children, later ones included. */
void generations_verbose(struct generations *, int);
/* Sums all counters, those of generations that were freed included. */
void generations_stats(const struct generations *, struct stats *);

/* Takes over conf, which has its name servers. Exits on no memory. */
struct generation *generation_new(struct generations *, struct conf *);
/* Starts its children. */
void generation_start(struct generation *);
/*
 * Lets its children finish their connections and end; kills those that are left
 * after so many seconds. May call empty(), which may free it.
 */
void generation_drain(struct generation *, unsigned int seconds);
/* Kills its children; it is empty when all of them are reaped. */
void generation_kill(struct generation *);
/* It must be empty. */
void generation_free(struct generation *);
int generation_is_empty(const struct generation *);
/*
 * Sends a message to its children that are ready and may receive it. VERBOSE
 * has the value as its payload, other types have none.
 */
void generation_tell(struct generation *, enum msg_type, uint32_t value);
/*
 * Sends PING to all its watched children. Returns 1 if all have answered the
 * last one and each watched role has a child that is ready.
 */
int generation_answers(struct generation *);
/* Adds its children's counters, and if asked the gauges of those that run. */
void generation_stats(const struct generation *, struct stats *, int gauges);

#endif
