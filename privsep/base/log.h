/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_LOG_H
#define PRIVSEP_BASE_LOG_H

#include <stdarg.h>
#include <stdint.h>
#include <syslog.h>
#include <time.h>

/*
 * Where lines go: to stderr until another function here is called. The
 * parent and policyd-spf open a socket to syslog before their sandbox;
 * children send lines to their parent by a callback.
 */
void log_init_stderr(const char *ident);
/* Opens the syslog socket; facility mail. Copies ident. */
void log_init_syslog(const char *ident);
/* fn gets priority and text. It must not block and must not log. */
void log_init_callback(void (*fn)(int, const char *, void *), void *);
/* The descriptor that the syslog backend uses, or -1. */
int log_fd(void);
/*
 * Sets a prefix for all lines but those of log_line() ("worker[123]: ");
 * NULL for none. Copies it.
 */
void log_prefix(const char *);
/* LOG_DEBUG lines are dropped unless verbose. */
void log_verbose(int);

/*
 * Lines for the administrator. log_warn and fatal append strerror(errno).
 * All keep errno.
 */
void log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* Logs a message's line, or one received from a child, without prefix. */
void log_line(int, const char *, ...) __attribute__((__format__(printf, 2, 3)));
/*
 * Flag in the priority of log_line(): the text is for a machine (JSON), and
 * its backslashes are not escaped again. A text that is not all printable
 * ASCII is escaped in spite of the flag, which a child may have set wrongly.
 */
#define LOG_CLEAN 0x1000
/*
 * Flag: the line is about a request of the policy protocol. It is logged
 * under the name of spf-engine's policy server, which log readers look for.
 */
#define LOG_POLICY 0x2000
#define LOG_FLAGS  (LOG_CLEAN | LOG_POLICY)
/*
 * Makes a priority that another process sent valid: keeps its flags, allows
 * levels from LOG_CRIT to LOG_DEBUG.
 */
int log_priority(uint32_t);
/* Log a line at LOG_CRIT, then exit(1). */
void fatal(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));
void fatalx(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));

/*
 * log_note.c: limits the lines about one kind of event. The caller has one
 * of these for each kind, zeroed but for max; it must live for ever.
 */
struct log_note {
	unsigned int max;   /* lines a minute; 0: one */
	unsigned int said;  /* lines since then */
	time_t since;	    /* of the first line; 0: none; monotonic */
	unsigned long more; /* lines not written */
	char text[256];	    /* the last of them */
	int listed;
	struct log_note *next;
};

struct event_base;

/*
 * log_warnx() at most max times a minute. The number of further events is
 * logged when the minute is over, or, without log_notes_init(), before the
 * next line. 1 when the line was written.
 */
int log_note(struct log_note *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
void log_notes_init(struct event_base *);
/* At the end: logs the numbers that are still due. */
void log_notes_flush(void);

#endif
