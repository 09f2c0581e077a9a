/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Data about the processes; no system calls. */

#include "privsep/child/role_table.h"

#define MILTER	  ROLE_LISTENER_MILTER
#define POLICY	  ROLE_LISTENER_POLICY
#define NATIVE	  FRONTEND_NATIVE
#define LIBMILTER FRONTEND_LIBMILTER

/* A generation starts its children in this order: dns before its clients. */
/* clang-format off */
const struct role_row role_rows[SANDBOX_MAX] = {
	[SANDBOX_PARENT] = { .name = "parent", .role = ROLE_PARENT },
	[SANDBOX_DNS] = { .name = "dns", .role = ROLE_DNS,
	    .number = ROLE_NUMBER_ONE, .essential = 1, .watched = 1,
	    .dns = ROLE_SERVER,
	    .nofile = 4288 },	/* 4096 questions, 32 TCP, 160 others */
	[SANDBOX_WORKER] = { .name = "worker", .role = ROLE_WORKER,
	    .number = ROLE_NUMBER_WORKERS, .essential = 1, .watched = 1,
	    .listeners = { [NATIVE] = MILTER | POLICY, [LIBMILTER] = POLICY },
	    .dns = ROLE_CLIENT, .questions = 2048, .copies = ROLE_CLIENT,
	    .nofile = 64, .nofile_conn = 1 },
	/* twice: sessions above the limit are accepted, then refused */
	[SANDBOX_LIBMILTER] = { .name = "libmilter", .role = ROLE_LIBMILTER,
	    .number = ROLE_NUMBER_WORKERS, .essential = 1, .watched = 1,
	    .listeners = { [LIBMILTER] = MILTER },
	    .dns = ROLE_CLIENT, .questions = 2048, .copies = ROLE_CLIENT,
	    .nofile = 64, .nofile_conn = 2 },
	[SANDBOX_SHADOW] = { .name = "shadow", .role = ROLE_SHADOW,
	    .number = ROLE_NUMBER_SECOND_OPINION,
	    .dns = ROLE_CLIENT, .questions = 128, .copies = ROLE_SERVER,
	    .nofile = 512 },
	/* these two start a dns process of their own */
	[SANDBOX_POLICYD] = { .name = "policyd-spf", .role = ROLE_WORKER,
	    .dns = ROLE_CLIENT, .questions = 2048, .nofile = 64 },
	[SANDBOX_CTL] = { .name = "spfctl", .role = ROLE_CONTROL,
	    .dns = ROLE_CLIENT, .questions = 2048, .copies = ROLE_CLIENT,
	    .nofile = 64 },
};
/* clang-format on */

const struct role_row *
role_find(enum msg_role role)
{
	size_t i;

	for (i = SANDBOX_NONE + 1; i < SANDBOX_MAX; i++)
		if (role_rows[i].role == role)
			return &role_rows[i];
	return &role_rows[SANDBOX_NONE];
}

int
role_takes_mail(const struct role_row *row)
{
	return (row->listeners[NATIVE] | row->listeners[LIBMILTER]) != 0;
}

unsigned int
role_listeners(const struct role_row *row, const struct conf *conf,
    unsigned int open)
{
	return row->listeners[conf->milter_frontend] & open;
}

int
role_processes(const struct role_row *row, const struct conf *conf,
    unsigned int open)
{
	switch (row->number) {
	case ROLE_NUMBER_ONE:
		return 1;
	case ROLE_NUMBER_WORKERS:
		return role_listeners(row, conf, open) != 0 ? conf->workers : 0;
	case ROLE_NUMBER_SECOND_OPINION:
		return conf->second_opinion != 0;
	default:
		return 0;
	}
}

unsigned long
role_nofile(const struct role_row *row, const struct conf *conf)
{
	return row->nofile +
	    row->nofile_conn * (unsigned long)conf->max_connections;
}

static int
role_serves(enum role_side server, enum role_side client)
{
	return server == ROLE_SERVER && client == ROLE_CLIENT;
}

enum role_link
role_link_to(enum msg_role self, enum msg_role peer)
{
	const struct role_row *s = role_find(self), *p = role_find(peer);

	if (role_serves(p->dns, s->dns))
		return ROLE_LINK_DNS;
	if (role_serves(p->copies, s->copies))
		return ROLE_LINK_COPIES;
	if (role_serves(s->dns, p->dns) || role_serves(s->copies, p->copies))
		return ROLE_LINK_CLIENT;
	return ROLE_LINK_NONE;
}
