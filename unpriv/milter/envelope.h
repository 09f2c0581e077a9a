/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread only, but for core_header()). */

#ifndef UNPRIV_MILTER_ENVELOPE_H
#define UNPRIV_MILTER_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf.h"
#include "proto/addr.h"
#include "proto/milter.h"
#include "unpriv/check/check.h"
#include "unpriv/judge/judge.h"
#include "unpriv/milter/confirm.h"

/*
 * A milter connection and its message without the wire: both front ends
 * bring the same facts here and carry out what comes back, so that they
 * cannot differ.
 */
#define CORE_AR_MAX    1000 /* forged fields removed from one message */
#define CORE_HELO_MAX  1024 /* octets kept; no domain is that long */
#define CORE_MACRO_MAX 255  /* of a macro's value */
#define CORE_QUEUE_MAX 64   /* of a queue id */

/*
 * Header fields that tell of results: what a sender puts in must not be
 * taken for ours behind us. core_field_name names them.
 */
enum core_field {
	CORE_FIELD_AR = 0,
	CORE_FIELD_SPF,
	CORE_FIELD_MAX
};
extern const char *const core_field_name[CORE_FIELD_MAX];

struct core_message {
	int active;		  /* MAIL was taken */
	char *buf;		  /* holds sender */
	struct judge_request req; /* alive while a check runs */
	char queue_id[CORE_QUEUE_MAX];
	struct timespec since; /* MAIL came */
	/* What is to be done, after core_outcome(). */
	enum judge_action action; /* PREPEND, REJECT, DEFER or NOTHING */
	int trusted;		  /* its own fields are left alone */
	char *code, *xcode, *text;
	char *name, *value; /* field to insert, folded; or NULL */
	/* fields of these names seen, and those that are forged */
	uint32_t seen[CORE_FIELD_MAX];
	struct core_forged {
		enum core_field field;
		uint32_t idx; /* among its name, from 1 */
	} * own;
	size_t nown, own_size;
	int flood; /* more than CORE_AR_MAX */
};

struct core {
	const struct conf *conf;
	struct asker *asker;
	/* connection */
	char *host;
	char family; /* '4', '6', 'L', 'U'; 0: no CONNECT */
	uint16_t port;
	struct addr addr;
	char addr_text[ADDR_STRLEN];
	char *helo;
	char **macros;	       /* values, as conf->macro_list */
	const char *unchecked; /* why mail of it is not checked */
	int trusted;	       /* and its header is left alone */
	struct check_prefetch *prefetch;
	struct confirm *confirm;       /* names of InternalHosts: running */
	char queue_id[CORE_QUEUE_MAX]; /* of the next message */
	struct timespec since;	       /* its MAIL came */
	void (*decided)(void *);       /* confirm ended */
	void *arg;
	struct core_message msg;
};

void core_init(struct core *, const struct conf *, struct asker *,
    void (*decided)(void *), void *);
/* Forgets the client; for QUIT_NC and the end. */
void core_reset(struct core *);
void core_free(struct core *);

/* A macro of the connect stage; the name with or without braces. */
void core_macro(struct core *, const char *, const char *);
void core_macros_clear(struct core *);
/* 1 when the macro tells that the client logged in. */
int core_is_auth_macro(const char *name, const char *value);

/* The macro "i" of the stage of MAIL; NULL: not told. For one message. */
void core_queue_id(struct core *, const char *);

/*
 * CONNECT. Decides who is internal and logs the connect line; when names
 * have to be confirmed first, core_undecided() is 1 until decided().
 */
void core_connect(struct core *, const struct milter_connect *);
int core_undecided(const struct core *);
void core_helo(struct core *, const char *);

/* MAIL came; core_mail() may have to wait. */
void core_mail_came(struct core *);
/*
 * MAIL: the address argument, then n ESMTP parameters. Returns 1 when
 * core->msg.req is to be checked and core_outcome() told; 0 when there is
 * nothing to check.
 */
int core_mail(struct core *, const char *sender, const char *const *args,
    size_t n, int authenticated);
void core_outcome(struct core *, const struct judge_outcome *);
/* A header field of the message. Touches core->msg only. */
void core_header(struct core *, const char *name, const char *value);
/* Seconds that the check of a message may take. */
int core_seconds(const struct core *);
/*
 * End of message: what is left to do is in msg.own (to be deleted from the
 * last to the first, before the insertion) and msg.name. actions: what the
 * MTA agreed to. Returns 0, or -1 when the message is to be refused with
 * msg.code, xcode and text.
 */
int core_eom(struct core *, uint32_t actions);
/* The message is over or never was. */
void core_message_end(struct core *);

#endif
