/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Prints the processes from the tables in the code, as privsep/README shows
 * them: what they are for, then their limits. With an argument: "ok NAME" or
 * "not ok NAME" for what the tables of roles and of messages both say.
 */

#include <stdio.h>

#include "privsep/child/role_table.h"
#include "privsep/sandbox/sandbox_private.h"

static int failures;

/* What a row says only of a child of the parent. */
static const char *
yes(const struct role_row *r, int value)
{
	return r->number == ROLE_NUMBER_NONE ? "-" : value ? "yes" : "no";
}

static void
print_purpose(void)
{
	static const char *const number[] = { "-", "1", "Workers",
		"Second_Opinion" };
	static const char *const mail[] = { "-", "milter", "policy",
		"milter, policy" };
	static const char *const dns[] = { "-", "asks", "answers" };
	static const char *const copies[] = { "-", "sends", "takes" };
	const struct role_row *r;

	printf("%-11s %-14s %-9s %-14s %-7s %-6s %s\n", "process", "number",
	    "essential", "mail", "dns", "copies", "watched");
	for (r = role_rows + 1; r < role_rows + SANDBOX_MAX; r++)
		printf("%-11s %-14s %-9s %-14s %-7s %-6s %s\n", r->name,
		    number[r->number], yes(r, r->essential),
		    mail[r->listeners[FRONTEND_NATIVE] |
			r->listeners[FRONTEND_LIBMILTER]],
		    dns[r->dns], copies[r->copies], yes(r, r->watched));
}

static const char *
number(char *buf, size_t size, unsigned int n)
{
	if (n == 0)
		return "-";
	snprintf(buf, size, "%u", n);
	return buf;
}

static const char *
nofile(char *buf, size_t size, const struct role_row *r)
{
	if (r->nofile_conn == 0)
		return number(buf, size, r->nofile);
	if (r->nofile_conn == 1)
		snprintf(buf, size, "%u + Max_Connections", r->nofile);
	else
		snprintf(buf, size, "%u + %u x Max_Connections", r->nofile,
		    r->nofile_conn);
	return buf;
}

static void
print_limits(void)
{
	const struct sandbox_profile *s;
	const struct role_row *r;
	char a[48], b[16], c[16], d[16];
	int i;

	printf("%-11s %-24s %-5s %-8s %-5s %-7s %s\n", "process", "nofile",
	    "nproc", "fsize MB", "cpu s", "data MB", "queries");
	for (i = SANDBOX_NONE + 1; i < SANDBOX_MAX; i++) {
		r = &role_rows[i];
		s = &sandbox_profiles[i];
		printf("%-11s %-24s %-5s %-8u %-5s %-7s %s\n", r->name,
		    nofile(a, sizeof(a), r), s->nproc0 ? "0" : "-", s->fsize,
		    number(b, sizeof(b), s->cpu), number(c, sizeof(c), s->data),
		    number(d, sizeof(d), r->questions));
	}
}

/* For each child: the message table has it on a side exactly when due. */
static void
agree(const char *name, unsigned int bits, unsigned int due)
{
	if (bits == due)
		printf("ok trust/roles-%s\n", name);
	else {
		printf("not ok trust/roles-%s - messages %x, roles %x\n", name,
		    bits, due);
		failures++;
	}
}

static void
compare(void)
{
	unsigned int child = 0, mail = 0, asks = 0, answers = 0, sends = 0,
		     takes = 0;
	const struct role_row *r;

	for (r = role_rows + 1; r < role_rows + SANDBOX_MAX; r++) {
		if (r->number == ROLE_NUMBER_NONE)
			continue;
		child |= ROLE_BIT(r->role);
		mail |= role_takes_mail(r) ? ROLE_BIT(r->role) : 0;
		asks |= r->dns == ROLE_CLIENT ? ROLE_BIT(r->role) : 0;
		answers |= r->dns == ROLE_SERVER ? ROLE_BIT(r->role) : 0;
		sends |= r->copies == ROLE_CLIENT ? ROLE_BIT(r->role) : 0;
		takes |= r->copies == ROLE_SERVER ? ROLE_BIT(r->role) : 0;
	}
	agree("children", msg_rules[MSG_CONFIG].receivers, child);
	agree("take-mail", msg_rules[MSG_LISTENER].receivers, mail);
	agree("ask-dns", msg_rules[MSG_QUERY].senders, asks);
	agree("answer-as-dns", msg_rules[MSG_QUERY].receivers, answers);
	agree("send-copies",
	    msg_rules[MSG_SHADOW_COPY].senders & ~ROLE_BIT(ROLE_CONTROL),
	    sends);
	agree("take-copies", msg_rules[MSG_SHADOW_COPY].receivers, takes);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		compare();
	else {
		print_purpose();
		putchar('\n');
		print_limits();
	}
	return failures != 0;
}
