/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/* The table of all keys. */

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "proto/text.h"

#define OFF(f) offsetof(struct conf, f)
#define BOTH   (CONF_MILTER | CONF_POLICY)
#define MILTER CONF_MILTER
#define REASON "Message {rejectdefer} due to: {spf}. Please see {url}"
#define URL    "http://www.openspf.net/Why?s={scope};id={id};ip={ip};r={rcpt}"
#define RUNDIR "/run/pyspf-milter/"

static const enum conf_bool as_true = BOOL_TRUE, as_not_no = BOOL_NOT_NO,
			    as_any = BOOL_ANY, as_added = BOOL_ADDED,
			    as_never = BOOL_KEY_REFUSED;
static const char *const reason_vars[] = { "rejectdefer", "spf", "url", NULL };
static const char *const url_vars[] = { "scope", "id", "ip", "rcpt", NULL };
/* clang-format off */
static const struct conf_word frontends[] = {
	{ "native", FRONTEND_NATIVE }, { "libmilter", FRONTEND_LIBMILTER },
	{ NULL, 0 }
};
static const struct conf_word void_families[] = {
	{ "client", CONF_VOID_CLIENT }, { "any", CONF_VOID_ANY },
	{ NULL, 0 }
};
static const struct conf_word sandboxes[] = {
	{ "full", CONF_SANDBOX_FULL }, { "partial", CONF_SANDBOX_PARTIAL },
	{ NULL, 0 }
};
static const struct conf_word logformats[] = {
	{ "classic", LOGFORMAT_CLASSIC }, { "json", LOGFORMAT_JSON },
	{ NULL, 0 }
};
static const struct conf_word opinions[] = {
	{ "no", 0 }, { "libspf2", 1 }, { NULL, 0 }
};

#define VALUE(op, field, flags, arg) \
	&conf_op_##op, OFF(field), flags, arg, 0, 0
#define NUMBER(field, flags, min, max) \
	&conf_op_int, OFF(field), flags, NULL, min, max

/*
 * struct conf_key: name, type, default, programs, per user, added, help, range;
 * struct conf_row: operations, field, flags, argument, least, most.
 */
static const struct conf_row rows[] = {
	{ { "debugLevel", "number", "1", BOTH, 1, 0,
	    "how much is logged: -1 nothing, 0 errors, 1 results, up to 5",
	    "-1..5" }, NUMBER(debug_level, ROW_CLAMP, INT_MIN, INT_MAX) },
	{ { "TestOnly", "number", "1", BOTH, 1, 0,
	    "0: judge and log, but never reject or defer", NULL },
	    NUMBER(test_only, ROW_CLAMP, INT_MIN, INT_MAX) },
	{ { "HELO_reject", "choice", "Fail", BOTH, 1, 0,
	    "which results of the HELO name reject",
	    "SPF_Not_Pass|Softfail|Fail|Null|False|No_Check" },
	    VALUE(reject, helo_reject, 0, NULL) },
	{ { "Mail_From_reject", "choice", "Fail", BOTH, 1, 0,
	    "which results of MAIL FROM reject",
	    "SPF_Not_Pass|Softfail|Fail|False|No_Check" },
	    VALUE(reject, mail_from_reject, 0, NULL) },
	{ { "PermError_reject", "switch", "False", BOTH, 1, 0,
	    "reject when the sender's record has an error", "True|False" },
	    VALUE(bool, permerror_reject, 0, &as_true) },
	{ { "TempError_Defer", "switch", "False", BOTH, 1, 0,
	    "defer when DNS fails temporarily", "True|False" },
	    VALUE(bool, temperror_defer, 0, &as_true) },
	{ { "HELO_pass_restriction", "text", "", BOTH, 1, 0,
	    "Postfix action to answer when HELO passes (policy only)", NULL },
	    VALUE(text, helo_pass_restriction, ROW_POLICY | ROW_NONE, NULL) },
	{ { "Mail_From_pass_restriction", "text", "", BOTH, 1, 0,
	    "Postfix action to answer when MAIL FROM passes (policy only)",
	    NULL },
	    VALUE(text, mail_from_pass_restriction, ROW_POLICY | ROW_NONE,
	    NULL) },
	{ { "No_Mail", "switch", "False", BOTH, 1, 0,
	    "reject only for domains whose record is just \"v=spf1 -all\"",
	    "True|False" }, VALUE(bool, no_mail, 0, &as_true) },
	{ { "Reject_Not_Pass_Domains", "list", "", BOTH, 1, 0,
	    "domains for which anything but Pass and None rejects", NULL },
	    VALUE(domains, reject_not_pass_domains, ROW_NONE, NULL) },
	{ { "Prospective", "address", "", BOTH, 1, 0,
	    "judge as if mail came from this address", NULL },
	    VALUE(addr, prospective, ROW_NONE, NULL) },
	{ { "skip_addresses", "networks",
	    "127.0.0.0/8,::ffff:127.0.0.0/104,::1", BOTH, 1, 0,
	    "clients that are local: no check", NULL },
	    VALUE(nets, skip_addresses, ROW_NONE, NULL) },
	{ { "Whitelist", "networks", "", BOTH, 1, 0,
	    "relays that are trusted: no check", NULL },
	    VALUE(nets, whitelist, ROW_NONE, NULL) },
	{ { "Domain_Whitelist", "list", "", BOTH, 1, 0,
	    "domains whose own SPF record names trusted relays", NULL },
	    VALUE(domains, domain_whitelist, ROW_NONE, NULL) },
	{ { "HELO_Whitelist", "list", "", BOTH, 1, 0,
	    "HELO names of trusted relays, confirmed by their address", NULL },
	    VALUE(domains, helo_whitelist, ROW_NONE | ROW_LOWER, NULL) },
	{ { "Domain_Whitelist_PTR", "list", "", BOTH, 1, 0,
	    "domains of trusted relays, by confirmed PTR name", NULL },
	    VALUE(domains, domain_whitelist_ptr,
	    ROW_NONE | ROW_LOWER | ROW_DOT, NULL) },
	{ { "SPF_Enhanced_Status_Codes", "switch", "Yes", BOTH, 1, 0,
	    "the codes of RFC 7372 in replies", "Yes|No" },
	    VALUE(bool, enhanced_codes, 0, &as_not_no) },
	{ { "Header_Type", "choice", "SPF", BOTH, 1, 0,
	    "header of the policy service; a milter adds AR unless None",
	    "SPF|AR|None" }, VALUE(header, header_type, 0, NULL) },
	{ { "Hide_Receiver", "switch", "No", BOTH, 0, 0,
	    "leave the recipient's host out of headers and replies", "Yes|No" },
	    VALUE(bool, hide_receiver, ROW_POLICY, &as_not_no) },
	{ { "Authserv_Id", "text", "HOSTNAME", BOTH, 0, 0,
	    "name of this host in Authentication-Results", NULL },
	    VALUE(id, authserv_id, 0, NULL) },
	{ { "Lookup_Time", "number", "20", BOTH, 1, 0,
	    "seconds for the DNS lookups of a message; 0: no limit",
	    "-1..86400" }, NUMBER(lookup_time, ROW_CLAMP, -1, 86400) },
	{ { "Whitelist_Lookup_Time", "number", "10", BOTH, 1, 0,
	    "seconds of DNS for one whitelist, within Lookup_Time",
	    "-1..86400" },
	    NUMBER(whitelist_lookup_time, ROW_CLAMP, -1, 86400) },
	{ { "Void_Limit", "number", "2", BOTH, 1, 0,
	    "void lookups that a check may do", "0..1000" },
	    NUMBER(void_limit, ROW_CLAMP, 0, 1000) },
	{ { "Reason_Message", "template", REASON, BOTH, 1, 0,
	    "reply text; {rejectdefer}, {spf} and {url} are filled in", NULL },
	    VALUE(template, reason_message, 0, reason_vars) },
	{ { "Reason_URL", "template", URL, BOTH, 0, 0,
	    "text of {url}; {scope}, {id}, {ip} and {rcpt} are filled in",
	    NULL }, VALUE(url, reason_url, ROW_EQUALS, url_vars) },
	{ { "Mock", "switch", "False", BOTH, 0, 0,
	    "answer every policy request with a header to be ignored",
	    "True|False" }, VALUE(bool, mock, ROW_POLICY, &as_any) },
	{ { "QueueID", "switch", "True", BOTH, 0, 0,
	    "begin log lines with the queue id", "True|False" },
	    VALUE(bool, queue_id, ROW_POLICY, &as_never) },
	{ { "Per_User", "text", "", BOTH, 0, 0,
	    "\"text,/path\" of a file with settings by recipient", NULL },
	    VALUE(peruser, per_user_path, ROW_POLICY | ROW_NONE, NULL) },

	{ { "Socket", "socket", "local:" RUNDIR "pyspf-milter.sock", MILTER, 0,
	    0, "where the milter listens", NULL },
	    VALUE(socket, socket, 0, NULL) },
	{ { "PidFile", "path", RUNDIR "pyspf-milter.pid", MILTER, 0, 0,
	    "file for the process id; empty or none: no file", NULL },
	    VALUE(path, pid_file, ROW_NONE, NULL) },
	{ { "UserID", "text", "pyspf-milter", MILTER, 0, 0,
	    "user, or user:group, to run as", NULL },
	    VALUE(userid, user_id, 0, NULL) },
	{ { "UMask", "octal", "0007", MILTER, 0, 0, "umask of UNIX sockets",
	    "0..0777" }, &conf_op_umask, OFF(umask), 0, NULL, 0, 0777 },
	{ { "InternalHosts", "dataset", "127.0.0.1", MILTER, 0, 0,
	    "clients that the milter does not check", NULL },
	    VALUE(hosts, internal_hosts, 0, NULL) },
	{ { "MacroList", "dataset", "", MILTER, 0, 0,
	    "check only when these macros are set", NULL },
	    VALUE(macros, macro_list, 0, NULL) },

	{ { "PolicySocket", "socket", "none", MILTER, 0, 1,
	    "where the daemon speaks the policy protocol", NULL },
	    VALUE(socket, policy_socket, 0, NULL) },
	{ { "ControlSocket", "socket", "local:" RUNDIR "control.sock", MILTER,
	    0, 1, "where spfctl talks to the daemon", NULL },
	    VALUE(socket, control_socket, ROW_LOCAL, NULL) },
	{ { "Nameservers", "list", "", BOTH, 0, 1,
	    "resolvers, address[@port]; empty: /etc/resolv.conf", NULL },
	    VALUE(servers, nameservers, ROW_NONE, NULL) },
	{ { "Trust_Anchor", "path", "", BOTH, 0, 1,
	    "file with DNSSEC trust anchors; empty: no validation", NULL },
	    VALUE(path, trust_anchor, ROW_NONE, NULL) },
	{ { "DNS_Timeout", "number", "5", BOTH, 0, 1,
	    "seconds for one question", "1..60" },
	    NUMBER(dns_timeout, 0, 1, 60) },
	{ { "DNS_Cache", "number", "48", BOTH, 0, 1,
	    "megabytes of the cache of DNS answers", "1..4096" },
	    NUMBER(dns_cache, 0, 1, 4096) },
	{ { "Void_Family", "choice", "client", BOTH, 0, 1,
	    "any: a name with an address of any family is no void lookup",
	    "client|any" }, VALUE(enum, void_family, 0, void_families) },
	{ { "Workers", "number", "2", MILTER, 0, 1,
	    "number of worker processes", "1..64" },
	    NUMBER(workers, 0, 1, 64) },
	{ { "Max_Connections", "number", "4096", MILTER, 0, 1,
	    "connections of one worker", "1..65535" },
	    NUMBER(max_connections, 0, 1, 65535) },
	{ { "Milter_Frontend", "choice", "native", MILTER, 0, 1,
	    "which code speaks the milter protocol", "native|libmilter" },
	    VALUE(enum, milter_frontend, 0, frontends) },
	{ { "Sandbox", "choice", "full", BOTH, 0, 1,
	    "partial: start even where the kernel lacks a part of it",
	    "full|partial" }, VALUE(enum, sandbox, 0, sandboxes) },
	{ { "Remove_Own_AR", "switch", "yes", MILTER, 0, 1,
	    "remove Authentication-Results that claim our Authserv_Id",
	    "yes|no" }, VALUE(bool, remove_own_ar, 0, &as_added) },
	{ { "Skip_Authenticated", "switch", "yes", BOTH, 0, 1,
	    "no check for clients that logged in", "yes|no" },
	    VALUE(bool, skip_authenticated, 0, &as_added) },
	{ { "Log_Format", "choice", "classic", BOTH, 0, 1,
	    "log lines as spf-engine's, or a JSON object a message",
	    "classic|json" }, VALUE(enum, log_format, 0, logformats) },
	{ { "Second_Opinion", "choice", "no", MILTER, 0, 1,
	    "ask another library too, and report where it differs",
	    "no|libspf2" }, VALUE(enum, second_opinion, 0, opinions) },
	{ { "Second_Opinion_Sample", "number", "100", MILTER, 0, 1,
	    "percent of requests that get one", "1..100" },
	    NUMBER(second_opinion_sample, 0, 1, 100) },
	{ { "Include", "path", "", BOTH, 0, 1,
	    "a file to read in place of the line, or a pattern of files",
	    NULL }, VALUE(path, include, 0, NULL) },
};
_Static_assert(nitems(rows) <= CONF_ROWS_MAX, "a row has no bit in overlay");

/* Other names of keys, and keys of older versions of spf-engine. */
static const struct {
	const char	*name, *now, *text;
} old[] = {
	{ "MacroListVerify", "MacroList", "is the old name of MacroList" },
	{ "defaultSeedOnly", NULL, "deprecated, has no effect; use TestOnly" },
	{ "Why_URL", "Reason_URL", "" },
	{ "IntHosts", NULL, "has no effect; use InternalHosts" }
};
/* clang-format on */

const struct conf_row *
conf_row_at(size_t i)
{
	return i < nitems(rows) ? &rows[i] : NULL;
}

size_t
conf_row_index(const struct conf_row *row)
{
	return (size_t)(row - rows);
}

const struct conf_key *
conf_key_at(size_t i)
{
	return i < nitems(rows) ? &rows[i].pub : NULL;
}

const struct conf_row *
conf_row_find(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(rows); i++)
		if (strcmp(rows[i].pub.name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *
conf_old_key(const char *name, const char **now)
{
	size_t i;

	for (i = 0; i < nitems(old); i++)
		if (strcmp(old[i].name, name) == 0) {
			*now = old[i].now;
			return old[i].text;
		}
	return NULL;
}

#define NAME_MAX_LEN 40

/*
 * Returns the edit distance of two names (Damerau: a swap of neighbours is one
 * edit), without regard to ASCII case; NAME_MAX_LEN if one of them is longer.
 */
static size_t
distance(const char *a, const char *b)
{
	size_t d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t i, j, la = strlen(a), lb = strlen(b), m;

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++)
		for (j = 1; j <= lb; j++) {
			m = d[i - 1][j - 1] +
			    (ascii_lower(a[i - 1]) != ascii_lower(b[j - 1]));
			if (d[i - 1][j] + 1 < m)
				m = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < m)
				m = d[i][j - 1] + 1;
			if (i > 1 && j > 1 &&
			    ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
			    ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]) &&
			    d[i - 2][j - 2] + 1 < m)
				m = d[i - 2][j - 2] + 1;
			d[i][j] = m;
		}
	return d[la][lb];
}

/* Returns the key that is most like a misspelt name, or NULL. */
static const char *
similar_key(const char *name)
{
	const char *best = NULL;
	size_t i, d, least;

	/* At most len / 4 + 1 edits, and never more than three. */
	least = strlen(name) / 4 + 1;
	if (least > 4)
		least = 4;
	for (i = 0; i < nitems(rows); i++) {
		d = distance(name, rows[i].pub.name);
		if (d < least || (d == least && best == NULL && d < 4)) {
			least = d;
			best = rows[i].pub.name;
		}
	}
	return best;
}

void
conf_unknown_key(struct conf_ctx *x, const char *name, const char *where)
{
	const char *now, *key = NULL;

	if (conf_old_key(name, &now) == NULL)
		key = similar_key(name);
	if (key != NULL)
		conf_warn(x, "unknown key %s%s; did you mean %s?",
		    conf_show(name), where, key);
	else
		conf_warn(x, "unknown key %s%s", conf_show(name), where);
}

void *
conf_field(struct conf *c, const struct conf_row *row)
{
	return (char *)c + row->off;
}

void
conf_row_print(FILE *f, const struct conf *c, const struct conf_row *row)
{
	row->ops->print(f, row, (const char *)c + row->off);
}

static void
field_free(void *field, const struct conf_row *row)
{
	if (row->ops->free != NULL)
		row->ops->free(field);
}

void
conf_row_free(struct conf *c, const struct conf_row *row)
{
	field_free(conf_field(c, row), row);
}

int
conf_row_set(struct conf_ctx *x, struct conf *c, const struct conf_row *row,
    const char *text)
{
	void *value;
	const char *why;
	int rv;

	x->row = row;
	x->foreign = (row->pub.programs & (unsigned int)x->program) == 0 ||
	    (x->program == CONF_MILTER && (row->flags & ROW_POLICY) != 0);
	if ((why = conf_dirty(text, strlen(text))) != NULL)
		return conf_refuse_any(x, "the value %s", why);
	if (x->places != NULL)
		x->places[conf_row_index(row)] =
		    (struct conf_place){ x->file, x->line };
	value = conf_xcalloc(1, row->ops->size);
	if ((rv = row->ops->set(x, value, text)) == -1)
		field_free(value, row);
	else {
		conf_row_free(c, row);
		memcpy(conf_field(c, row), value, row->ops->size);
	}
	free(value);
	return rv;
}
