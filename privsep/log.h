/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_LOG_H
#define PRIVSEP_LOG_H

#include <stdarg.h>
#include <syslog.h>

/*
 * Where lines go: LOG_TO_STDERR until something else is set; the parent and
 * policyd-spf hold syslog by a descriptor opened before their sandbox;
 * children hand lines to their parent through a callback.
 */
void	log_init_stderr(const char *ident);
/* Opens the syslog socket. The ident is copied. facility mail. */
void	log_init_syslog(const char *ident);
/* fn gets priority and text; must not block and must not log. */
void	log_init_callback(void (*fn)(int, const char *, void *), void *);
/* The descriptor that the syslog backend uses, or -1. */
int	log_fd(void);
/*
 * Text put before each line but those of log_line() ("worker[123]: "); NULL
 * for none. Copied.
 */
void	log_prefix(const char *);
/* LOG_DEBUG lines are dropped unless verbose. */
void	log_verbose(int);

/* Lines for the admin. log_warn and fatal append strerror(errno). errno is kept. */
void	log_debug(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_info(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_warn(const char *, ...) __attribute__((__format__(printf, 1, 2)));
void	log_warnx(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* A line of mail, or one handed on: as it is, with its priority. */
void	log_line(int, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
void	log_vline(int, const char *, va_list)
	    __attribute__((__format__(printf, 2, 0)));
/* exit(1) after a line at LOG_CRIT. */
void	fatal(const char *, ...)
	    __attribute__((__format__(printf, 1, 2), __noreturn__));
void	fatalx(const char *, ...)
	    __attribute__((__format__(printf, 1, 2), __noreturn__));

#endif
