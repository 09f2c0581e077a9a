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

/* Whether a message has a header, and its outcome. */
static void
is(const char *name, const char *message, int header, enum instance_kind k)
{
	check_int(name, instances_has_header(t, message), header);
	check_int(check_name("%s-outcome", name), kind(message), k);
}

static void
test_headers(void)
{
	int i;

	is("header-unknown", "h", 0, INSTANCE_NONE);
	instances_set_header(t, "h");
	is("header-set", "h", 1, INSTANCE_NONE);
	check_int("header-alone-is-no-outcome", kind("h"), INSTANCE_NONE);
	put("h", INSTANCE_REPLY, 1, "r");
	is("header-stays-with-outcome", "h", 1, INSTANCE_REPLY);
	put("h2", INSTANCE_REPLY, 1, "r");
	is("outcome-is-no-header", "h2", 0, INSTANCE_REPLY);
	instances_set_header(t, "h2");
	is("outcome-stays-with-header", "h2", 1, INSTANCE_REPLY);
	instances_set_header(t, "");
	instances_set_header(t, NULL);
	is("header-needs-name", "", 0, INSTANCE_NONE);
	is("header-needs-a-name", NULL, 0, INSTANCE_NONE);
	for (i = 0; i < INSTANCE_MAX; i++)
		instances_set_header(t, check_name("m%d", i));
	check_int("headers-are-bounded", instances_has_header(t, "h"), 0);
	check_int("headers-are-kept", instances_has_header(t, "m0"), 1);
	instances_set_header(t, "m1000");
	check_int("headers-oldest-forgotten", instances_has_header(t, "m0"), 0);
	check_int("headers-next-kept", instances_has_header(t, "m1"), 1);
}

static void
test_outcomes(void)
{
	struct instance_outcome o;
	char name[300];
	int i;

	check_int("unknown", kind("a"), INSTANCE_NONE);
	put("a", INSTANCE_REPLY, 7, "550 x");
	o = instances_get(t, "a");
	check_int("reply", o.kind, INSTANCE_REPLY);
	check_int("reply-action", o.action, 7);
	check_str("reply-text", o.reply, "550 x");
	check_int("exact-name", kind("A"), INSTANCE_NONE);
	check_int("exact-name-blank", kind("a "), INSTANCE_NONE);
	put("a", INSTANCE_DUNNO, 0, NULL);
	check_int("replaced", kind("a"), INSTANCE_DUNNO);
	put("", INSTANCE_DUNNO, 0, NULL);
	put(NULL, INSTANCE_DUNNO, 0, NULL);
	check_int("no-name-no-memory", kind(""), INSTANCE_NONE);
	check_int("null-name-no-memory", kind(NULL), INSTANCE_NONE);
	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	put(name, INSTANCE_DUNNO, 0, NULL);
	check_int("long-name-not-kept", kind(name), INSTANCE_NONE);
	name[255] = '\0';
	put(name, INSTANCE_DUNNO, 0, NULL);
	check_int("255-octets-kept", kind(name), INSTANCE_DUNNO);
	for (i = 0; i < 999; i++)
		put(check_name("n%d", i), INSTANCE_REPLY, 0, "r");
	check_int("oldest-forgotten", kind("a"), INSTANCE_NONE);
	check_int("first-of-1000-kept", kind("n0"), INSTANCE_REPLY);
	check_int("last-1000-kept", kind("n998"), INSTANCE_REPLY);
	put("n5", INSTANCE_NONE, 0, NULL);
	check_int("forget", kind("n5"), INSTANCE_NONE);
}

int
main(void)
{
	t = instances_new();
	test_outcomes();
	test_headers();
	instances_free(t);
	t = NULL;
	instances_set_header(t, "a");
	is("null-table", "a", 0, INSTANCE_NONE);
	return check_exit();
}
