/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#ifndef UNPRIV_WORKER_SESSION_H
#define UNPRIV_WORKER_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unpriv/worker/conn.h"

/*
 * Between a connection (unpriv/worker/conn.c: octets, timeouts, buffers) and the
 * protocol spoken on it. A session is told of input and never reads or
 * writes itself.
 */
struct session_ops {
	const char *name;	 /* in log lines */
	unsigned int idle;	 /* seconds between commands */
	unsigned int idle_drain; /* the same while draining */
	unsigned int begun;	 /* for the rest of a begun one */
	/* The peer's end of input ends everything, also a running check. */
	int eof_cancels;
	/* NULL on no memory. */
	void *(*start)(struct conn *, struct conn_env *);
	/* Cancels what runs. */
	void (*end)(void *);
	/*
	 * Takes whole units from the front; returns the octets taken, or -1:
	 * close after what was sent so far has left. Takes nothing while
	 * busy. Not called while much is still to be written.
	 */
	ssize_t (*input)(void *, const uint8_t *, size_t);
	/* 1: a check runs; conn_resume() will be called. */
	int (*busy)(void *);
	/* 1: the connection may be closed without loss (drain). */
	int (*idle_now)(void *);
	/* 1: part of a command was taken (the begun timeout runs). */
	int (*partial)(void *);
};

extern const struct session_ops milter_session_ops;
extern const struct session_ops policy_session_ops;

/*
 * For sessions. conn_send() queues; all that one input brought leaves in
 * one write. Its overflow ends the connection.
 */
void conn_send(struct conn *, const void *, size_t);
/* Why input() is about to return -1, for the log. A constant text. */
void conn_fail(struct conn *, const char *);
/* A whole command was taken: the next one has its own time. */
void conn_progress(struct conn *);
/*
 * Goes on if busy() is 0 now; not to be called from inside input(). The conn
 * may be gone afterwards.
 */
void conn_resume(struct conn *);

#endif
