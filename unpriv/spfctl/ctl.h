/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; main() fills it before sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_CTL_H
#define UNPRIV_SPFCTL_CTL_H

#include <time.h>

#include "conf/conf.h"

struct asker;
struct ctl_daemon;
struct opinion;
struct event_base;
struct zonefile;

enum ctl_form {
	CTL_TEXT = 0,
	CTL_JSON,
	CTL_DOT
};

/* Exit statuses: sysexits(3) where there is one. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_WARNINGS = 1, /* lint */
	CTL_ERRORS = 2	  /* lint */
};

/* What main() prepares, and a command reads. */
struct ctl {
	struct event_base *base;
	struct conf *conf;
	struct asker *asker;
	struct zonefile *zone;	   /* --zone, or NULL */
	struct opinion *opinion;   /* --second-opinion, or NULL */
	struct ctl_daemon *daemon; /* its control socket, or NULL */
	unsigned int watch;	   /* --watch: seconds; 0: once */
	time_t now;
	enum ctl_form form;
	int color;
	int unicode;	    /* the locale is UTF-8 */
	int progress;	    /* show waiting: stderr is a terminal */
	unsigned int width; /* columns; 0: no terminal */
	int policy;	    /* --policy: judge as policyd-spf does */
	int dns_gone;	    /* the dns process ended */
	int argc;	    /* the command's own arguments */
	char **argv;
};

#endif
