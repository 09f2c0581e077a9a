/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Data about the processes; no system calls. */

#ifndef PRIVSEP_CHILD_ROLE_TABLE_H
#define PRIVSEP_CHILD_ROLE_TABLE_H

#include "conf/conf.h"
#include "privsep/sandbox/sandbox.h"
#include "proto/msg.h"

/* The listeners that a process serves; also the payload of LISTENER. */
#define ROLE_LISTENER_MILTER 1U
#define ROLE_LISTENER_POLICY 2U

/* How many processes of a role a generation has. */
enum role_number {
	ROLE_NUMBER_NONE = 0, /* not a child of the parent */
	ROLE_NUMBER_ONE,
	ROLE_NUMBER_WORKERS,	   /* Workers, or 0 with no open listener */
	ROLE_NUMBER_SECOND_OPINION /* one if Second_Opinion is set */
};

/* The side that a process has in an exchange between two children. */
enum role_side {
	ROLE_SIDE_NONE = 0,
	ROLE_CLIENT, /* asks dns; sends copies of judged messages */
	ROLE_SERVER  /* answers as dns; takes copies */
};

/* What a channel to another child is for. */
enum role_link {
	ROLE_LINK_NONE = 0, /* these two have no channel */
	ROLE_LINK_DNS,	    /* this process asks the peer */
	ROLE_LINK_COPIES,   /* this process sends copies to the peer */
	ROLE_LINK_CLIENT    /* the peer asks, or sends copies */
};

/*
 * One row per process. Its sandbox and rlimits are the row of the same index
 * in sandbox_table.c, its messages are in proto/msg.h, and the programs that
 * may run it name its main (struct spawn_role). privsep/README has the same
 * table; a test compares them.
 */
struct role_row {
	const char *name;
	/* on channels; spfctl is also worker to its dns, dns to its shadow */
	enum msg_role role;
	enum role_number number;
	/*
	 * Mail needs it: a generation is ready only with it, and fails when
	 * it ends during the start. Others are killed at the end of its drain.
	 */
	int essential;
	int watched; /* the parent ends one that does not answer PING */
	/* ROLE_LISTENER_ bits for each Milter_Frontend; all 0: no mail */
	unsigned int listeners[FRONTEND_LIBMILTER + 1];
	enum role_side dns, copies;
	unsigned int questions; /* in flight at dns, for each client */
	/* RLIMIT_NOFILE: nofile + nofile_conn * Max_Connections; 0: as is */
	unsigned int nofile, nofile_conn;
};

/* Indexed by enum sandbox_role; [SANDBOX_NONE] is empty. */
extern const struct role_row role_rows[SANDBOX_MAX];

/* The row of a role; [SANDBOX_NONE] when there is none. */
const struct role_row *role_find(enum msg_role);
int role_takes_mail(const struct role_row *);
/* The open listeners (bits) that the role serves by this configuration. */
unsigned int role_listeners(const struct role_row *, const struct conf *,
    unsigned int open);
/* How many children of this role a generation has; open as above. */
int role_processes(const struct role_row *, const struct conf *,
    unsigned int open);
/* RLIMIT_NOFILE; 0: unchanged. */
unsigned long role_nofile(const struct role_row *, const struct conf *);
/* What a channel to peer is for, as self sees it. */
enum role_link role_link_to(enum msg_role self, enum msg_role peer);

#endif
