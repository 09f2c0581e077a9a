/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: libmilter; its callback threads and its event thread. */

#ifndef UNPRIV_LIBMILTER_LIBMILTER_JOB_H
#define UNPRIV_LIBMILTER_LIBMILTER_JOB_H

#include <pthread.h>
#include <stdarg.h>
#include <sys/queue.h>

struct event_base;

/*
 * Jobs of libmilter's threads for the thread of the event loop, in which all
 * other modules run, so that they need no locks.
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

/* Makes the queue and its event; before any thread. Exits on failure. */
void libmilter_job_init(struct event_base *);
/*
 * For a callback thread: the event thread calls run(). Waits until
 * libmilter_job_finish() is called, by run() or later. Returns the result.
 */
int libmilter_job_call(void (*run)(struct libmilter_job *), void *session,
    const void *arg);
void libmilter_job_finish(struct libmilter_job *, int result);
/* For any thread: logs a line, or drops it when too many wait. */
void libmilter_job_log(int priority, const char *fmt, va_list)
    __attribute__((__format__(printf, 2, 0)));

#endif
