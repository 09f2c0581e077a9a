/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; pure. */

#ifndef UNPRIV_WORKER_INSTANCE_H
#define UNPRIV_WORKER_INSTANCE_H

/*
 * What a policy session remembers of messages by their "instance" attribute
 * (COMPAT "instance"), so that a message with many recipients is judged once
 * and gets one header field. Names are compared octet by octet; beyond
 * INSTANCE_MAX the oldest is forgotten.
 */
#define INSTANCE_MAX	 1000
#define INSTANCE_NAMELEN 255 /* longer ones are not remembered */

enum instance_kind {
	INSTANCE_NONE = 0, /* recipients are still judged */
	INSTANCE_DUNNO,	   /* later recipients are answered dunno */
	INSTANCE_REPLY	   /* later recipients get the same reply */
};

/* What holds for all recipients without settings of their own. */
struct instance_outcome {
	enum instance_kind kind;
	int action;	   /* INSTANCE_REPLY: the caller's code for it */
	const char *reply; /* INSTANCE_REPLY; else NULL */
};

struct instances;

/* NULL on no memory. Every function takes NULL and then does nothing. */
struct instances *instances_new(void);
void instances_free(struct instances *);
/* What is remembered; kind INSTANCE_NONE for a NULL name. */
struct instance_outcome instances_get(struct instances *, const char *name);
/* Replaces what is remembered. Without memory nothing is. */
void instances_put(struct instances *, const char *name,
    const struct instance_outcome *);
/*
 * The message got its header field, from whichever recipient (COMPAT
 * "one-header"). instances_put() does not change that.
 */
void instances_set_header(struct instances *, const char *name);
int instances_has_header(struct instances *, const char *name);

#endif
