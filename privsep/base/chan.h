/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_CHAN_H
#define PRIVSEP_BASE_CHAN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

/*
 * One end of a SOCK_SEQPACKET pair, on a libevent base. Output is queued up
 * to a bound and never blocks.
 */
struct chan;
struct event_base;

/*
 * A message arrived and passed msg_check(); fd is -1 or now owned by the
 * callee. The payload is valid during the call. The callee may free the chan.
 */
typedef void (*chan_msg_fn)(struct chan *, const struct msg_hdr *,
    const uint8_t *, size_t, int, void *);
/*
 * The peer is gone (why NULL) or broke the rules (why says how). Called
 * once; the callee frees the chan.
 */
typedef void (*chan_gone_fn)(struct chan *, const char *why, void *);

/* Takes over fd; self and peer are the roles at its ends. Never NULL. */
struct chan *chan_new(struct event_base *, int fd, enum msg_role self,
    enum msg_role peer, chan_msg_fn, chan_gone_fn, void *);
void chan_free(struct chan *);
void chan_phase(struct chan *, enum msg_phase);
/*
 * Queues one message; fd is a descriptor to send, or -1. With close_fd, fd is
 * closed once it is sent, or on failure. 0; -1 when the queue is full, there
 * is no memory, or the message breaks the table (which is logged).
 */
int chan_send(struct chan *, enum msg_type, uint32_t peerid, const void *,
    size_t, int fd, int close_fd);
/* Handles all messages that have arrived. The chan may be freed inside. */
void chan_read_rest(struct chan *);
/* Octets queued. */
size_t chan_backlog(const struct chan *);
/* Stops and resumes reading (for a peer whose queue is full). */
void chan_pause(struct chan *, int);
/* Sets what is called when the queue is empty after a failure or a pause. */
void chan_on_empty(struct chan *, void (*)(struct chan *, void *));
int chan_fd(const struct chan *);
/* A CLOEXEC, non-blocking pair. -1 with errno. */
int chan_pair(int[2]);

#endif
