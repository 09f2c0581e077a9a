/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: libmilter; its callback threads and its event thread. */

#include <sys/eventfd.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "unpriv/libmilter/libmilter_job.h"

#define JOB_LOGS_MAX 1000 /* lines that wait for the event thread */
#define JOB_LOG_LEN  512
#define JOB_NOTES    20 /* warnings of the library logged in a minute */

struct job_line {
	STAILQ_ENTRY(job_line) entry;
	int priority;
	char text[JOB_LOG_LEN];
};

static pthread_mutex_t jobs_lock = PTHREAD_MUTEX_INITIALIZER;
static STAILQ_HEAD(, libmilter_job) jobs = STAILQ_HEAD_INITIALIZER(jobs);
static STAILQ_HEAD(, job_line) job_lines = STAILQ_HEAD_INITIALIZER(job_lines);
static unsigned int job_nlines, job_lines_lost;
static int jobs_fd = -1;
static struct log_note job_said = { .max = JOB_NOTES }, job_lost;

static void
jobs_wake(void)
{
	const uint64_t one = 1;

	/* Cannot fail: the event thread resets the counter. */
	if (write(jobs_fd, &one, sizeof(one)) == -1)
		return;
}

int
libmilter_job_call(void (*run)(struct libmilter_job *), void *session,
    const void *arg)
{
	struct libmilter_job j = { .run = run, .session = session, .arg = arg };

	pthread_cond_init(&j.cond, NULL);
	pthread_mutex_lock(&jobs_lock);
	STAILQ_INSERT_TAIL(&jobs, &j, entry);
	jobs_wake();
	while (!j.done)
		pthread_cond_wait(&j.cond, &jobs_lock);
	pthread_mutex_unlock(&jobs_lock);
	pthread_cond_destroy(&j.cond);
	return j.result;
}

/* The job is on its caller's stack: use it no more without the lock. */
void
libmilter_job_finish(struct libmilter_job *j, int result)
{
	pthread_mutex_lock(&jobs_lock);
	j->result = result;
	j->done = 1;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&jobs_lock);
}

void
libmilter_job_log(int priority, const char *fmt, va_list ap)
{
	struct job_line *l;

	if ((l = malloc(sizeof(*l))) == NULL)
		return;
	l->priority = priority;
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	pthread_mutex_lock(&jobs_lock);
	if (job_nlines >= JOB_LOGS_MAX) {
		job_lines_lost++;
		pthread_mutex_unlock(&jobs_lock);
		free(l);
		return;
	}
	job_nlines++;
	STAILQ_INSERT_TAIL(&job_lines, l, entry);
	jobs_wake();
	pthread_mutex_unlock(&jobs_lock);
}

static struct libmilter_job *
jobs_take(void)
{
	struct libmilter_job *j;

	pthread_mutex_lock(&jobs_lock);
	if ((j = STAILQ_FIRST(&jobs)) != NULL)
		STAILQ_REMOVE_HEAD(&jobs, entry);
	pthread_mutex_unlock(&jobs_lock);
	return j;
}

static void
jobs_event(evutil_socket_t fd, short what, void *arg)
{
	STAILQ_HEAD(, job_line) lines = STAILQ_HEAD_INITIALIZER(lines);
	struct job_line *l;
	struct libmilter_job *j;
	unsigned int lost;
	uint64_t n;

	if (read(jobs_fd, &n, sizeof(n)) == -1)
		return;
	while ((j = jobs_take()) != NULL)
		j->run(j);
	pthread_mutex_lock(&jobs_lock);
	STAILQ_CONCAT(&lines, &job_lines);
	lost = job_lines_lost;
	job_nlines = job_lines_lost = 0;
	pthread_mutex_unlock(&jobs_lock);
	while ((l = STAILQ_FIRST(&lines)) != NULL) {
		STAILQ_REMOVE_HEAD(&lines, entry);
		if (l->priority > LOG_WARNING)
			log_line(l->priority, "%s", l->text);
		else
			log_note(&job_said, "%s", l->text);
		free(l);
	}
	if (lost != 0)
		log_note(&job_lost, "%u log lines were dropped", lost);
}

void
libmilter_job_init(struct event_base *base)
{
	struct event *ev;

	if ((jobs_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		fatal("eventfd");
	ev = event_new(base, jobs_fd, EV_READ | EV_PERSIST, jobs_event, NULL);
	if (ev == NULL || event_add(ev, NULL) == -1)
		fatalx("libmilter: no event");
}
