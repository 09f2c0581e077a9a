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
	pid_t pid;	   /* -1: not running */
	struct chan *chan; /* NULL: closed */
	int ready;
	int drained;
	int reported;	    /* by dns (BADPEER); SIGKILL was sent */
	time_t started;	    /* monotonic */
	unsigned int pings; /* times to ask since the last answer */
	unsigned int fails; /* ends in a row, each before READY */
	unsigned int restarts;
	int stats_fd;
	const struct stats *stats; /* the child writes, the parent reads */
	struct event *timer;	   /* for READY, or to start again */
	time_t log_second;	   /* the second that log_lines counts */
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
	int was_ready; /* all essential children were, once */
	int draining;
	struct event *deadline; /* for draining */
};

/* What a generation reports; the last argument is struct generations' arg. */
struct generation_ops {
	/* All its essential children are ready for the first time. */
	void (*ready)(struct generation *, void *);
	/* It cannot become ready; the text says why. */
	void (*failed)(struct generation *, const char *, void *);
	/* Its last process ended; the callee may free it. */
	void (*empty)(struct generation *, void *);
	/* Its dns process became ready, with an empty cache. */
	void (*dns_ready)(struct generation *, void *);
};

/* All generations and what they share. The caller fills it up to verbose. */
struct generations {
	struct event_base *base;
	const struct generation_ops *ops;
	void *arg;
	int exe_fd;		  /* the daemon's image */
	int milter_fd, policy_fd; /* listeners; -1: not open */
	int verbose;
	TAILQ_HEAD(, generation) list; /* oldest first */
	unsigned int last_number;
	uint32_t last_id;
	struct stats retired; /* counts of generations that were freed */
	/* unexpected ends: status other than 0, while not draining */
	unsigned long restarts[ROLE_MAX];
	uint64_t start_due[ROLE_MAX]; /* ms: bounds the rate of starts */
	struct event *ping;
};

/* waitpid(2) returned this process. */
void generations_reaped(struct generations *, pid_t, int status);
/* Turns debug lines on or off, in all children, also those to come. */
void generations_verbose(struct generations *, int);
/*
 * From now on, ends each watched child (child/role_table.c) that does not
 * answer for 10 seconds.
 */
void generations_watch(struct generations *);
/* All counters together, with those of generations that were freed. */
void generations_stats(const struct generations *, struct stats *);

/* Takes over conf, whose name servers must be set. Exits on no memory. */
struct generation *generation_new(struct generations *, struct conf *);
/* Starts its children. */
void generation_start(struct generation *);
/*
 * Its children finish their connections and end; those left after so many
 * seconds are killed. The generation may be empty, and freed, on return.
 */
void generation_drain(struct generation *, unsigned int seconds);
/* Kills its children. It is empty once they are reaped. */
void generation_kill(struct generation *);
/* Only when it is empty. */
void generation_free(struct generation *);
int generation_is_empty(const struct generation *);
/*
 * Sends a message to its children that are ready and may receive it
 * (proto/msg.h). VERBOSE carries the value; others have no payload.
 */
void generation_send(struct generation *, enum msg_type, uint32_t value);
/*
 * Replaces its dns process by one that asks these servers; questions in
 * flight are repeated to it. -1 when dns is not ready: try again later.
 */
int generation_nameservers(struct generation *, const struct conf_servers *);
/* Adds its children's counters; with gauges, those of running ones, too. */
void generation_stats(const struct generation *, struct stats *, int gauges);

#endif
