/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process, as the last step of its start. */

#include <string.h>

#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role_table.h"

_Static_assert(CONF_SERVERS_MAX < SANDBOX_PORTS,
    "a port for each name server, and 53");

void
confine_args(struct sandbox_args *sb, enum sandbox_role role,
    const struct conf *conf)
{
	size_t i;

	memset(sb, 0, sizeof(*sb));
	sb->partial = conf->sandbox == CONF_SANDBOX_PARTIAL;
	sb->log_fd = log_fd();
	sb->exe_fd = -1;
	sb->nofile = role_nofile(&role_rows[role], conf);
	for (i = 0; i < conf->nameservers.n && i < CONF_SERVERS_MAX; i++)
		sb->dns_ports[sb->ndns_ports++] = conf->nameservers.v[i].port;
}

void
confine_enter(enum sandbox_role role, const struct conf *conf)
{
	struct sandbox_args sb;

	confine_args(&sb, role, conf);
	sandbox_enter(role, &sb);
}
