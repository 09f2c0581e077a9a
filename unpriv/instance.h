/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; pure. */

#ifndef UNPRIV_INSTANCE_H
#define UNPRIV_INSTANCE_H

/*
 * What a policy session remembers of messages by their "instance" attribute
 * (COMPAT "instance", SPEC 2.9), so that one with many recipients is judged
 * once and gets one header. Names are compared octet by octet; the oldest
 * of INSTANCE_MAX is forgotten first.
 */
#define INSTANCE_MAX	1000
#define INSTANCE_NAMELEN 255	/* longer ones are not remembered */

enum instance_kind {
	INSTANCE_NONE = 0,
	INSTANCE_PREPENDED,	/* later recipients: nothing to do */
	INSTANCE_REPLY		/* the same reply and log text again */
};

struct instances;

/* NULL on no memory; also every function takes NULL and does nothing. */
struct instances *instances_new(void);
void	instances_free(struct instances *);
/* What is known; reply and log are set for INSTANCE_REPLY. NULL name: none. */
enum instance_kind instances_get(struct instances *, const char *name,
	    const char **reply, const char **log);
/* Remembers, replacing what was known. Forgets quietly on no memory. */
void	instances_put(struct instances *, const char *name,
	    enum instance_kind, const char *reply, const char *log);

#endif
