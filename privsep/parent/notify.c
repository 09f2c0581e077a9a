/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, before and after the drop; hears nothing. */

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
#include "privsep/parent/parent.h"

#define NOTIFY_MAX     512
#define STATUS_SECONDS 10
#define AGAIN_MS       200 /* when the manager's queue is full */

static int notify_fd = -1;
static struct sockaddr_un notify_sun;
static socklen_t notify_len;	     /* 0: connected */
static long long watchdog_us;	     /* 0: none */
static int watchdog_silent;	     /* said so already */
static char state_text[NOTIFY_MAX];  /* not sent yet; "": nothing */
static char status_text[NOTIFY_MAX]; /* sent last */
static struct event *again_ev, *status_ev, *watchdog_ev;

static int
notify_address(const char *path)
{
	size_t len = strlen(path);

	notify_sun.sun_family = AF_UNIX;
	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(notify_sun.sun_path)) {
		log_warnx("NOTIFY_SOCKET %s: only paths and @names are known; "
			  "the service manager is told nothing",
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
 * Landlock's scope lets nobody reach an abstract name from inside, except
 * over a socket that was connected before; a path is looked up each time,
 * so that a manager which made its socket anew is found again.
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

/* 0 sent, or nobody to tell; -1 the queue is full just now. */
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
	log_warn("cannot tell the service manager");
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

/* A change of state must arrive: it waits for room, newest wins. */
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
notify_status_text(struct parent *p, char *buf, size_t size)
{
	struct stats sum;

	parent_stats(p, &sum);
	snprintf(buf, size,
	    "STATUS=generation %u serves: %" PRIu64
	    " connections open, %" PRIu64 " so far; %" PRIu64 " checks",
	    p->cur->number, sum.v[STAT_CONN_OPEN],
	    sum.v[STAT_CONN_MILTER] + sum.v[STAT_CONN_POLICY],
	    sum.v[STAT_CHECK_MILTER] + sum.v[STAT_CHECK_POLICY]);
}

static void
notify_status(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;
	char text[NOTIFY_MAX];

	if (p->cur == NULL || p->next != NULL || p->stopping)
		return;
	notify_status_text(p, text, sizeof(text));
	if (strcmp(text, status_text) == 0 || notify_send(text) == -1)
		return;
	strlcpy(status_text, text, sizeof(status_text));
}

/*
 * Our being here says that the parent's loop turns; gen_answers() that the
 * children's loops do. A manager that hears nothing starts all of us anew.
 */
static void
notify_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	if (p->stopping || (p->cur != NULL && gen_answers(p->cur))) {
		(void)notify_send("WATCHDOG=1");
		watchdog_silent = 0;
	} else if (p->cur != NULL && !watchdog_silent) {
		log_warnx("children do not answer: no word to the watchdog");
		watchdog_silent = 1;
	}
}

static struct event *
notify_timer(struct parent *p, event_callback_fn fn, long long us)
{
	struct timeval tv;
	struct event *ev;

	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	ev = event_new(p->base, -1, EV_PERSIST, fn, p);
	if (ev == NULL || event_add(ev, &tv) == -1)
		fatalx("notify: no event");
	return ev;
}

void
notify_start(struct parent *p)
{
	if (notify_fd == -1)
		return;
	if ((again_ev = evtimer_new(p->base, notify_again, NULL)) == NULL)
		fatalx("notify: no event");
	status_ev = notify_timer(p, notify_status, STATUS_SECONDS * 1000000LL);
	if (watchdog_us != 0)
		watchdog_ev = notify_timer(p, notify_watchdog, watchdog_us / 2);
}

void
notify_ready(struct parent *p)
{
	if (notify_fd == -1)
		return;
	notify_status_text(p, status_text, sizeof(status_text));
	notify_state("READY=1\n%s", status_text);
}

/* MONOTONIC_USEC is what Type=notify-reload compares. */
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
