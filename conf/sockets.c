/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Socket specifications. Sendmail and libmilter write inet:port@host,
 * Postfix inet:host:port; both are read. A text that could be either is
 * refused, and the message says how to write it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"
#include "proto/addr.h"
#include "proto/text.h"

#define PATH_LEN 107 /* sun_path has 108 with the NUL */
#define HOST_LEN 253

static int
local_parse(struct conf_socket *so, const char *path, const char **why)
{
	size_t n = strlen(path);

	python_strip(&path, &n);
	if (n == 0 || *path != '/') {
		*why = "the path of a UNIX socket begins with /";
		return -1;
	}
	if (n > PATH_LEN) {
		*why = "the path is too long for a UNIX socket";
		return -1;
	}
	so->kind = SOCK_LOCAL;
	so->path = conf_xstrndup(path, n);
	return 0;
}

/* A name, or an address of the right family, without brackets. */
static int
host_check(int six, const char *s, size_t n, const char **why)
{
	struct addr a;
	size_t i;

	if (addr_parse(&a, s, n) == 0) {
		if ((a.family == 6) == six)
			return 0;
		*why = six ? "an IPv4 address needs inet:" :
			     "an IPv6 address needs inet6:";
		return -1;
	}
	*why = "the host is neither a name nor an address";
	if (n == 0 || n > HOST_LEN)
		return -1;
	for (i = 0; i < n; i++)
		if (!ascii_is_ldh(s[i]) && s[i] != '.' && s[i] != '_')
			return -1;
	return 0;
}

/* Finds the host and the port in it; *host becomes NULL when it has none. */
static int
inet_split(const char *s, int six, const char **host, size_t *hn,
    const char **port, size_t *pn, const char **why)
{
	const char *p;
	uint16_t a, b;
	size_t n;

	*host = NULL;
	*hn = 0;
	if ((p = strchr(s, '@')) != NULL) {
		*port = s;
		*pn = (size_t)(p - s);
		*host = p + 1;
		*hn = strlen(p + 1);
		if (conf_port(s, *pn, &a) == -1 &&
		    conf_port(p + 1, *hn, &b) == 0) {
			*why = "the port comes before '@'";
			return -1;
		}
		return 0;
	}
	if ((p = strrchr(s, ':')) == NULL) {
		*port = s;
		*pn = strlen(s);
		return 0;
	}
	n = (size_t)(p - s);
	if (memchr(s, ':', n) != NULL && s[0] != '[') {
		*why = six ? "ambiguous: write inet6:port@address or "
			     "inet6:[address]:port" :
			     "too many colons";
		return -1;
	}
	if (conf_port(s, n, &a) == 0) {
		*why = conf_port(p + 1, strlen(p + 1), &b) == 0 ?
		    "ambiguous: write inet:port@host" :
		    "write inet:port@host or inet:host:port";
		return -1;
	}
	*host = s;
	*hn = n;
	*port = p + 1;
	*pn = strlen(p + 1);
	return 0;
}

static int
inet_parse(struct conf_socket *so, const char *s, const char **why)
{
	const char *host, *port;
	size_t hn, pn;
	int six = so->kind == SOCK_INET6;

	if (inet_split(s, six, &host, &hn, &port, &pn, why) == -1)
		return -1;
	if (conf_port(port, pn, &so->port) == -1) {
		*why = "the port is a number from 1 to 65535";
		return -1;
	}
	if (host == NULL)
		return 0;
	if (hn >= 2 && host[0] == '[' && host[hn - 1] == ']') {
		host++;
		hn -= 2;
	}
	if (host_check(six, host, hn, why) == -1)
		return -1;
	so->host = conf_xstrndup(host, hn);
	return 0;
}

int
conf_socket_parse(struct conf_socket *so, const char *s, const char **why)
{
	int rv;

	memset(so, 0, sizeof(*so));
	*why = NULL;
	if (*s == '\0') {
		*why = "is empty";
		return -1;
	}
	if (strcasecmp(s, "none") == 0)
		return 0;
	if (*s == '/')
		return local_parse(so, s, why);
	if (strncasecmp(s, "unix:", 5) == 0)
		return local_parse(so, s + 5, why);
	if (strncasecmp(s, "local:", 6) == 0)
		return local_parse(so, s + 6, why);
	if (strncasecmp(s, "inet:", 5) == 0) {
		so->kind = SOCK_INET;
		rv = inet_parse(so, s + 5, why);
	} else if (strncasecmp(s, "inet6:", 6) == 0) {
		so->kind = SOCK_INET6;
		rv = inet_parse(so, s + 6, why);
	} else {
		*why = "is none of local:/path, inet:port@host, "
		       "inet6:port@host, none";
		rv = -1;
	}
	if (rv == -1)
		memset(so, 0, sizeof(*so));
	return rv;
}

void
conf_socket_free(struct conf_socket *so)
{
	free(so->path);
	free(so->host);
	memset(so, 0, sizeof(*so));
}

char *
conf_socket_text(const struct conf_socket *so)
{
	const char *colon, *host = so->host;
	char *p = NULL;
	int rv = -1;

	switch (so->kind) {
	case SOCK_NONE:
		rv = asprintf(&p, "none");
		break;
	case SOCK_LOCAL:
		rv = asprintf(&p, "local:%s", so->path);
		break;
	case SOCK_INET:
	case SOCK_INET6:
		colon = host != NULL && strchr(host, ':') != NULL ? "[" : "";
		rv = asprintf(&p, "%s:%u%s%s%s%s",
		    so->kind == SOCK_INET ? "inet" : "inet6", so->port,
		    host != NULL ? "@" : "", colon, host != NULL ? host : "",
		    *colon != '\0' ? "]" : "");
		break;
	}
	if (rv == -1)
		abort();
	return p;
}

static int
set_socket(struct conf_ctx *x, const struct conf_row *row, struct conf *c,
    const char *s)
{
	struct conf_socket so, *old = conf_field(struct conf_socket, c, row);
	const char *why;

	if (conf_socket_parse(&so, s, &why) == -1)
		return conf_refuse(x, "%s: %s", conf_show(s), why);
	if ((row->flags & ROW_LOCAL) != 0 && so.kind != SOCK_LOCAL &&
	    so.kind != SOCK_NONE) {
		conf_socket_free(&so);
		return conf_refuse(x, "%s is not a UNIX socket", conf_show(s));
	}
	conf_socket_free(old);
	*old = so;
	return 0;
}

static void
print_socket(FILE *f, const struct conf_row *row, const struct conf *c)
{
	char *p;

	p = conf_socket_text(conf_cfield(struct conf_socket, c, row));
	fputs(p, f);
	free(p);
}

static void
free_socket(const struct conf_row *row, struct conf *c)
{
	conf_socket_free(conf_field(struct conf_socket, c, row));
}

const struct conf_ops conf_op_socket = { set_socket, print_socket, free_socket,
	sizeof(struct conf_socket) };
