/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, shadow, spfctl. Pure. */

#ifndef PROTO_SHADOWMSG_H
#define PROTO_SHADOWMSG_H

#include <stdint.h>

#include "proto/addr.h"
#include "proto/wire.h"

/*
 * Results in messages to and from the shadow, with the numbers of enum
 * spf_result, whose names conflict with the headers of libspf2.
 */
enum shadow_result {
	SHADOW_NONE = 0,
	SHADOW_NEUTRAL,
	SHADOW_PASS,
	SHADOW_FAIL,
	SHADOW_SOFTFAIL,
	SHADOW_TEMPERROR,
	SHADOW_PERMERROR,
	SHADOW_RESULTS
};

enum shadow_identity {
	SHADOW_HELO = 1,
	SHADOW_MAILFROM
};

#define SHADOW_TEXT_MAX 1024 /* octets of a HELO name, of a sender */
#define SHADOW_WHY_MAX	512

/* A check and its result. Strings are octets without NUL. */
struct shadow_copy {
	uint8_t want;			/* send a RESULT, log nothing */
	struct addr client;		/* family 4 or 6 */
	uint8_t identity;		/* enum shadow_identity */
	uint8_t result;			/* ours: enum shadow_result */
	char helo[SHADOW_TEXT_MAX + 1]; /* never empty */
	/* empty exactly for SHADOW_HELO */
	char sender[SHADOW_TEXT_MAX + 1];
};

/* The result of libspf2. */
struct shadow_opinion {
	uint8_t result;		      /* enum shadow_result */
	uint8_t cut;		      /* the limit of questions ended it */
	uint16_t questions;	      /* asked */
	char why[SHADOW_WHY_MAX + 1]; /* its explanation */
};

#define SHADOWMSG_COPY_MIN   (1 + 1 + 4 + 1 + 1 + 2 + 1 + 2)
#define SHADOWMSG_COPY_MAX   (1 + 1 + 16 + 1 + 1 + 2 * (2 + SHADOW_TEXT_MAX))
#define SHADOWMSG_RESULT_MIN (1 + 1 + 2 + 2)
#define SHADOWMSG_RESULT_MAX (1 + 1 + 2 + 2 + SHADOW_WHY_MAX)

extern const char *const shadow_result_name[SHADOW_RESULTS]; /* "pass" */

/*
 * The payload of SHADOW_COPY: u8 want, u8 family, 4 or 16 octets, u8 identity,
 * u8 result, blob helo, blob sender. That of SHADOW_RESULT: u8 result, u8 cut,
 * u16 questions, blob why. 0, or -1 when a value is not one that the structs
 * above name, and when octets are left over.
 */
int shadowmsg_put_copy(struct wbuf *, const struct shadow_copy *);
int shadowmsg_get_copy(struct rbuf *, struct shadow_copy *);
int shadowmsg_put_opinion(struct wbuf *, const struct shadow_opinion *);
int shadowmsg_get_opinion(struct rbuf *, struct shadow_opinion *);

#endif
