/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzzing. A whole policy session; its answers must be sound. */

#include "regress/fuzz/session_fuzz.h"

/* Only "action=..." lines, each with its empty line. */
static void
look(const struct conn *c)
{
	const uint8_t *p = c->out, *end;
	size_t left = c->len;

	while (left > 0) {
		if (left < 9 || memcmp(p, "action=", 7) != 0 ||
		    (end = memchr(p, '\n', left)) == NULL ||
		    (size_t)(end - p) + 2 > left || end[1] != '\n' ||
		    memchr(p, '\0', (size_t)(end - p)) != NULL)
			abort();
		left -= (size_t)(end - p) + 2;
		p = end + 2;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char user[] = "own@dest.test";
	static struct conf conf, own;
	static struct conf_user u = { user, &own };
	static struct conn_env env;
	struct conn c;

	if (stub_base == NULL) {
		stub_base = event_base_new();
		stub_conf(&conf);
		stub_conf(&own);
		conf.users = (struct conf_users){ &u, 1 };
		env.conf = &conf;
		env.max = 1;
	}
	fuzz_run(&c, &policy_session_ops, &env, data, n);
	look(&c);
	free(c.out);
	return 0;
}
