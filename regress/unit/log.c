/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: regress. What of another process' priorities is believed. */

#include "privsep/base/log.h"
#include "regress/unit/check.h"

int
main(void)
{
	static const struct {
		const char *name;
		uint32_t from;
		int to;
	} v[] = {
		{ "log/info", LOG_INFO, LOG_INFO },
		{ "log/critical", LOG_CRIT, LOG_CRIT },
		{ "log/flags", LOG_INFO | LOG_CLEAN | LOG_POLICY,
		    LOG_INFO | LOG_CLEAN | LOG_POLICY },
		{ "log/no-such-level", 8, LOG_INFO },
		{ "log/a-facility", LOG_KERN | LOG_AUTHPRIV, LOG_INFO },
		{ "log/all-bits", UINT32_MAX, LOG_INFO | LOG_FLAGS },
		/* syslogd writes these to every terminal there is */
		{ "log/emergency", LOG_EMERG, LOG_CRIT },
		{ "log/alert", LOG_ALERT | LOG_CLEAN, LOG_CRIT | LOG_CLEAN },
	};
	size_t i;
	int pri;

	for (i = 0; i < NITEMS(v); i++) {
		pri = log_priority(v[i].from);
		check_int(v[i].name, pri, v[i].to);
	}
	return check_exit();
}
