/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; pure. */

#ifndef UNPRIV_WORKER_INSTANCE_H
#define UNPRIV_WORKER_INSTANCE_H

/*
 * What a policy session remembers of messages by their "instance" attribute
 * (COMPAT "instance"), so that one with many recipients is judged
 * once and gets one header. Names are compared octet by octet; the oldest
 * of INSTANCE_MAX is forgotten first.
 */
#define INSTANCE_MAX	 1000
#define INSTANCE_NAMELEN 255 /* longer ones are not remembered */

enum instance_kind {
	INSTANCE_NONE = 0, /* recipients are still judged */
	INSTANCE_DUNNO,	   /* later recipients: nothing to do */
	INSTANCE_REPLY	   /* the same reply and log text again */
};

/* What holds for all recipients without settings of their own. */
struct instance_outcome {
	enum instance_kind kind;
	int action;		 /* the caller's, for INSTANCE_REPLY */
	const char *reply, *log; /* likewise; else NULL */
};

struct instances;

/* NULL on no memory; also every function takes NULL and does nothing. */
struct instances *instances_new(void);
void instances_free(struct instances *);
/* What is known; kind INSTANCE_NONE for a NULL name. */
struct instance_outcome instances_get(struct instances *, const char *name);
/* Remembers, replacing what was known. Forgets quietly on no memory. */
void instances_put(struct instances *, const char *name,
    const struct instance_outcome *);
/*
 * Some recipient brought the message a header, be it one with settings of
 * its own (COMPAT "one-header"). Stays through instances_put().
 */
void instances_set_header(struct instances *, const char *name);
int instances_has_header(struct instances *, const char *name);

#endif
