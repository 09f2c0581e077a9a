/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzzer. */

/*
 * The first octet says what the rest is: a configuration of either program,
 * with the contents of all files that it names in its second part; a text that
 * the parent made; a per-user file; a resolv.conf; a socket. What is printed
 * must read back to the same.
 */

#include <errno.h>
#include <fcntl.h>

#include "conf/conf.h"
#include "regress/fuzz/fuzz.h"

struct data {
	const char *p;
	size_t n;
};

static FILE *
open_data(void *arg, const char *path)
{
	const struct data *d = arg;

	(void)path;
	if (d->n == 0) {
		errno = ENOENT;
		return NULL;
	}
	return fmemopen((void *)(uintptr_t)d->p, d->n, "r");
}

/* A pattern matches whatever the root directory has. */
static int
open_dir(void *arg, const char *path)
{
	(void)arg;
	(void)path;
	return open("/", O_RDONLY | O_DIRECTORY);
}

static void
round_trip(const struct conf *c, int child, const struct conf_reader *r)
{
	struct conf_msgs ms;
	struct conf *d;
	char *a, *b;

	a = conf_print(c, child);
	d = conf_parse(c->program, a, strlen(a),
	    child ? CONF_NAME_CHILD : "again", r, &ms);
	if (d == NULL) {
		fprintf(stderr, "%s", a);
		abort();
	}
	b = conf_print(d, child);
	if (strcmp(a, b) != 0) {
		fprintf(stderr, "%s---\n%s", a, b);
		abort();
	}
	conf_msgs_free(&ms);
	conf_free(d);
	free(a);
	free(b);
}

static void
fuzz_conf(enum conf_program program, const char *name, const char *p, size_t n,
    struct data *file)
{
	struct conf_reader r = { open_data, file, open_dir, NULL };
	struct conf_msgs ms;
	struct conf *c;
	char *s;
	size_t i;

	c = conf_parse(program, p, n, name, &r, &ms);
	if ((c == NULL) != (ms.errors != 0))
		abort();
	for (i = 0; i < ms.n; i++) {
		s = conf_msg_text(name, &ms.v[i]);
		free(s);
	}
	if (c != NULL) {
		for (i = 0; i < c->users.n; i++)
			if (conf_for(c, c->users.v[i].user) !=
			    c->users.v[i].conf)
				abort();
		/* A file that it names has other contents the next time. */
		if (c->per_user_path[0] == '\0' && c->trust_anchor[0] == '\0')
			round_trip(c, 0, &r);
		round_trip(c, 1, &r);
	}
	conf_free(c);
	conf_msgs_free(&ms);
}

static void
fuzz_socket(const char *p, size_t n)
{
	struct conf_socket so, again;
	const char *why;
	char *s, *a, *b;

	if ((s = strndup(p, n)) == NULL)
		abort();
	if (conf_socket_parse(&so, s, &why) == 0) {
		a = conf_socket_text(&so);
		if (conf_socket_parse(&again, a, &why) != 0)
			abort();
		b = conf_socket_text(&again);
		if (strcmp(a, b) != 0)
			abort();
		free(a);
		free(b);
		conf_socket_free(&so);
		conf_socket_free(&again);
	} else if (why == NULL)
		abort();
	free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *buf, size_t len)
{
	static const char users[] = "Per_User = text,/x\n";
	struct conf_servers l = { NULL, 0 };
	struct data file = { NULL, 0 };
	const char *p, *cut;
	size_t n;

	if (len < 1)
		return 0;
	p = (const char *)buf + 1;
	n = len - 1;
	switch (buf[0] % 6) {
	case 0:
	case 1:
		if ((cut = memchr(p, 0x1e, n)) != NULL) {
			file.p = cut + 1;
			file.n = n - (size_t)(cut + 1 - p);
			n = (size_t)(cut - p);
		}
		fuzz_conf(buf[0] % 6 == 0 ? CONF_MILTER : CONF_POLICY, "f", p,
		    n, &file);
		break;
	case 2:
		fuzz_conf(CONF_MILTER, CONF_NAME_CHILD, p, n, &file);
		break;
	case 3:
		file.p = p;
		file.n = n;
		fuzz_conf(CONF_POLICY, "f", users, sizeof(users) - 1, &file);
		break;
	case 4:
		if (conf_resolvconf(p, n, &l) > l.n || l.n == 0 ||
		    l.n > CONF_SERVERS_MAX)
			abort();
		conf_servers_free(&l);
		break;
	case 5:
		fuzz_socket(p, n);
		break;
	}
	return 0;
}
