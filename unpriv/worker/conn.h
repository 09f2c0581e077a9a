/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#ifndef UNPRIV_WORKER_CONN_H
#define UNPRIV_WORKER_CONN_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "unpriv/check/check.h"

struct event_base;

/* All connections of a worker share it. */
struct conn_env {
	struct event_base *base;
	const struct conf *conf;
	struct asker *asker;
	unsigned int nconn;			   /* open now */
	unsigned int max;			   /* conf->max_connections */
	int draining;				   /* close when idle */
	void (*closed)(struct conn_env *, void *); /* after each connection */
	void *arg;
};

struct conn;

/*
 * Takes over a connected, non-blocking descriptor (out: the same, or stdout)
 * and starts a session of the program's protocol. 0; or -1 with the descriptors
 * closed: at the cap, or on no memory.
 */
int conn_start(struct conn_env *, enum conf_program, int in, int out);
/* Log once a minute that the cap is reached; that accept() failed (errno). */
void conn_note_cap(void);
void conn_note_accept(void);
/* Closes the idle connections; with draining set, the others end when idle. */
void conn_drain(struct conn_env *);

#endif
