/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_CTL_H
#define UNPRIV_SPFCTL_CTL_H

#include <stdio.h>
#include <time.h>

#include "conf/conf.h"
#include "unpriv/spf/answers.h"
#include "unpriv/spf/spf.h"

struct asker;
struct ctl_daemon;
struct second_check;
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

/* What main() has made ready before the sandbox. */
struct ctl {
	struct event_base *base;
	struct conf *conf;
	struct asker *asker;
	struct zonefile *zone;	     /* --zone, or NULL */
	struct second_check *second; /* --second-opinion, or NULL */
	struct ctl_daemon *daemon;   /* its control socket, or NULL */
	unsigned int watch;	     /* seconds between lines; 0: once */
	time_t now;
	enum ctl_form form;
	int color;
	int unicode;	    /* the terminal's locale is UTF-8 */
	int progress;	    /* stderr is a terminal */
	unsigned int width; /* columns; 0: no terminal */
	int policy;	    /* speak as policyd-spf */
	int dns_gone;
	int argc; /* the command's own arguments */
	char **argv;
};

/* ---- ctl_text.c ---- */

enum ctl_color {
	CTL_C_NONE = 0, /* back to normal */
	CTL_C_BOLD,
	CTL_C_DIM,
	CTL_C_GOOD,
	CTL_C_WARN,
	CTL_C_BAD
};

/* Whatever came from outside goes to the terminal through these. */
void ctl_put(FILE *, const char *, size_t);
void ctl_puts(FILE *, const char *);
/* At most max octets of it, then "... (N octets)". */
void ctl_put_short(FILE *, const char *, size_t, size_t max);
void ctl_set_color(const struct ctl *, FILE *, enum ctl_color);
enum ctl_color ctl_result_color(enum spf_result);
/*
 * A record's data as text, not escaped: an address, a name, "10 name", the
 * octets of a TXT. buf is for what has no text of its own. Returns where it
 * is, *len octets.
 */
const char *ctl_rr_text(uint16_t type, const struct dns_rr *, char buf[300],
    size_t *len);

/* ---- ctl_ask.c ---- */

/* One run over the answers: 1 when something is missing, 0 at the end. */
typedef int (*ctl_run_fn)(struct answers *, int elapsed, void *);

/*
 * Runs fn until it is done, asking what it missed: of the zone file, then of
 * dns. Gives up after so many seconds: what is missing then has the status
 * DNS_TIMEOUT. elapsed is in seconds. 0; -1 when dns is gone.
 */
int ctl_ask_run(struct ctl *, struct answers *, unsigned int seconds,
    ctl_run_fn, void *);
/* "zone", "cache" or "dns": where an answer came from. */
const char *ctl_ask_source(const struct ctl *, const struct question *);

#endif
