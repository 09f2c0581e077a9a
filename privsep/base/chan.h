/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. */

#ifndef PRIVSEP_BASE_CHAN_H
#define PRIVSEP_BASE_CHAN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/msg.h"

/*
 * One end of a SOCK_SEQPACKET pair, on a libevent base. Sending never blocks:
 * output is queued, up to a limit.
 */
struct chan;
struct event_base;

/*
 * Receives a message that passed msg_check(). The payload is valid during the
 * call. The callee owns the descriptor (or -1), and may free the chan.
 */
typedef void (*chan_msg_fn)(struct chan *, const struct msg_hdr *,
    const uint8_t *, size_t, int, void *);
/*
 * Called once, when the peer closed the channel (why NULL) or broke the message
 * rules (why says how). The callee frees the chan.
 */
typedef void (*chan_gone_fn)(struct chan *, const char *why, void *);

/* Takes over fd; self and peer are the roles at its ends. Exits on error. */
struct chan *chan_new(struct event_base *, int fd, enum msg_role self,
    enum msg_role peer, chan_msg_fn, chan_gone_fn, void *);
void chan_free(struct chan *);
/* Limits what the peer may send to the messages of this phase. */
void chan_phase(struct chan *, enum msg_phase);
/*
 * Sends or queues one message, with fd unless that is -1. If close_fd is set,
 * closes fd once the message is sent, and on error. 0; -1 if the queue is full
 * or the message breaks the rules (which is logged).
 */
int chan_send(struct chan *, enum msg_type, uint32_t peerid, const void *,
    size_t, int fd, int close_fd);
/* The same for a payload of one u32, and a copy of fd unless that is -1. */
int chan_send_u32(struct chan *, enum msg_type, uint32_t, int fd);
/* Handles all messages that have arrived. The chan may be freed inside. */
void chan_read_rest(struct chan *);
/* Octets queued. */
size_t chan_backlog(const struct chan *);
/* Stops (1) and resumes (0) reading, for a peer that reads no answers. */
void chan_pause(struct chan *, int);
/* Calls the function when the queue is empty after a pause or a full queue. */
void chan_on_drained(struct chan *, void (*)(struct chan *, void *));
int chan_fd(const struct chan *);
/* A CLOEXEC, non-blocking pair. -1 with errno. */
int chan_pair(int[2]);

#endif
