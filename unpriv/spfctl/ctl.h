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

/* Exit statuses of lint, beside those of sysexits(3). */
enum ctl_exit {
	CTL_OK = 0, /* no findings, or notes only */
	CTL_WARNINGS,
	CTL_ERRORS
};

/* What main() prepares, and a command reads. */
struct spfctl {
	struct event_base *base;
	struct conf *conf;
	struct asker *asker;
	struct zonefile *zone;	   /* --zone, or NULL */
	struct opinion *opinion;   /* --second-opinion, or NULL */
	struct ctl_daemon *daemon; /* the control socket, or NULL */
	unsigned int watch;	   /* --watch: seconds; 0: once */
	time_t now;
	enum ctl_form form;
	int color;
	int unicode;	    /* the locale is UTF-8 */
	int progress;	    /* stderr is a terminal: show what it waits for */
	unsigned int width; /* columns; 0: no terminal */
	int policy;	    /* --policy: check as policyd-spf does */
	int dns_gone;	    /* the dns process ended */
	int argc;	    /* the command's own arguments */
	char **argv;
};

/*
 * The commands; each returns the exit status. check: 0 for a verdict,
 * EX_TEMPFAIL for temperror. lint: enum ctl_exit. Both: EX_USAGE for an
 * argument that is no address or name, EX_TEMPFAIL when the DNS did not answer.
 */
int ctl_check(struct spfctl *);
int ctl_lint(struct spfctl *);
int ctl_status(struct spfctl *);
int ctl_stats(struct spfctl *);
int ctl_metrics(struct spfctl *);
int ctl_reload(struct spfctl *);
int ctl_flush(struct spfctl *);
int ctl_log(struct spfctl *);

#endif
