/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_LOG_H
#define PRIVSEP_BASE_LOG_H

#include <stdarg.h>
#include <stdint.h>
#include <syslog.h>
#include <time.h>

/*
 * Lines go to stderr until one of these functions is called. The parent and
 * policyd-spf open the syslog socket before their sandbox; a child's callback
 * sends its lines to the parent. ident is copied.
 */
void log_init_stderr(const char *ident);
/* Opens the syslog socket; the facility is mail. */
void log_init_syslog(const char *ident);
/* fn receives priority and text. It must not block and must not log. */
void log_init_callback(void (*fn)(int, const char *, void *), void *);
/* The descriptor that the syslog backend uses, or -1. */
int log_fd(void);
/* Sets a prefix, "worker[123]: ", for all lines but log_line()'s. Copies it. */
void log_prefix(const char *);
/* LOG_DEBUG lines are dropped unless verbose. */
void log_verbose(int);

/* log_warn() and fatal() append strerror(errno). All of them keep errno. */
void log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* Logs a message's line, or one received from a child, without prefix. */
void log_line(int, const char *, ...) __attribute__((__format__(printf, 2, 3)));
/*
 * Flags in the priority of log_line(). LOG_CLEAN: the text is JSON; do not
 * escape its backslashes again. A text with anything but printable ASCII is
 * escaped anyway, as a compromised child may set the flag. LOG_POLICY: the
 * line is about a policy request; log it under the name of spf-engine's policy
 * server, which log readers look for.
 */
#define LOG_CLEAN  0x1000
#define LOG_POLICY 0x2000
#define LOG_FLAGS  (LOG_CLEAN | LOG_POLICY)
/* Limits the level of a child's line to LOG_CRIT..LOG_DEBUG; keeps flags. */
int log_priority(uint32_t);
/* Log a line at LOG_CRIT, then exit(1). */
void fatal(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));
void fatalx(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));

/*
 * log_note.c: limits the lines about one kind of event. The caller has a static
 * one for each kind, zeroed but for max.
 */
struct log_note {
	unsigned int max;   /* lines a minute; 0: one */
	unsigned int said;  /* lines written in this minute */
	time_t since;	    /* when the minute began; 0: none; monotonic */
	unsigned long more; /* lines withheld */
	char text[256];	    /* the last of them */
	int listed;	    /* for log_notes_flush() */
	struct log_note *next;
};

struct event_base;

/*
 * Calls log_warnx() at most max times a minute; returns 1 if it did. The number
 * of further events is logged at the end of the minute, or, without
 * log_notes_init(), before the next line.
 */
int log_note(struct log_note *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
void log_notes_init(struct event_base *);
/* Before the process ends: logs the numbers that are still due. */
void log_notes_flush(void);

#endif
