/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. What a policy session remembers of messages. */

#include "unpriv/worker/instance.h"
#include "regress/unit/check.h"

static struct instances *t;

static enum instance_kind
kind(const char *name)
{
	return instances_get(t, name).kind;
}

static void
put(const char *name, enum instance_kind k, int action, const char *reply)
{
	struct instance_outcome o = { k, action, reply };

	instances_put(t, name, &o);
}

static void
test_headers(void)
{
	char name[32];
	int i;

	check("header-unknown", !instances_has_header(t, "h"));
	instances_set_header(t, "h");
	check("header-set", instances_has_header(t, "h"));
	check_int("header-alone-is-no-outcome", kind("h"), INSTANCE_NONE);
	put("h", INSTANCE_REPLY, 1, "r");
	check("header-stays-with-outcome",
	    instances_has_header(t, "h") && kind("h") == INSTANCE_REPLY);
	put("h2", INSTANCE_REPLY, 1, "r");
	check("outcome-is-no-header", !instances_has_header(t, "h2"));
	instances_set_header(t, "h2");
	check("outcome-stays-with-header",
	    instances_has_header(t, "h2") && kind("h2") == INSTANCE_REPLY);
	instances_set_header(t, "");
	instances_set_header(t, NULL);
	check("header-needs-name",
	    !instances_has_header(t, "") && !instances_has_header(t, NULL));
	for (i = 0; i < INSTANCE_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		instances_set_header(t, name);
	}
	check("headers-are-bounded",
	    !instances_has_header(t, "h") && instances_has_header(t, "m0"));
	instances_set_header(t, "m1000");
	check("headers-oldest-forgotten",
	    !instances_has_header(t, "m0") && instances_has_header(t, "m1"));
}

int
main(void)
{
	struct instance_outcome o;
	char name[300];
	int i;

	t = instances_new();
	check_int("unknown", kind("a"), INSTANCE_NONE);
	put("a", INSTANCE_REPLY, 7, "550 x");
	o = instances_get(t, "a");
	check("reply",
	    o.kind == INSTANCE_REPLY && o.action == 7 &&
		strcmp(o.reply, "550 x") == 0);
	check("exact-name",
	    kind("A") == INSTANCE_NONE && kind("a ") == INSTANCE_NONE);
	put("a", INSTANCE_DUNNO, 0, NULL);
	check_int("replaced", kind("a"), INSTANCE_DUNNO);
	put("", INSTANCE_DUNNO, 0, NULL);
	put(NULL, INSTANCE_DUNNO, 0, NULL);
	check("no-name-no-memory",
	    kind("") == INSTANCE_NONE && kind(NULL) == INSTANCE_NONE);
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	put(name, INSTANCE_DUNNO, 0, NULL);
	check_int("long-name-not-kept", kind(name), INSTANCE_NONE);
	name[255] = '\0';
	put(name, INSTANCE_DUNNO, 0, NULL);
	check_int("255-octets-kept", kind(name), INSTANCE_DUNNO);
	for (i = 0; i < 999; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put(name, INSTANCE_REPLY, 0, "r");
	}
	check_int("oldest-forgotten", kind("a"), INSTANCE_NONE);
	check("last-1000-kept",
	    kind("n0") == INSTANCE_REPLY && kind("n998") == INSTANCE_REPLY);
	put("n5", INSTANCE_NONE, 0, NULL);
	check_int("forget", kind("n5"), INSTANCE_NONE);
	test_headers();
	instances_free(t);
	t = NULL;
	instances_set_header(t, "a");
	check("null-table",
	    kind("a") == INSTANCE_NONE && !instances_has_header(t, "a"));
	return check_exit();
}
