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
struct slot {
	TAILQ_ENTRY(slot) entry;
	struct generation *gen;
	const struct role_row *row;
	uint32_t id;
	pid_t pid;	   /* -1: none now */
	struct chan *chan; /* NULL: closed */
	int ready;
	int drained;
	int condemned; /* killed for what it sent to dns */
	int asked;     /* PING was sent, PONG has not come */
	time_t started;
	unsigned int fails; /* in a row, soon after its start */
	unsigned int restarts;
	int stats_fd;
	const struct stats *stats; /* the child writes, the parent reads */
	struct event *respawn;
	time_t log_second; /* log_lines were written in this second */
	unsigned int log_lines;
};
TAILQ_HEAD(slots, slot);

/* The children that run with one configuration. */
struct generation {
	TAILQ_ENTRY(generation) entry;
	struct generations *all;
	unsigned int number;
	time_t since; /* monotonic */
	struct conf *conf;
	int conf_fd;
	struct slots slots;
	int was_ready; /* all essential children were, once */
	int draining;
	struct event *deadline; /* for getting ready, or for draining */
};

/* What a generation reports; the last argument is that of generations. */
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

/* All generations and what they share. The caller fills the first part. */
struct generations {
	struct event_base *base;
	const struct generation_ops *ops;
	void *arg;
	int exe_fd;		  /* our image */
	int milter_fd, policy_fd; /* listeners; -1: not open */
	int verbose;
	TAILQ_HEAD(, generation) list; /* oldest first */
	unsigned int last_number;
	uint32_t last_id;
	struct stats retired; /* counts of generations that were freed */
	/* processes that ended by themselves and were started again */
	unsigned long restarts[ROLE_MAX];
};

/* waitpid(2) returned this process. */
void generations_reaped(struct generations *, pid_t, int status);
/* Debug lines on or off, in all children of now and later. */
void generations_verbose(struct generations *, int);
/* All counters together, with those of generations that were freed. */
void generations_stats(const struct generations *, struct stats *);

/* Takes over conf, which gets its name servers before. Exits on no memory. */
struct generation *generation_new(struct generations *, struct conf *);
/* Starts its children. */
void generation_start(struct generation *);
/*
 * Its children finish their connections and end. What is left after so many
 * seconds is killed. It may be empty, and gone, on return.
 */
void generation_drain(struct generation *, unsigned int seconds);
/* Kills its children; it is empty when they were reaped. */
void generation_kill(struct generation *);
/* Only when it is empty. */
void generation_free(struct generation *);
int generation_is_empty(const struct generation *);
/*
 * Sends a message to those of its children that are ready and may receive it
 * (proto/msg.h). VERBOSE carries the value, others have no payload.
 */
void generation_tell(struct generation *, enum msg_type, uint32_t value);
/*
 * Sends PING to all its watched children. 1 when all have answered the last
 * one and each watched role has a child that is ready.
 */
int generation_answers(struct generation *);
/* Adds the counters of its children; gauges of those that run, on request. */
void generation_stats(const struct generation *, struct stats *, int gauges);

#endif
