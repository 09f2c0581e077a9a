/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (its event thread), policyd-spf, spfctl. */

#ifndef UNPRIV_CHECK_SHADOW_COPY_H
#define UNPRIV_CHECK_SHADOW_COPY_H

#include "proto/msg.h"
#include "proto/shadowmsg.h"
#include "unpriv/judge/judge.h"

/*
 * Second_Opinion: sends a copy of the request to the shadow after a verdict, or
 * drops and counts it when the socket to the shadow is full or there is none.
 * The shadow sends nothing back. policyd-spf has no shadow; spfctl sends its
 * copies by spfctl/opinion.h.
 */
struct event_base;

/* The payload of MSG_SHADOW_COPY; len 0: send nothing. */
struct shadow_copy_msg {
	size_t len;
	uint8_t payload[SHADOWMSG_COPY_MAX];
};

/* Takes over a channel end to the shadow, which replaces an earlier one. */
void shadow_copy_connect(struct event_base *, enum msg_role self, int fd);
/*
 * Copies a check's MAIL FROM identity, or HELO for the null sender. len is 0
 * when that identity has no verdict, when Second_Opinion_Sample skips this
 * check, or when Second_Opinion is off.
 */
void shadow_copy_take(struct shadow_copy_msg *, const struct judge_request *,
    const struct judge_outcome *);
/* Call it after the answer to the mail server, which must not wait for it. */
void shadow_copy_send(const struct shadow_copy_msg *);
/*
 * Fills a copy for one identity of a request and its result; want is 0.
 * 0, or -1 when there is no client address or a name is too long.
 */
int shadow_copy_fill(struct shadow_copy *, const struct judge_request *,
    enum shadow_identity, enum spf_result);

#endif
