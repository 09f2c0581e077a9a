/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Socket specifications. Sendmail and libmilter write inet:port@host, Postfix
 * inet:host:port; both are accepted. An ambiguous text is refused, and the
 * message shows how to write it.
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
		*why = "the path of a UNIX socket must begin with /";
		return -1;
	}
	if (n > PATH_LEN) {
		*why = "the path is too long for a UNIX socket";
		return -1;
	}
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

/* Splits a text into host, NULL if there is none, and port. */
static int
inet_split(char *s, int six, char **host, char **port, const char **why)
{
	uint16_t n;
	char *p;

	*port = s;
	*host = NULL;
	if ((p = strchr(s, '@')) != NULL) {
		*p++ = '\0';
		*host = p;
		if (conf_port(s, strlen(s), &n) == 0 ||
		    conf_port(p, strlen(p), &n) == -1)
			return 0;
		*why = "the port comes before '@'";
		return -1;
	}
	if ((p = strrchr(s, ':')) == NULL)
		return 0;
	*p++ = '\0';
	*port = p;
	*host = s;
	if (strchr(s, ':') != NULL && s[0] != '[')
		*why = six ? "ambiguous: write inet6:port@address or "
			     "inet6:[address]:port" :
			     "too many colons";
	else if (conf_port(s, strlen(s), &n) == -1)
		return 0;
	else
		*why = conf_port(p, strlen(p), &n) == 0 ?
		    "ambiguous: write inet:port@host" :
		    "write inet:port@host or inet:host:port";
	return -1;
}

static int
inet_parse(struct conf_socket *so, const char *text, const char **why)
{
	char *copy = conf_xstrndup(text, strlen(text)), *host, *port;
	int six = so->kind == SOCK_INET6, rv = -1;
	size_t n;

	if (inet_split(copy, six, &host, &port, why) == -1)
		goto done;
	if (conf_port(port, strlen(port), &so->port) == -1) {
		*why = "the port is not a number from 1 to 65535";
		goto done;
	}
	if (host != NULL) {
		n = strlen(host);
		if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
			host++;
			n -= 2;
		}
		if (host_check(six, host, n, why) == -1)
			goto done;
		so->host = conf_xstrndup(host, n);
	}
	rv = 0;
done:
	free(copy);
	return rv;
}

int
conf_socket_parse(struct conf_socket *so, const char *s, const char **why)
{
	static const struct {
		const char *prefix;
		int kind;
	} forms[] = { { "unix:", SOCK_LOCAL }, { "local:", SOCK_LOCAL },
		{ "inet:", SOCK_INET }, { "inet6:", SOCK_INET6 } };
	size_t i, n = 0;

	memset(so, 0, sizeof(*so));
	*why = NULL;
	if (strcasecmp(s, "none") == 0)
		return 0;
	if (*s == '/')
		so->kind = SOCK_LOCAL;
	for (i = 0; i < nitems(forms) && so->kind == SOCK_NONE; i++) {
		n = strlen(forms[i].prefix);
		if (strncasecmp(s, forms[i].prefix, n) == 0)
			so->kind = forms[i].kind;
	}
	if (so->kind == SOCK_NONE)
		*why = *s == '\0' ? "is empty" :
				    "is none of local:/path, inet:port@host, "
				    "inet6:port@host, none";
	else if ((so->kind == SOCK_LOCAL ? local_parse(so, s + n, why) :
					   inet_parse(so, s + n, why)) == 0)
		return 0;
	memset(so, 0, sizeof(*so));
	return -1;
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
	const char *host = so->host != NULL ? so->host : "";
	int six = strchr(host, ':') != NULL, rv;
	char *p = NULL;

	if (so->kind == SOCK_NONE)
		rv = asprintf(&p, "none");
	else if (so->kind == SOCK_LOCAL)
		rv = asprintf(&p, "local:%s", so->path);
	else
		rv = asprintf(&p, "%s:%u%s%s%s%s",
		    so->kind == SOCK_INET ? "inet" : "inet6", so->port,
		    *host != '\0' ? "@" : "", six ? "[" : "", host,
		    six ? "]" : "");
	if (rv == -1)
		abort();
	return p;
}

static int
set_socket(struct conf_ctx *x, void *field, const char *s)
{
	struct conf_socket *so = field;
	const char *why;

	if (conf_socket_parse(so, s, &why) == -1)
		return conf_refuse(x, "%s: %s", conf_show(s), why);
	if ((x->row->flags & ROW_LOCAL) != 0 && so->kind != SOCK_LOCAL &&
	    so->kind != SOCK_NONE)
		return conf_refuse(x, "%s is not a UNIX socket", conf_show(s));
	return 0;
}

static void
print_socket(FILE *f, const struct conf_row *row, const void *field)
{
	char *p = conf_socket_text(field);

	fputs(p, f);
	free(p);
}

static void
free_socket(void *field)
{
	conf_socket_free(field);
}

const struct conf_ops conf_op_socket = { set_socket, print_socket, free_socket,
	sizeof(struct conf_socket) };
