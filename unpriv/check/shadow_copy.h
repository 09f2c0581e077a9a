/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: worker, libmilter (its event thread), policyd-spf, where there is
 * no shadow; on a libevent base. second_fill() also in spfctl.
 */

#ifndef UNPRIV_CHECK_SHADOW_COPY_H
#define UNPRIV_CHECK_SHADOW_COPY_H

#include "proto/msg.h"
#include "proto/shadowmsg.h"
#include "unpriv/judge/judge.h"

/*
 * Second_Opinion: a copy of what was judged goes to the shadow, after the
 * verdict was given. The way there is bounded by its socket: when that is
 * full, or when there is no shadow, the copy is dropped and counted. Nothing
 * comes back.
 */
struct event_base;

/* An encoded copy; len 0: none is due. */
struct second_copy {
	size_t len;
	uint8_t payload[SHADOWMSG_COPY_MAX];
};

/* Takes over a channel end to the shadow, instead of an earlier one. */
void second_connect(struct event_base *, enum msg_role self, int fd);
/*
 * Takes the copy while request and outcome live: one of so many checks as
 * Second_Opinion_Sample says. It is of MAIL FROM, or of HELO when that was
 * the null sender; what has no verdict on that is not copied.
 */
void second_take(struct second_copy *, const struct judge_request *,
    const struct judge_outcome *);
void second_send(const struct second_copy *);
/*
 * One identity of a request as the shadow is to judge it, for those who ask
 * it themselves. 0, or -1 when it cannot be put so.
 */
int second_fill(struct shadow_copy *, const struct judge_request *,
    enum shadow_identity, enum spf_result ours);

#endif
