/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: libmilter; its callback threads and its event thread. */

#ifndef UNPRIV_LIBMILTER_LIBMILTER_JOB_H
#define UNPRIV_LIBMILTER_LIBMILTER_JOB_H

#include <pthread.h>
#include <stdarg.h>
#include <sys/queue.h>

struct event_base;

/*
 * Work that libmilter's threads hand to the thread of the event loop. All other
 * modules run in that thread and need no locks.
 */
struct libmilter_job {
	STAILQ_ENTRY(libmilter_job) entry;
	void (*run)(struct libmilter_job *); /* in the event thread */
	void *session;
	const void *arg;
	int result;
	int done;
	pthread_cond_t cond;
};

/* Sets up the queue and its event before any thread. Dies on failure. */
void libmilter_job_init(struct event_base *);
/*
 * In a callback thread: has run() called in the event thread and waits for
 * libmilter_job_finish(), then or later. Returns the result.
 */
int libmilter_job_call(void (*run)(struct libmilter_job *), void *session,
    const void *arg);
void libmilter_job_finish(struct libmilter_job *, int result);
/* In any thread: logs a line; drops it when too many wait. */
void libmilter_job_log(int priority, const char *fmt, va_list)
    __attribute__((__format__(printf, 2, 0)));

#endif
