/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_LOG_H
#define PRIVSEP_BASE_LOG_H

#include <stdarg.h>
#include <stdint.h>
#include <syslog.h>
#include <time.h>

/*
 * Where lines go: LOG_TO_STDERR until something else is set; the parent and
 * policyd-spf hold syslog by a descriptor opened before their sandbox;
 * children hand lines to their parent through a callback.
 */
void log_init_stderr(const char *ident);
/* Opens the syslog socket. The ident is copied. facility mail. */
void log_init_syslog(const char *ident);
/* fn gets priority and text; must not block and must not log. */
void log_init_callback(void (*fn)(int, const char *, void *), void *);
/* The descriptor that the syslog backend uses, or -1. */
int log_fd(void);
/*
 * Text put before each line but those of log_line() ("worker[123]: "); NULL
 * for none. Copied.
 */
void log_prefix(const char *);
/* LOG_DEBUG lines are dropped unless verbose. */
void log_verbose(int);

/*
 * Lines for the admin. log_warn and fatal append strerror(errno). errno is
 * kept.
 */
void log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* A line of mail, or one handed on: as it is, with its priority. */
void log_line(int, const char *, ...) __attribute__((__format__(printf, 2, 3)));
/*
 * Beside the priority of log_line(): the text is written for a machine
 * (JSON), its backslashes are its own. It goes out as it is when it is all
 * printable ASCII, and is escaped as any other when it is not: whoever sets
 * the flag need not be believed.
 */
#define LOG_CLEAN 0x1000
/*
 * Likewise: about a request of the policy protocol. In syslog it stands under
 * the name of spf-engine's policy server, which readers of logs look for.
 */
#define LOG_POLICY 0x2000
#define LOG_FLAGS  (LOG_CLEAN | LOG_POLICY)
/*
 * A priority that another process sent: its flags, and a level that there
 * is, LOG_CRIT at most.
 */
int log_priority(uint32_t);
/* exit(1) after a line at LOG_CRIT. */
void fatal(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));
void fatalx(const char *, ...)
    __attribute__((__format__(printf, 1, 2), __noreturn__));

/*
 * log_note.c: lines that a flood of one event must not multiply. One of
 * these, zeroed, for each kind of event; it must live for ever.
 */
struct log_note {
	unsigned int max;   /* lines a minute; 0: one */
	unsigned int said;  /* since then */
	time_t since;	    /* the first; 0: none; monotonic */
	unsigned long more; /* not written */
	char text[256];	    /* the last of those */
	int listed;
	struct log_note *next;
};

struct event_base;

/*
 * log_warnx(), at most max times a minute; then one line with how many there
 * were more, as soon as the minute is over if log_notes_init() was called,
 * else before the next. 1 when it was written.
 */
int log_note(struct log_note *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
void log_notes_init(struct event_base *);
/* At the end: what has not been told yet. */
void log_notes_flush(void);

#endif
