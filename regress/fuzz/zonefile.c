/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: fuzz target: zone files; the first octet chooses whether there is an
 * origin. Answers must be well-formed, as the codec in proto/dnsmsg.c has them.
 */

#include "unpriv/spfctl/zonefile.h"
#include "regress/fuzz/fuzz.h"

static const char *const names[] = { "example.test", "a.example.test",
	"mail.example.test", "x.y.wild.example.test", "test", "a.b",
	"1.2.0.192.in-addr.arpa" };
static const uint16_t types[] = { DNS_T_A, DNS_T_AAAA, DNS_T_MX, DNS_T_PTR,
	DNS_T_TXT };

/* Keeps the compiler from removing the reads. */
static volatile uint8_t sink;

static void
look(const struct dns_answer *a)
{
	size_t i, j;

	if ((a->status == DNS_OK) != (a->nrr > 0))
		abort();
	for (i = 0; i < a->nrr; i++) {
		if (a->type == DNS_T_A && a->rr[i].len != 4)
			abort();
		if (a->type == DNS_T_AAAA && a->rr[i].len != 16)
			abort();
		if (a->type == DNS_T_TXT && a->rr[i].aux > a->rr[i].len)
			abort();
		if ((a->type == DNS_T_MX || a->type == DNS_T_PTR) &&
		    a->rr[i].len > 0 &&
		    !dname_valid((const char *)a->rr[i].data, a->rr[i].len))
			abort();
		for (j = 0; j < a->rr[i].len; j++)
			sink = a->rr[i].data[j];
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[200], alias[DNAME_MAX + 1];
	const struct zonefile_note *n;
	struct dns_answer a;
	struct zonefile *z;
	size_t i, j;

	if (size == 0)
		return 0;
	memset(err, 'x', sizeof(err));
	z = zonefile_parse((const char *)data + 1, size - 1,
	    (data[0] & 1) != 0 ? "example.test" : NULL, err, sizeof(err));
	if (memchr(err, '\0', sizeof(err)) == NULL ||
	    (z == NULL) != (err[0] != '\0'))
		abort();
	if (z == NULL)
		return 0;
	for (i = 0; i < NITEMS(names); i++)
		for (j = 0; j < NITEMS(types); j++)
			if (zonefile_answer(z, types[j], names[i],
				strlen(names[i]), &a, alias))
				look(&a);
			else if (alias[0] != '\0' &&
			    !dname_valid(alias, strlen(alias)))
				abort();
	for (i = 0; (n = zonefile_note_at(z, i)) != NULL; i++)
		if (n->owner == NULL || n->text == NULL || n->line == 0)
			abort();
	zonefile_free(z);
	return 0;
}
