/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. What a policy session remembers of messages. */

#include <stdio.h>
#include <string.h>

#include "../../unpriv/instance.h"
#include "check.h"

int
main(void)
{
	struct instances *t = instances_new();
	const char *reply, *log;
	char name[300];
	int i;

	check("unknown", instances_get(t, "a", &reply, &log) == INSTANCE_NONE);
	instances_put(t, "a", INSTANCE_REPLY, "550 x", "l");
	check("reply", instances_get(t, "a", &reply, &log) == INSTANCE_REPLY &&
	    strcmp(reply, "550 x") == 0 && strcmp(log, "l") == 0);
	check("exact-name", instances_get(t, "A", &reply, &log) ==
	    INSTANCE_NONE && instances_get(t, "a ", &reply, &log) ==
	    INSTANCE_NONE);
	instances_put(t, "a", INSTANCE_PREPENDED, NULL, NULL);
	check("replaced", instances_get(t, "a", &reply, &log) ==
	    INSTANCE_PREPENDED);
	instances_put(t, "", INSTANCE_PREPENDED, NULL, NULL);
	instances_put(t, NULL, INSTANCE_PREPENDED, NULL, NULL);
	check("no-name-no-memory", instances_get(t, "", &reply, &log) ==
	    INSTANCE_NONE && instances_get(t, NULL, &reply, &log) ==
	    INSTANCE_NONE);
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	instances_put(t, name, INSTANCE_PREPENDED, NULL, NULL);
	check("long-name-not-kept", instances_get(t, name, &reply, &log) ==
	    INSTANCE_NONE);
	name[255] = '\0';
	instances_put(t, name, INSTANCE_PREPENDED, NULL, NULL);
	check("255-octets-kept", instances_get(t, name, &reply, &log) ==
	    INSTANCE_PREPENDED);
	for (i = 0; i < 999; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		instances_put(t, name, INSTANCE_REPLY, "r", "l");
	}
	check("oldest-forgotten", instances_get(t, "a", &reply, &log) ==
	    INSTANCE_NONE);
	check("last-1000-kept", instances_get(t, "n0", &reply, &log) ==
	    INSTANCE_REPLY && instances_get(t, "n998", &reply, &log) ==
	    INSTANCE_REPLY);
	instances_put(t, "n5", INSTANCE_NONE, NULL, NULL);
	check("forget", instances_get(t, "n5", &reply, &log) == INSTANCE_NONE);
	instances_free(t);
	check("null-table", instances_get(NULL, "a", &reply, &log) ==
	    INSTANCE_NONE);
	return check_exit();
}
