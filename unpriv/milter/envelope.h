/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread only, but for envelope_header()). */

#ifndef UNPRIV_MILTER_ENVELOPE_H
#define UNPRIV_MILTER_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/milter.h"
#include "unpriv/check/check.h"
#include "unpriv/judge/judge.h"
#include "unpriv/milter/confirm.h"

/*
 * A milter connection and its message, without the wire. Both front ends pass
 * the commands to it and carry out its decisions, so that they cannot differ.
 */
#define ENVELOPE_AR_MAX	   1000 /* forged fields removed from one message */
#define ENVELOPE_ARGS_MAX  64	/* ESMTP parameters; more are ignored */
#define ENVELOPE_HELO_MAX  1024 /* octets kept; no domain is that long */
#define ENVELOPE_MACRO_MAX 255	/* of a macro's value */
#define ENVELOPE_QUEUE_MAX 64	/* of a queue id */

/* Header fields with results, which a sender may forge. */
enum envelope_field {
	ENVELOPE_FIELD_AR = 0,
	ENVELOPE_FIELD_SPF,
	ENVELOPE_FIELD_MAX
};

/* Why mail is not checked. */
enum envelope_skip {
	ENVELOPE_CHECKED = 0,
	ENVELOPE_SKIP_INTERNAL, /* InternalHosts */
	ENVELOPE_SKIP_MACRO,	/* MacroList */
	ENVELOPE_SKIP_LOCAL,	/* a UNIX socket or an unknown family */
	ENVELOPE_SKIP_ADDRESS,	/* the mail server gave no usable address */
	ENVELOPE_SKIP_AUTH	/* the client logged in */
};

/* A field to remove. */
struct envelope_forged {
	const char *name;
	uint32_t idx; /* among fields of this name, from 1 */
};

struct envelope_message {
	int active;		  /* after MAIL */
	char *buf;		  /* holds sender */
	struct judge_request req; /* a running check uses it */
	char queue_id[ENVELOPE_QUEUE_MAX];
	uint64_t since; /* arrival of MAIL; clock_usec() */
	/* The decision, after envelope_outcome(). */
	enum judge_action action; /* PREPEND, REJECT, DEFER or NOTHING */
	int trusted;		  /* leave result fields in place */
	char *code, *xcode, *text;
	char *name, *value; /* field to insert, folded; or NULL */
	/* The fields seen, and the forged ones among them. */
	uint32_t seen[ENVELOPE_FIELD_MAX];
	struct envelope_forged *forged;
	size_t nforged, forged_size;
	int flood; /* more than ENVELOPE_AR_MAX */
};

struct envelope {
	const struct conf *conf;
	struct asker *asker;
	/* connection */
	char *host;
	char family; /* '4', '6', 'L', 'U'; 0: no CONNECT */
	uint16_t port;
	struct addr addr;
	char addr_text[ADDR_STRLEN];
	char *helo;
	char **macros;		 /* values, as conf->macro_list */
	enum envelope_skip skip; /* for all its mail */
	int trusted;		 /* as envelope_message.trusted, for all */
	struct check_prefetch *prefetch;
	struct confirm *confirm; /* running, for names in InternalHosts */
	char queue_id[ENVELOPE_QUEUE_MAX]; /* of the next message */
	uint64_t since;			   /* arrival of its MAIL */
	void (*decided)(void *);	   /* called when confirm ends */
	void *arg;
	struct envelope_message msg;
};

void envelope_init(struct envelope *, const struct conf *, struct asker *,
    void (*decided)(void *), void *);
/* QUIT_NC: forgets the client. */
void envelope_reset(struct envelope *);
void envelope_free(struct envelope *);

/* Takes a macro of the connect stage; the name with or without braces. */
void envelope_macro(struct envelope *, const char *, const char *);
void envelope_macros_clear(struct envelope *);
/* 1 when the macro says that the client logged in: the value is its name. */
int envelope_is_auth_macro(const char *name, const char *value);

/* Takes the macro "i" of MAIL, for one message; NULL: not sent. */
void envelope_queue_id(struct envelope *, const char *);

/*
 * CONNECT: decides whether the client is internal and logs the connect line.
 * When names must be confirmed first, envelope_undecided() is 1 until decided()
 * is called.
 */
void envelope_connect(struct envelope *, const struct milter_connect *);
int envelope_undecided(const struct envelope *);
void envelope_helo(struct envelope *, const char *);

/* Notes the arrival of MAIL; while undecided, envelope_mail() must wait. */
void envelope_mail_arrived(struct envelope *);
/*
 * MAIL: the address argument, then n ESMTP parameters, and the name of the
 * client's login or NULL. 1: call envelope_check() and pass the outcome to
 * envelope_outcome(); 0: accept the message unchecked.
 */
int envelope_mail(struct envelope *, const char *sender,
    const char *const *args, size_t n, const char *user);
/* check_start() for the message. */
struct check *envelope_check(struct envelope *, check_done_fn, void *);
void envelope_outcome(struct envelope *, const struct judge_outcome *);
/* 1 when MAIL is refused, with msg.code, xcode and text. */
int envelope_refuses(const struct envelope *);
/* A header field of the message. Touches msg only: any thread may call it. */
void envelope_header(struct envelope *, const char *name, const char *value);
/*
 * End of message; actions: those that the mail server agreed to. 0: remove the
 * fields of envelope_next_forged(), then insert the field msg.name, if set, at
 * the top. -1: refuse the message with msg.code, xcode and text.
 */
int envelope_eom(struct envelope *, uint32_t actions);
/*
 * The next forged field to remove, or NULL; the last one first, since mail
 * servers differ in whether removed fields still count. Touches msg only.
 */
const struct envelope_forged *envelope_next_forged(struct envelope *);
/* Ends the message, if there is one. */
void envelope_message_end(struct envelope *);

#endif
