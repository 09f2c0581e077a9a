/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: libmilter; its callback threads and its event thread. */

#ifndef UNPRIV_LIBMILTER_LIBMILTER_JOB_H
#define UNPRIV_LIBMILTER_LIBMILTER_JOB_H

#include <pthread.h>
#include <stdarg.h>
#include <sys/queue.h>

struct event_base;

/*
 * Work that libmilter's threads hand to the one thread that runs the event
 * loop, where all of our own code lives: nothing of it knows of threads.
 */
struct job {
	STAILQ_ENTRY(job) entry;
	void (*run)(struct job *); /* in the event thread */
	void *session;
	const void *arg;
	int result;
	int done;
	pthread_cond_t cond;
};

/* Before threads are made: the queue and its event. Dies on failure. */
void jobs_init(struct event_base *);
/*
 * In a callback thread: has run() called in the event thread and waits
 * until that, now or later, calls job_finish(). Returns its result.
 */
int job_call(void (*run)(struct job *), void *session, const void *arg);
void job_finish(struct job *, int result);
/* In any thread: a log line; dropped when too many wait. */
void job_log(int priority, const char *fmt, va_list)
    __attribute__((__format__(printf, 2, 0)));

#endif
