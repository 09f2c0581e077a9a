/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, after the drop. */

#ifndef PRIVSEP_PARENT_PARENT_H
#define PRIVSEP_PARENT_PARENT_H

#include <sys/queue.h>

#include <time.h>

#include "privsep/base/chan.h"
#include "privsep/root/priv_files.h"
#include "privsep/start/config.h"
#include "proto/stats.h"

struct event;
struct event_base;
struct generation;

/* One place for a child; the process in it may be replaced. */
struct slot {
	TAILQ_ENTRY(slot) entry;
	struct generation *gen;
	enum msg_role role;
	uint32_t id;
	pid_t pid;	   /* -1: none now */
	struct chan *chan; /* NULL: closed */
	int ready;
	int drained;
	int condemned; /* being killed for what it sent */
	int asked;     /* PING, and no PONG yet */
	time_t started;
	unsigned int fails; /* in a row, soon after its start */
	unsigned int restarts;
	int stats_fd;
	const struct stats *stats; /* the child writes, we read */
	struct event *respawn;
	time_t log_second; /* its lines in this second */
	unsigned int log_lines;
};
TAILQ_HEAD(slots, slot);

/* The children that live by one configuration. */
struct generation {
	TAILQ_ENTRY(generation) entry;
	struct parent *parent;
	unsigned int number;
	time_t since; /* monotonic */
	struct conf *conf;
	int conf_fd;
	struct slots slots;
	int was_ready; /* all were, once */
	int draining;
	struct event *deadline; /* of getting ready, or of draining */
};
TAILQ_HEAD(generations, generation);

struct parent {
	struct event_base *base;
	const char *path;
	int explicit;
	int debug;
	struct config_files files;
	struct priv_owner owner;
	int exe_fd;
	int milter_fd, policy_fd, control_fd;
	int pid_fd;
	/* files of ours, NULL: none */
	char *milter_path, *policy_path, *control_path, *pid_path;
	struct generation *cur;	 /* serves */
	struct generation *next; /* gets ready, or NULL */
	struct generations all;
	unsigned int last_number;
	uint32_t last_id;
	int stopping;
	time_t since;	      /* monotonic */
	time_t started;	      /* the same by the clock */
	struct stats retired; /* counts of generations that ended */
	/* since the start; a process that ended unasked was restarted */
	unsigned long restarts[ROLE_MAX];
	unsigned long reloads, reloads_refused, reloads_failed;
};

/* parent.c */
/*
 * The whole life of the daemon from the checked configuration on: sockets,
 * PID file, drop, sandbox, children, signals. Returns the exit status.
 */
int parent_main(struct parent *, struct conf *);
/* All slots of it are ready for the first time. */
void parent_gen_ready(struct generation *);
/*
 * Reads the configuration again and starts a generation by it. 0 when that
 * is under way, -1 when it is refused; say gets the reasons.
 */
int parent_reload(struct parent *, config_say_fn, void *);
/* Debug lines on or off, everywhere. */
void parent_verbose(struct parent *, int);
/* All counters together, with those of children that ended. */
void parent_stats(struct parent *, struct stats *);
/* Nothing of it is left. */
void parent_gen_empty(struct generation *);
/* A child ended before its generation was ready. */
void parent_gen_failed(struct generation *, const char *);

/* parent_gen.c */
struct generation *gen_new(struct parent *, struct conf *);
void gen_start(struct generation *);
void gen_drain(struct generation *, unsigned int seconds);
/* Ends what is left, at once. */
void gen_kill(struct generation *);
void gen_free(struct generation *);
int gen_is_empty(const struct generation *);
/* waitpid(2) said so. */
void gen_reaped(struct parent *, pid_t, int status);
/*
 * A message to all children of a role (ROLE_NONE: of all) that are ready;
 * VERBOSE carries the value, others nothing.
 */
void gen_tell(struct generation *, enum msg_role, enum msg_type, uint32_t);
/*
 * Asks all its children but the shadow whether their loops turn. 1 when all
 * have answered the last question and each role has one that is ready.
 */
int gen_answers(struct generation *);
/* Adds the counters of its children. */
void gen_stats(const struct generation *, struct stats *, int gauges);

#endif
