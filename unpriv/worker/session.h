/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#ifndef UNPRIV_WORKER_SESSION_H
#define UNPRIV_WORKER_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/stats.h"
#include "unpriv/worker/conn.h"

/*
 * A connection (conn.c) owns descriptors, buffers and timeouts; a session
 * speaks the protocol. The connection passes its input to the session, which
 * never reads or writes a descriptor.
 */
#define SESSION_BUSY	0x1 /* a check runs; conn_resume() will follow */
#define SESSION_IDLE	0x2 /* draining may close the connection without loss */
#define SESSION_PARTIAL 0x4 /* it holds part of a command */

struct session_ops {
	const char *name;	     /* in log lines */
	enum stat_id opened, errors; /* counters */
	unsigned int idle;	     /* seconds between commands */
	unsigned int idle_drain;     /* the same while draining */
	unsigned int begun;	     /* seconds for the rest of a command */
	int eof_cancels; /* the end of the input cancels a running check */
	/* NULL on no memory. */
	void *(*start)(struct conn *, struct conn_env *);
	/* Cancels a running check and frees the session. */
	void (*end)(void *);
	/*
	 * Takes whole units from the front; returns the octets taken, or -1
	 * to close once the answers so far are written. Not called while busy
	 * or while many answers are unread.
	 */
	ssize_t (*input)(void *, const uint8_t *, size_t);
	unsigned int (*state)(const void *); /* SESSION_* */
};

extern const struct session_ops milter_session_ops;
extern const struct session_ops policy_session_ops;

/*
 * For sessions. conn_send() queues what input() and each finished check send,
 * and then writes it at once. Overflow of the queue ends the connection.
 */
void conn_send(struct conn *, const void *, size_t);
/* Counts a protocol error and closes, with a constant to log. Returns -1. */
int conn_fail(struct conn *, const char *why);
/* Ends the time limit of a command, which the session took whole. */
void conn_progress(struct conn *);
/* Continues unless busy; may free the conn. Not to be called inside input(). */
void conn_resume(struct conn *);

#endif
