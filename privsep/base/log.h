/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_LOG_H
#define PRIVSEP_BASE_LOG_H

#include <stdarg.h>
#include <stdint.h>
#include <syslog.h>
#include <time.h>

/*
 * These three choose where lines go; at first it is stderr. The parent and
 * policyd-spf open a socket to syslog before their sandbox; children send
 * lines to their parent by a callback.
 */
void log_init_stderr(const char *ident);
/* Opens the syslog socket; facility mail. Copies ident. */
void log_init_syslog(const char *ident);
/* The function gets priority and text. It must not block and must not log. */
void log_init_callback(void (*)(int, const char *, void *), void *);
/* The socket to syslog, or -1. */
int log_fd(void);
/*
 * Sets the prefix ("worker[123]: ") of all lines but those of log_line();
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
/* Logs a line about a mail, or one received from a child: no prefix. */
void log_line(int, const char *, ...) __attribute__((__format__(printf, 2, 3)));
/*
 * Flag in the priority of log_line(): the text is for a machine (JSON), and
 * its backslashes are not escaped again. The flag is ignored when the text is
 * not all printable ASCII: a child may have set it wrongly.
 */
#define LOG_CLEAN 0x1000
/*
 * Flag: the line is about a request of the policy protocol. It is logged
 * under the name of spf-engine's policy server, which log readers look for.
 */
#define LOG_POLICY 0x2000
#define LOG_FLAGS  (LOG_CLEAN | LOG_POLICY)
/*
 * Corrects a priority that another process sent: keeps its flags, replaces a
 * level that is not from LOG_CRIT to LOG_DEBUG.
 */
int log_priority(uint32_t);
/* Log a line at LOG_CRIT, then exit(1). */
void fatal(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));
void fatalx(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));

/*
 * log_note.c: limits the lines about one kind of event. The caller has one
 * of these for each kind, zeroed but for max, and never frees it.
 */
struct log_note {
	unsigned int max;   /* lines a minute; 0: one */
	unsigned int said;  /* lines written in this minute */
	time_t since;	    /* its first line; monotonic; 0: none yet */
	unsigned long more; /* lines held back in this minute */
	char text[256];	    /* the last of these */
	int listed;	    /* in the list of log_note.c */
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
/* Before the process ends: logs the numbers that are still due. */
void log_notes_flush(void);

#endif
