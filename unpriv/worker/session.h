/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; after sandbox_enter(). */

#ifndef UNPRIV_WORKER_SESSION_H
#define UNPRIV_WORKER_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unpriv/worker/conn.h"

/*
 * A connection (conn.c) owns descriptors, buffers and timeouts; a session
 * speaks the protocol. The connection hands input to the session, which never
 * reads or writes a descriptor.
 */
struct session_ops {
	const char *name;	 /* in log lines */
	unsigned int idle;	 /* seconds between commands */
	unsigned int idle_drain; /* the same while draining */
	unsigned int begun;	 /* seconds for the rest of a command */
	/* The end of the peer's input cancels a running check. */
	int eof_cancels;
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
	/* 1: a check runs; conn_resume() will follow. */
	int (*busy)(void *);
	/* 1: the connection may be closed without loss (drain). */
	int (*idle_now)(void *);
	/* 1: part of a command was taken (the begun timeout runs). */
	int (*partial)(void *);
};

extern const struct session_ops milter_session_ops;
extern const struct session_ops policy_session_ops;

/*
 * For sessions. conn_send() queues: all answers to one input leave in one
 * write. Overflow of the queue ends the connection.
 */
void conn_send(struct conn *, const void *, size_t);
/* Counts a protocol error; the constant text says why, for the log. */
void conn_fail(struct conn *, const char *);
/* A whole command was taken: the next one has its own time limit. */
void conn_progress(struct conn *);
/*
 * Continues if busy() is 0 now. May free the conn. Not to be called from
 * inside input().
 */
void conn_resume(struct conn *);

#endif
