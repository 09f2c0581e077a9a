/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent; notify_init() as root, the rest after sandbox_enter(). */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "privsep/parent/notify.h"

#define NOTIFY_MAX     512
#define STATUS_SECONDS 10
#define AGAIN_MS       200 /* when the manager's queue is full */

static const struct parent_view *notify_view;
static int notify_fd = -1;
static struct sockaddr_un notify_sun;
static socklen_t notify_len;	     /* 0: connected */
static long long watchdog_us;	     /* 0: none */
static char state_text[NOTIFY_MAX];  /* not sent yet; "": nothing */
static char status_text[NOTIFY_MAX]; /* sent last */
static struct event *again_ev;

static int
notify_address(const char *path)
{
	size_t len = strlen(path);

	notify_sun.sun_family = AF_UNIX;
	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(notify_sun.sun_path)) {
		log_warnx("NOTIFY_SOCKET %s is neither a path nor an @name; "
			  "the service manager gets no reports",
		    path);
		return -1;
	}
	memcpy(notify_sun.sun_path, path, len);
	if (path[0] == '@')
		notify_sun.sun_path[0] = '\0';
	notify_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return 0;
}

/*
 * An abstract name needs a socket that is connected before the sandbox
 * (Landlock's scope). A path is resolved for each message, so a new socket of
 * a restarted manager is found.
 */
static void
notify_open(const char *path)
{
	if (notify_address(path) == -1)
		return;
	notify_fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify_fd == -1) {
		log_warn("NOTIFY_SOCKET %s", path);
		return;
	}
	if (path[0] == '/')
		return;
	if (connect(notify_fd, (struct sockaddr *)&notify_sun, notify_len) ==
	    -1) {
		log_warn("NOTIFY_SOCKET %s", path);
		close(notify_fd);
		notify_fd = -1;
	}
	notify_len = 0;
}

static long long
notify_number(const char *name, long long max)
{
	const char *text, *errstr;
	long long n;

	if ((text = getenv(name)) == NULL)
		return 0;
	n = strtonum(text, 1, max, &errstr);
	if (errstr != NULL) {
		log_warnx("%s is %s", name, errstr);
		return 0;
	}
	return n;
}

void
notify_init(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC",
		"WATCHDOG_PID" };
	const char *path;
	long long pid;
	size_t i;

	if ((path = getenv("NOTIFY_SOCKET")) != NULL && path[0] != '\0')
		notify_open(path);
	pid = notify_number("WATCHDOG_PID", INT_MAX);
	if (notify_fd != -1 && (pid == 0 || pid == getpid()))
		watchdog_us = notify_number("WATCHDOG_USEC", LLONG_MAX / 1000);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

/* 0: sent, or there is no manager. -1: the manager's queue is full. */
static int
notify_send(const char *text)
{
	ssize_t n;

	if (notify_fd == -1)
		return 0;
	n = sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL,
	    notify_len == 0 ? NULL : (struct sockaddr *)&notify_sun,
	    notify_len);
	if (n != -1)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return -1;
	log_warn("cannot notify the service manager");
	return 0;
}

static void
notify_again(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { 0, AGAIN_MS * 1000 };

	if (state_text[0] == '\0')
		return;
	if (notify_send(state_text) == 0)
		state_text[0] = '\0';
	else if (again_ev != NULL)
		evtimer_add(again_ev, &soon);
}

/* Sends a change of state, again until it succeeds or a newer one comes. */
static void __attribute__((__format__(printf, 1, 2)))
notify_state(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(state_text, sizeof(state_text), fmt, ap);
	va_end(ap);
	notify_again(-1, 0, NULL);
}

static void
notify_status_text(char *buf, size_t size)
{
	struct stats sum;

	generations_stats(notify_view->all, &sum);
	snprintf(buf, size,
	    "STATUS=generation %u serves: %" PRIu64
	    " connections open, %" PRIu64 " so far; %" PRIu64 " checks",
	    notify_view->cur->number, sum.v[STAT_CONN_OPEN],
	    sum.v[STAT_CONN_MILTER] + sum.v[STAT_CONN_POLICY],
	    sum.v[STAT_CHECK_MILTER] + sum.v[STAT_CHECK_POLICY]);
}

static void
notify_status(evutil_socket_t fd, short what, void *arg)
{
	char text[NOTIFY_MAX];

	if (parent_state(notify_view) != PARENT_SERVING)
		return;
	notify_status_text(text, sizeof(text));
	if (strcmp(text, status_text) == 0 || notify_send(text) == -1)
		return;
	strlcpy(status_text, text, sizeof(status_text));
}

/*
 * That this timer runs shows that the parent's event loop does. The parent
 * itself watches the children (generations_watch()).
 */
static void
notify_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)notify_send("WATCHDOG=1");
}

static void
notify_timer(struct event_base *base, event_callback_fn fn, long long us)
{
	const struct timeval tv = { us / 1000000, us % 1000000 };
	struct event *ev = event_new(base, -1, EV_PERSIST, fn, NULL);

	if (ev == NULL || event_add(ev, &tv) == -1)
		fatalx("notify: no event");
}

void
notify_start(const struct parent_view *view, struct event_base *base)
{
	notify_view = view;
	if (notify_fd == -1)
		return;
	if ((again_ev = evtimer_new(base, notify_again, NULL)) == NULL)
		fatalx("notify: no event");
	notify_timer(base, notify_status, STATUS_SECONDS * 1000000LL);
	if (watchdog_us != 0)
		notify_timer(base, notify_watchdog, watchdog_us / 2);
}

void
notify_ready(void)
{
	if (notify_fd == -1)
		return;
	notify_status_text(status_text, sizeof(status_text));
	notify_state("READY=1\n%s", status_text);
}

/* systemd needs MONOTONIC_USEC for Type=notify-reload. */
void
notify_reloading(void)
{
	if (notify_fd == -1)
		return;
	notify_state("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading",
	    (unsigned long long)clock_usec());
}

void
notify_stopping(void)
{
	if (notify_fd != -1)
		notify_state("STOPPING=1\nSTATUS=connections are finishing");
}
