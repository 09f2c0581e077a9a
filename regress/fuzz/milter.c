/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzzing. A whole milter session; its packets must be sound. */

#include "regress/fuzz/session_fuzz.h"

/* Whole packets with letters that a filter may send. */
static void
look(const struct conn *c)
{
	size_t off = 0, n;

	while (off < c->len) {
		if (c->len - off < 5)
			abort();
		n = (size_t)c->out[off] << 24 | (size_t)c->out[off + 1] << 16 |
		    (size_t)c->out[off + 2] << 8 | c->out[off + 3];
		if (n == 0 || n > 65536 || n > c->len - off - 4 ||
		    strchr("Ociym", c->out[off + 4]) == NULL)
			abort();
		if (c->out[off + 4] == 'y' && c->out[off + 3 + n] != '\0')
			abort();
		off += 4 + n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char macro[] = "daemon_name", value[] = "smtpd",
		    name[] = "internal.test";
	static char *values[] = { value };
	static struct conf_macro m = { macro, { values, 1 } };
	static struct conf_host h = { .kind = HOST_DOMAIN, .name = name };
	static struct conf conf;
	static struct conn_env env;
	struct conn c;

	if (stub_base == NULL) {
		stub_base = event_base_new();
		stub_conf(&conf);
		conf.debug_level = 2;
		env.conf = &conf;
		env.max = 1;
	}
	/* Two bits choose the configuration. */
	conf.macro_list = (struct conf_macros){ &m, n > 1 && data[1] & 1 };
	conf.internal_hosts =
	    (struct conf_hosts){ &h, n > 1 && (data[1] & 2) != 0 };
	if (n < 2)
		return 0;
	fuzz_run(&c, &milter_session_ops, &env, data + 2, n - 2);
	look(&c);
	free(c.out);
	return 0;
}
