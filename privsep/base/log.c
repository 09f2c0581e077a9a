/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. One sendto() or write() writes a line. */

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

/* What a line has beside its text. */
enum log_form {
	LOG_PLAIN = 0,
	LOG_PREFIX, /* the process's prefix */
	LOG_ERRNO   /* the prefix, and the error of errno */
};

/*
 * syslog(3) of libc may open files and sockets at any time, which the
 * sandbox forbids. This module sends RFC 3164 datagrams with sendto() on a
 * socket that it opened before. The socket is not connected, so it also
 * reaches a syslogd that was restarted.
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
	/* syslogd writes lines more urgent than LOG_CRIT to all terminals */
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
	/* Lose the line if syslogd is slow or absent: mail must not wait. */
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
 * Writes a line: the prefix, the text, the error of errno, as form asks.
 * spf-engine's lines about a message have no process name: LOG_PLAIN. Only
 * lines that leave the daemon's processes are escaped.
 */
static void
log_write(int pri, enum log_form form, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX], esc[LOG_LINE_MAX];
	int saved = errno;
	size_t n = 0;

	line[0] = '\0';
	if (form != LOG_PLAIN)
		n = strlcpy(line, log_pre, sizeof(line));
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	if (form == LOG_ERRNO) {
		n = strlen(line);
		snprintf(line + n, sizeof(line) - n, ": %s", strerror(saved));
	}
	if (log_fn != NULL)
		log_fn(pri, line, log_fn_arg);
	else {
		if ((pri & LOG_CLEAN) != 0 && log_is_clean(line))
			strlcpy(esc, line, sizeof(esc));
		else
			text_escape_log(esc, sizeof(esc), line, strlen(line));
		if (log_sock != -1)
			log_to_syslog(pri, esc);
		else
			log_to_stderr(pri, esc);
	}
	errno = saved;
}

#define LOG_WRITE(pri, form, fmt)                    \
	do {                                         \
		va_list ap;                          \
		va_start(ap, fmt);                   \
		log_write((pri), (form), (fmt), ap); \
		va_end(ap);                          \
	} while (0)

void
log_line(int pri, const char *fmt, ...)
{
	LOG_WRITE(pri, LOG_PLAIN, fmt);
}

void
log_debug(const char *fmt, ...)
{
	if (log_is_verbose)
		LOG_WRITE(LOG_DEBUG, LOG_PREFIX, fmt);
}

void
log_info(const char *fmt, ...)
{
	LOG_WRITE(LOG_INFO, LOG_PREFIX, fmt);
}

void
log_warn(const char *fmt, ...)
{
	LOG_WRITE(LOG_ERR, LOG_ERRNO, fmt);
}

void
log_warnx(const char *fmt, ...)
{
	LOG_WRITE(LOG_ERR, LOG_PREFIX, fmt);
}

void
fatal(const char *fmt, ...)
{
	LOG_WRITE(LOG_CRIT, LOG_ERRNO, fmt);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	LOG_WRITE(LOG_CRIT, LOG_PREFIX, fmt);
	exit(1);
}
