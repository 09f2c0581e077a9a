/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Lists whose entries are separated by commas: networks, domains, name
 * servers; and the one key with an address. spf-engine takes a blank beside a
 * comma as part of the entry; here it is dropped, with a warning.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"
#include "proto/addr.h"

#define DOMAIN_LEN 253		/* RFC 1035 2.3.4, without the last dot */
#define WORD	   "nameserver" /* of resolv.conf(5) */

/* A list that ends with a comma has an empty last entry. */
int
conf_entry(const char **s, const char **e, size_t *n, int blanks,
    unsigned int *flags)
{
	const char *p = *s;
	size_t k;

	if (p == NULL)
		return 0;
	k = strcspn(p, blanks ? ", \t" : ",");
	*e = p;
	*n = k;
	p += k;
	if (*p == ' ' || *p == '\t') {
		*flags |= ENTRY_BLANK;
		p += strspn(p, " \t");
		if (*p == ',')
			p++;
	} else if (*p == ',')
		p++;
	else
		p = NULL;
	if (p != NULL && blanks && (*p == ' ' || *p == '\t')) {
		*flags |= ENTRY_BLANK;
		p += strspn(p, " \t");
	}
	*s = p;
	python_strip(e, n);
	if (k != *n)
		*flags |= ENTRY_BLANK;
	if (*n == 0)
		*flags |= ENTRY_EMPTY;
	return 1;
}

static void
warn_of(struct conf_ctx *x, unsigned int flags)
{
	if ((flags & ENTRY_BLANK) != 0)
		conf_warn(x, "blanks in the list are ignored");
	if ((flags & ENTRY_EMPTY) != 0)
		conf_warn(x, "empty entries are ignored");
}

/* Prospective. */

static int
set_addr(struct conf_ctx *x, void *field, const char *s)
{
	if (!conf_unset(x, s) && addr_parse(field, s, strlen(s)) == -1)
		return conf_refuse(x, "%s is not an address", conf_show(s));
	return 0;
}

static void
print_addr(FILE *f, const struct conf_row *row, const void *field)
{
	char buf[ADDR_STRLEN];

	fputs(addr_format(field, buf, sizeof(buf)), f);
}

/* Networks. */

void
conf_clear_hostbits(struct conf_ctx *x, struct cidr *net, const char *entry)
{
	if (!cidr_hostbits(net))
		return;
	cidr_mask(net);
	conf_warn(x, "%s has bits set after the prefix; they are cleared",
	    conf_show(entry));
}

static int
net_parse(struct conf_ctx *x, struct cidr *net, const char *s, size_t n)
{
	char *copy, *p;
	int rv;

	copy = conf_xstrndup(s, n);
	/* spf-engine's manual has "::1//128" in an example. */
	if ((p = strstr(copy, "//")) != NULL) {
		conf_warn(x, "%s is read with one '/'", conf_show(copy));
		memmove(p, p + 1, strlen(p));
	}
	if ((rv = cidr_parse(net, copy, strlen(copy))) == -1)
		conf_warn(x, "%s is not a network; ignored", conf_show(copy));
	else
		conf_clear_hostbits(x, net, copy);
	free(copy);
	return rv;
}

static int
set_nets(struct conf_ctx *x, void *field, const char *s)
{
	struct conf_nets *nets = field;
	struct cidr net;
	const char *e;
	size_t n;
	unsigned int flags = 0;

	/* spf-engine fails on an empty skip_addresses. */
	if (*s == '\0' && x->row->pub.def[0] != '\0')
		conf_warn(x, "is empty: no network is in it");
	if (*s == '\0' || strcasecmp(s, "none") == 0)
		s = NULL;
	while (conf_entry(&s, &e, &n, 1, &flags))
		if (n != 0 && net_parse(x, &net, e, n) == 0)
			conf_append(nets, net);
	warn_of(x, flags);
	return 0;
}

void
conf_print_net(FILE *f, const struct cidr *net)
{
	char buf[ADDR_STRLEN];

	fputs(addr_format(&net->a, buf, sizeof(buf)), f);
	if (net->len != (net->a.family == 4 ? 32 : 128))
		fprintf(f, "/%u", net->len);
}

static void
print_nets(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_nets *nets = field;
	size_t i;

	if (nets->n == 0 && row->pub.def[0] != '\0')
		fputs("none", f);
	for (i = 0; i < nets->n; i++) {
		if (i != 0)
			putc(',', f);
		conf_print_net(f, &nets->v[i]);
	}
}

static void
free_nets(void *field)
{
	free(((struct conf_nets *)field)->v);
}

/* Domains: in lower case, without dots at either end. */

void
conf_strs_free(struct conf_strs *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

static void
domain_add(struct conf_ctx *x, struct conf_strs *l, const char *s, size_t n)
{
	unsigned int flags = x->row->flags;
	size_t was = n;
	int capitals, dot;
	char *p;

	dot = (flags & ROW_DOT) != 0 && n > 1 && s[0] == '.' && s[1] != '.';
	while (n > (size_t)dot && s[dot] == '.') {
		s++;
		n--;
	}
	while (n != 0 && s[n - 1] == '.')
		n--;
	p = conf_xstrndup(s, n);
	conf_lower(p);
	capitals = memcmp(p, s, n) != 0;
	if (n == 0 || n > DOMAIN_LEN || python_has_space(p, n) ||
	    strcmp(p, "none") == 0) {
		conf_warn(x, "%s is not a domain; ignored", conf_show(p));
		free(p);
		return;
	}
	if (n != was || (capitals && (flags & ROW_LOWER) != 0))
		conf_warn(x, "read as %s", conf_show(p));
	conf_append(l, p);
}

static int
set_domains(struct conf_ctx *x, void *field, const char *s)
{
	const char *e;
	size_t n;
	unsigned int flags = 0;

	if (conf_unset(x, s))
		s = NULL;
	while (conf_entry(&s, &e, &n, 1, &flags))
		if (n != 0)
			domain_add(x, field, e, n);
	warn_of(x, flags);
	return 0;
}

static void
print_domains(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_strs *l = field;
	size_t i;

	for (i = 0; i < l->n; i++)
		fprintf(f, "%s%s", i == 0 ? "" : ",", l->v[i]);
}

static void
free_domains(void *field)
{
	conf_strs_free(field);
}

/* Nameservers: address[@port], an IPv6 address with or without brackets. */

static int
server_parse(struct conf_server *sv, const char *s, size_t n)
{
	const char *at;
	size_t an = n;

	sv->port = 53;
	if ((at = memchr(s, '@', n)) != NULL) {
		an = (size_t)(at - s);
		if (conf_port(at + 1, n - an - 1, &sv->port) == -1)
			return -1;
	}
	if (an >= 2 && s[0] == '[' && s[an - 1] == ']') {
		s++;
		an -= 2;
		if (memchr(s, ':', an) == NULL)
			return -1;
	}
	return addr_parse(&sv->addr, s, an);
}

static int
set_servers(struct conf_ctx *x, void *field, const char *s)
{
	struct conf_servers *l = field;
	struct conf_server sv;
	const char *e;
	size_t n;
	unsigned int flags = 0;
	char *bad;

	memset(&sv, 0, sizeof(sv));
	if (conf_unset(x, s))
		s = NULL;
	while (conf_entry(&s, &e, &n, 1, &flags)) {
		if (n == 0)
			continue;
		if (l->n == CONF_SERVERS_MAX)
			return conf_refuse(x, "more than %d servers",
			    CONF_SERVERS_MAX);
		if (server_parse(&sv, e, n) == -1) {
			bad = conf_xstrndup(e, n);
			conf_refuse(x, "%s is not address[@port]",
			    conf_show(bad));
			free(bad);
			return -1;
		}
		conf_append(l, sv);
	}
	/* spf-engine does not have this key: blanks beside commas are fine. */
	warn_of(x, flags & ENTRY_EMPTY);
	return 0;
}

static void
print_servers(FILE *f, const struct conf_row *row, const void *field)
{
	const struct conf_servers *l = field;
	char buf[ADDR_STRLEN];
	size_t i;

	for (i = 0; i < l->n; i++) {
		fprintf(f, "%s%s", i == 0 ? "" : ",",
		    addr_format(&l->v[i].addr, buf, sizeof(buf)));
		if (l->v[i].port != 53)
			fprintf(f, "@%u", l->v[i].port);
	}
}

void
conf_servers_free(struct conf_servers *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

size_t
conf_resolvconf(const char *text, size_t len, struct conf_servers *out)
{
	const size_t word = sizeof(WORD) - 1;
	struct conf_server sv = { .port = 53 };
	const char *l;
	size_t n, k, end, named;

	conf_servers_free(out);
	while (out->n < CONF_SERVERS_MAX && conf_line(&text, &len, &l, &n)) {
		/* As in glibc: the word begins the line, a blank ends it. */
		if (n <= word || memcmp(l, WORD, word) != 0 ||
		    (l[word] != ' ' && l[word] != '\t'))
			continue;
		for (k = word; k < n && (l[k] == ' ' || l[k] == '\t'); k++)
			;
		for (end = k; end < n && strchr(" \t;#", l[end]) == NULL; end++)
			;
		/* Scoped addresses (fe80::1%eth0) fail here. */
		if (addr_parse(&sv.addr, l + k, end - k) == 0)
			conf_append(out, sv);
	}
	named = out->n;
	if (named == 0 && addr_parse(&sv.addr, "127.0.0.1", 9) == 0)
		conf_append(out, sv);
	return named;
}

void
conf_servers_copy(struct conf_servers *to, const struct conf_servers *from)
{
	size_t i;

	conf_servers_free(to);
	for (i = 0; i < from->n; i++)
		conf_append(to, from->v[i]);
}

int
conf_servers_equal(const struct conf_servers *a, const struct conf_servers *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->v[i].port != b->v[i].port ||
		    !addr_equal(&a->v[i].addr, &b->v[i].addr))
			return 0;
	return a->n == b->n;
}

static void
free_servers(void *field)
{
	conf_servers_free(field);
}

const struct conf_ops conf_op_addr = { set_addr, print_addr, NULL,
	sizeof(struct addr) },
		      conf_op_nets = { set_nets, print_nets, free_nets,
			      sizeof(struct conf_nets) },
		      conf_op_domains = { set_domains, print_domains,
			      free_domains, sizeof(struct conf_strs) },
		      conf_op_servers = { set_servers, print_servers,
			      free_servers, sizeof(struct conf_servers) };
