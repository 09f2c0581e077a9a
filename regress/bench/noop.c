/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * A filter that does nothing, on libmilter: the measure of what any filter
 * of that kind costs. usage: noop SPEC. It asks for the steps that an SPF
 * filter needs and no others; it adds one header.
 */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <libmilter/mfapi.h>

static sfsistat
n_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *sa)
{
	return SMFIS_CONTINUE;
}

static sfsistat
n_helo(SMFICTX *ctx, char *name)
{
	return SMFIS_CONTINUE;
}

static sfsistat
n_from(SMFICTX *ctx, char **argv)
{
	return SMFIS_CONTINUE;
}

static sfsistat
n_eom(SMFICTX *ctx)
{
	static char name[] = "X-Noop", value[] = "a header of usual length";

	smfi_insheader(ctx, 0, name, value);
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static char name[] = "noop";
	struct smfiDesc d = { .xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS,
		.xxfi_connect = n_connect,
		.xxfi_helo = n_helo,
		.xxfi_envfrom = n_from,
		.xxfi_eom = n_eom };

	if (argc != 2)
		errx(EX_USAGE, "usage: noop SPEC");
	if (smfi_setconn(argv[1]) == MI_FAILURE ||
	    smfi_register(d) == MI_FAILURE)
		errx(EX_UNAVAILABLE, "libmilter");
	return smfi_main();
}
