/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf. No system calls but for memory. */

#ifndef UNPRIV_WORKER_INSTANCE_H
#define UNPRIV_WORKER_INSTANCE_H

/*
 * A policy session remembers messages by their "instance" attribute (COMPAT
 * "instance"), so that a message with many recipients is judged once and gets
 * one header field. Names are compared octet by octet; beyond INSTANCE_MAX the
 * oldest is forgotten.
 */
#define INSTANCE_MAX	 1000
#define INSTANCE_NAMELEN 255 /* longer ones are not remembered */

enum instance_kind {
	INSTANCE_NONE = 0, /* later recipients are judged */
	INSTANCE_DUNNO,	   /* later recipients are answered dunno */
	INSTANCE_REPLY	   /* later recipients get the same reply */
};

/* The outcome for recipients without settings of their own. */
struct instance_outcome {
	enum instance_kind kind;
	int action;	   /* INSTANCE_REPLY: the caller's code */
	const char *reply; /* INSTANCE_REPLY; else NULL */
};

struct instances;

/* NULL on no memory. The other functions take NULL and then do nothing. */
struct instances *instances_new(void);
void instances_free(struct instances *);
/* The remembered outcome; kind INSTANCE_NONE when there is none. */
struct instance_outcome instances_get(struct instances *, const char *name);
/* Replaces the outcome. Remembers nothing on no memory. */
void instances_put(struct instances *, const char *name,
    const struct instance_outcome *);
/*
 * Notes that the message got its header field, for any recipient (COMPAT
 * "one-header"). instances_put() does not change that.
 */
void instances_set_header(struct instances *, const char *name);
int instances_has_header(struct instances *, const char *name);

#endif
