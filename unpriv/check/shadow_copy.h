/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: worker, libmilter (its event thread), policyd-spf (which has no
 * shadow); on a libevent base. shadow_copy_fill() also in spfctl.
 */

#ifndef UNPRIV_CHECK_SHADOW_COPY_H
#define UNPRIV_CHECK_SHADOW_COPY_H

#include "proto/msg.h"
#include "proto/shadowmsg.h"
#include "unpriv/judge/judge.h"

/*
 * Second_Opinion: after a verdict, a copy of the request goes to the shadow.
 * A copy is dropped and counted when the socket to the shadow is full or there
 * is no shadow. The shadow sends nothing back. A process has one shadow.
 */
struct event_base;

/* A copy as MSG_SHADOW_COPY; len 0: none is due. */
struct shadow_copy_msg {
	size_t len;
	uint8_t payload[SHADOWMSG_COPY_MAX];
};

/* Takes over a channel end to the shadow, in place of an earlier one. */
void shadow_copy_connect(struct event_base *, enum msg_role self, int fd);
/*
 * Makes the copy of a check's MAIL FROM identity, or of HELO when the sender
 * is the null sender. len is 0 when that identity has no verdict, when
 * Second_Opinion_Sample skips this check, or when it is off.
 */
void shadow_copy_take(struct shadow_copy_msg *, const struct judge_request *,
    const struct judge_outcome *);
/* Call it after the answer was given: mail never waits on the shadow. */
void shadow_copy_send(const struct shadow_copy_msg *);
/*
 * Fills a copy for one identity of a request; want is 0. ours is our verdict
 * on it. 0, or -1 when there is no client address or a name is too long.
 */
int shadow_copy_fill(struct shadow_copy *, const struct judge_request *,
    enum shadow_identity, enum spf_result ours);

#endif
