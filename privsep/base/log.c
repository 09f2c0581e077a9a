/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; makes one sendto() or write() a line. */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "proto/text.h"

#define LOG_LINE_MAX	 4096
#define LOG_PATH	 "/dev/log"
#define LOG_POLICY_IDENT "policyd-spf"

/*
 * syslog(3) of libc may open files and sockets at any time, which the
 * sandbox forbids. This module sends RFC 3164 datagrams with sendto() on a
 * socket opened before. The socket is not connected, so a restarted syslogd
 * still gets them.
 */
static int log_sock = -1;
static struct sockaddr_un log_sun;
static char log_ident[32] = "pyspf-milter";
static char log_pre[48];
static int log_is_verbose;
static void (*log_fn)(int, const char *, void *);
static void *log_fn_arg;

static const char log_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void
log_init_stderr(const char *ident)
{
	strlcpy(log_ident, ident, sizeof(log_ident));
	if (log_sock != -1)
		close(log_sock);
	log_sock = -1;
	log_fn = NULL;
}

void
log_init_syslog(const char *ident)
{
	log_init_stderr(ident);
	tzset();
	log_sock =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	log_sun.sun_family = AF_UNIX;
	strlcpy(log_sun.sun_path, LOG_PATH, sizeof(log_sun.sun_path));
}

void
log_init_callback(void (*fn)(int, const char *, void *), void *arg)
{
	log_fn = fn;
	log_fn_arg = arg;
}

int
log_fd(void)
{
	return log_sock;
}

void
log_prefix(const char *s)
{
	strlcpy(log_pre, s == NULL ? "" : s, sizeof(log_pre));
}

void
log_verbose(int v)
{
	log_is_verbose = v;
}

int
log_priority(uint32_t pri)
{
	uint32_t flags = pri & LOG_FLAGS;

	pri &= ~(uint32_t)LOG_FLAGS;
	/* syslogd may write more urgent lines to all terminals */
	if (pri < LOG_CRIT)
		pri = LOG_CRIT;
	return (int)((pri > LOG_DEBUG ? LOG_INFO : pri) | flags);
}

static const char *
log_ident_of(int pri)
{
	return (pri & LOG_POLICY) != 0 ? LOG_POLICY_IDENT : log_ident;
}

static void
log_to_stderr(int pri, const char *text)
{
	char buf[LOG_LINE_MAX + 64];
	int n;

	n = snprintf(buf, sizeof(buf), "%s[%d]: %s\n", log_ident_of(pri),
	    (int)getpid(), text);
	if (n > (int)sizeof(buf) - 1)
		n = sizeof(buf) - 1;
	if (write(STDERR_FILENO, buf, n) == -1)
		return; /* there is no other place to report it */
}

static void
log_to_syslog(int pri, const char *text)
{
	char buf[LOG_LINE_MAX + 128];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	memset(&tm, 0, sizeof(tm));
	(void)localtime_r(&now, &tm);
	n = snprintf(buf, sizeof(buf), "<%d>%.3s %2d %02d:%02d:%02d %s[%d]: %s",
	    LOG_MAIL | (pri & ~LOG_FLAGS), log_months + 3 * (tm.tm_mon % 12),
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, log_ident_of(pri),
	    (int)getpid(), text);
	if (n > (int)sizeof(buf) - 1)
		n = sizeof(buf) - 1;
	/* If syslogd is slow or absent the line is lost: mail does not wait. */
	(void)sendto(log_sock, buf, n, MSG_NOSIGNAL,
	    (struct sockaddr *)&log_sun, sizeof(log_sun));
}

static int
log_is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return 0;
	return 1;
}

/*
 * Sends a line to the callback, to syslog or to stderr; escapes it for the
 * last two. A line about a mail (prefix 0) has no process name, as in
 * spf-engine.
 */
static void
log_emit(int pri, int prefix, const char *text)
{
	char line[LOG_LINE_MAX], esc[LOG_LINE_MAX];
	int saved = errno;

	snprintf(line, sizeof(line), "%s%s", prefix ? log_pre : "", text);
	if (log_fn != NULL)
		log_fn(pri, line, log_fn_arg);
	else {
		if ((pri & LOG_CLEAN) != 0 && log_is_clean(line))
			memcpy(esc, line, strlen(line) + 1);
		else
			text_escape_log(esc, sizeof(esc), line, strlen(line));
		if (log_sock != -1)
			log_to_syslog(pri, esc);
		else
			log_to_stderr(pri, esc);
	}
	errno = saved;
}

static void
log_va(int pri, int with_errno, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];
	int saved = errno, n;

	if (pri == LOG_DEBUG && !log_is_verbose)
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (with_errno && n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - n, ": %s", strerror(saved));
	log_emit(pri, 1, text);
	errno = saved;
}

void
log_line(int pri, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_emit(pri, 0, text);
}

/* Defines a function that logs at one priority, with or without errno. */
#define LOG_FUNCTION(name, pri, with_errno, last) \
	void name(const char *fmt, ...)           \
	{                                         \
		va_list ap;                       \
                                                  \
		va_start(ap, fmt);                \
		log_va(pri, with_errno, fmt, ap); \
		va_end(ap);                       \
		last;                             \
	}

LOG_FUNCTION(log_debug, LOG_DEBUG, 0, )
LOG_FUNCTION(log_info, LOG_INFO, 0, )
LOG_FUNCTION(log_warn, LOG_ERR, 1, )
LOG_FUNCTION(log_warnx, LOG_ERR, 0, )
LOG_FUNCTION(fatal, LOG_CRIT, 1, exit(1))
LOG_FUNCTION(fatalx, LOG_CRIT, 0, exit(1))
