/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * The table of all keys. Reading, printing, the per-user file and the test
 * of the man page all use it.
 */

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "conf/keys.h"
#include "proto/text.h"

#define OFF(f) offsetof(struct conf, f)
#define BOTH   (CONF_MILTER | CONF_POLICY)
#define MILTER CONF_MILTER
#define REASON "Message {rejectdefer} due to: {spf}. Please see {url}"
#define URL                                                    \
	"http://www.openspf.net/Why?s={scope};id={id};ip={ip}" \
	";r={rcpt}"
#define RUNDIR "/run/pyspf-milter/"

static const enum conf_bool as_true = BOOL_TRUE, as_not_no = BOOL_NOT_NO,
			    as_any = BOOL_ANY, as_ours = BOOL_OURS,
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

/*
 * struct conf_key: name, type, default, programs, per user, ours, help, range;
 * struct conf_row: operations, field, second field, least, most, argument,
 * flags.
 */
static const struct conf_row rows[] = {
	{ { "debugLevel", "number", "1", BOTH, 1, 0,
	    "how much is logged: -1 nothing, 0 errors, 1 results, up to 5",
	    "-1..5" },
	    &conf_op_int, OFF(debug_level), 0, INT_MIN, INT_MAX, NULL,
	    ROW_CLAMP },
	{ { "TestOnly", "number", "1", BOTH, 1, 0,
	    "0: judge and log, but never reject or defer", NULL },
	    &conf_op_int, OFF(test_only), 0, INT_MIN, INT_MAX, NULL,
	    ROW_CLAMP },
	{ { "HELO_reject", "choice", "Fail", BOTH, 1, 0,
	    "which results of the HELO name reject",
	    "SPF_Not_Pass|Softfail|Fail|Null|False|No_Check" },
	    &conf_op_reject, OFF(helo_reject), OFF(helo_reject_text),
	    0, 0, NULL, 0 },
	{ { "Mail_From_reject", "choice", "Fail", BOTH, 1, 0,
	    "which results of MAIL FROM reject",
	    "SPF_Not_Pass|Softfail|Fail|False|No_Check" },
	    &conf_op_reject, OFF(mail_from_reject),
	    OFF(mail_from_reject_text), 0, 0, NULL, 0 },
	{ { "PermError_reject", "switch", "False", BOTH, 1, 0,
	    "reject when the sender's record has an error", "True|False" },
	    &conf_op_bool, OFF(permerror_reject), 0, 0, 0, &as_true, 0 },
	{ { "TempError_Defer", "switch", "False", BOTH, 1, 0,
	    "defer when DNS fails temporarily", "True|False" },
	    &conf_op_bool, OFF(temperror_defer), 0, 0, 0, &as_true, 0 },
	{ { "HELO_pass_restriction", "text", "", BOTH, 1, 0,
	    "Postfix action to answer when HELO passes (policy only)", NULL },
	    &conf_op_text, OFF(helo_pass_restriction), 0, 0, 0, NULL,
	    ROW_POLICY | ROW_NONE },
	{ { "Mail_From_pass_restriction", "text", "", BOTH, 1, 0,
	    "Postfix action to answer when MAIL FROM passes (policy only)",
	    NULL },
	    &conf_op_text, OFF(mail_from_pass_restriction), 0, 0, 0, NULL,
	    ROW_POLICY | ROW_NONE },
	{ { "No_Mail", "switch", "False", BOTH, 1, 0,
	    "reject only for domains whose record is just \"v=spf1 -all\"",
	    "True|False" },
	    &conf_op_bool, OFF(no_mail), 0, 0, 0, &as_true, 0 },
	{ { "Reject_Not_Pass_Domains", "list", "", BOTH, 1, 0,
	    "domains for which anything but Pass and None rejects", NULL },
	    &conf_op_domains, OFF(reject_not_pass_domains), 0, 0, 0, NULL,
	    ROW_NONE },
	{ { "Prospective", "address", "", BOTH, 1, 0,
	    "judge as if mail came from this address", NULL },
	    &conf_op_addr, OFF(prospective), 0, 0, 0, NULL, ROW_NONE },
	{ { "skip_addresses", "networks",
	    "127.0.0.0/8,::ffff:127.0.0.0/104,::1", BOTH, 1, 0,
	    "clients that are local: no check", NULL },
	    &conf_op_nets, OFF(skip_addresses), 0, 0, 0, NULL, ROW_NONE },
	{ { "Whitelist", "networks", "", BOTH, 1, 0,
	    "relays that are trusted: no check", NULL },
	    &conf_op_nets, OFF(whitelist), 0, 0, 0, NULL, ROW_NONE },
	{ { "Domain_Whitelist", "list", "", BOTH, 1, 0,
	    "domains whose own SPF record names trusted relays", NULL },
	    &conf_op_domains, OFF(domain_whitelist), 0, 0, 0, NULL,
	    ROW_NONE },
	{ { "HELO_Whitelist", "list", "", BOTH, 1, 0,
	    "HELO names of trusted relays, confirmed by their address",
	    NULL },
	    &conf_op_domains, OFF(helo_whitelist), 0, 0, 0, NULL,
	    ROW_NONE | ROW_LOWER },
	{ { "Domain_Whitelist_PTR", "list", "", BOTH, 1, 0,
	    "domains of trusted relays, by confirmed PTR name", NULL },
	    &conf_op_domains, OFF(domain_whitelist_ptr), 0, 0, 0, NULL,
	    ROW_NONE | ROW_LOWER | ROW_DOT },
	{ { "SPF_Enhanced_Status_Codes", "switch", "Yes", BOTH, 1, 0,
	    "the codes of RFC 7372 in replies", "Yes|No" },
	    &conf_op_bool, OFF(enhanced_codes), 0, 0, 0, &as_not_no, 0 },
	{ { "Header_Type", "choice", "SPF", BOTH, 1, 0,
	    "header of the policy service; a milter adds AR unless None",
	    "SPF|AR|None" },
	    &conf_op_header, OFF(header_type), 0, 0, 0, NULL, 0 },
	{ { "Hide_Receiver", "switch", "No", BOTH, 0, 0,
	    "leave the recipient's host out of headers and replies",
	    "Yes|No" },
	    &conf_op_bool, OFF(hide_receiver), 0, 0, 0, &as_not_no,
	    ROW_POLICY },
	{ { "Authserv_Id", "text", "HOSTNAME", BOTH, 0, 0,
	    "name of this host in Authentication-Results", NULL },
	    &conf_op_id, OFF(authserv_id), 0, 0, 0, NULL, 0 },
	{ { "Lookup_Time", "number", "20", BOTH, 1, 0,
	    "seconds of DNS for HELO and MAIL FROM of a message; 0: no limit"
	    " of its own", "-1..86400" },
	    &conf_op_int, OFF(lookup_time), 0, -1, 86400, NULL, ROW_CLAMP },
	{ { "Whitelist_Lookup_Time", "number", "10", BOTH, 1, 0,
	    "seconds of DNS for one whitelist, within Lookup_Time",
	    "-1..86400" },
	    &conf_op_int, OFF(whitelist_lookup_time), 0, -1, 86400, NULL,
	    ROW_CLAMP },
	{ { "Void_Limit", "number", "2", BOTH, 1, 0,
	    "void lookups that a check may do", "0..1000" },
	    &conf_op_int, OFF(void_limit), 0, 0, 1000, NULL, ROW_CLAMP },
	{ { "Reason_Message", "template", REASON, BOTH, 1, 0,
	    "reply text; {rejectdefer}, {spf} and {url} are filled in",
	    NULL },
	    &conf_op_template, OFF(reason_message), 0, 0, 0, reason_vars, 0 },
	{ { "Reason_URL", "template", URL, BOTH, 0, 0,
	    "text of {url}; {scope}, {id}, {ip} and {rcpt} are filled in",
	    NULL },
	    &conf_op_url, OFF(reason_url), 0, 0, 0, url_vars, ROW_EQUALS },
	{ { "Mock", "switch", "False", BOTH, 0, 0,
	    "answer every policy request with a header to be ignored",
	    "True|False" },
	    &conf_op_bool, OFF(mock), 0, 0, 0, &as_any, ROW_POLICY },
	{ { "QueueID", "switch", "True", BOTH, 0, 0,
	    "begin log lines with the queue id", "True|False" },
	    &conf_op_bool, OFF(queue_id), 0, 0, 0, &as_never, ROW_POLICY },
	{ { "Per_User", "text", "", BOTH, 0, 0,
	    "\"text,/path\" of a file with settings by recipient", NULL },
	    &conf_op_peruser, OFF(per_user_path), 0, 0, 0, NULL,
	    ROW_POLICY | ROW_NONE },

	{ { "Socket", "socket", "local:" RUNDIR "pyspf-milter.sock", MILTER,
	    0, 0, "where the milter listens", NULL },
	    &conf_op_socket, OFF(socket), 0, 0, 0, NULL, 0 },
	{ { "PidFile", "path", RUNDIR "pyspf-milter.pid", MILTER, 0, 0,
	    "file for the process id; empty or none: no file", NULL },
	    &conf_op_path, OFF(pid_file), 0, 0, 0, NULL, ROW_NONE },
	{ { "UserID", "text", "pyspf-milter", MILTER, 0, 0,
	    "user, or user:group, to run as", NULL },
	    &conf_op_userid, OFF(user_id), 0, 0, 0, NULL, 0 },
	{ { "UMask", "octal", "0007", MILTER, 0, 0,
	    "umask of UNIX sockets", "0..0777" },
	    &conf_op_umask, OFF(umask), 0, 0, 0777, NULL, 0 },
	{ { "InternalHosts", "dataset", "127.0.0.1", MILTER, 0, 0,
	    "clients that the milter does not check", NULL },
	    &conf_op_hosts, OFF(internal_hosts), 0, 0, 0, NULL, 0 },
	{ { "MacroList", "dataset", "", MILTER, 0, 0,
	    "check only when these macros are set", NULL },
	    &conf_op_macros, OFF(macro_list), 0, 0, 0, NULL, 0 },

	{ { "PolicySocket", "socket", "none", MILTER, 0, 1,
	    "where the daemon speaks the policy protocol", NULL },
	    &conf_op_socket, OFF(policy_socket), 0, 0, 0, NULL, 0 },
	{ { "ControlSocket", "socket", "local:" RUNDIR "control.sock",
	    MILTER, 0, 1, "where spfctl talks to the daemon", NULL },
	    &conf_op_socket, OFF(control_socket), 0, 0, 0, NULL, ROW_LOCAL },
	{ { "Nameservers", "list", "", BOTH, 0, 1,
	    "resolvers, address[@port]; empty: /etc/resolv.conf", NULL },
	    &conf_op_servers, OFF(nameservers), 0, 0, 0, NULL, ROW_NONE },
	{ { "Trust_Anchor", "path", "", BOTH, 0, 1,
	    "file with DNSSEC trust anchors; empty: no validation", NULL },
	    &conf_op_path, OFF(trust_anchor), 0, 0, 0, NULL, ROW_NONE },
	{ { "DNS_Timeout", "number", "5", BOTH, 0, 1,
	    "seconds for one question", "1..60" },
	    &conf_op_int, OFF(dns_timeout), 0, 1, 60, NULL, 0 },
	{ { "DNS_Cache", "number", "48", BOTH, 0, 1,
	    "megabytes of the cache of DNS answers", "1..4096" },
	    &conf_op_int, OFF(dns_cache), 0, 1, 4096, NULL, 0 },
	{ { "Void_Family", "choice", "client", BOTH, 0, 1,
	    "any: a name with an address of any family is no void lookup",
	    "client|any" },
	    &conf_op_enum, OFF(void_family), 0, 0, 0, void_families, 0 },
	{ { "Workers", "number", "2", MILTER, 0, 1,
	    "number of worker processes", "1..64" },
	    &conf_op_int, OFF(workers), 0, 1, 64, NULL, 0 },
	{ { "Max_Connections", "number", "4096", MILTER, 0, 1,
	    "connections of one worker", "1..65535" },
	    &conf_op_int, OFF(max_connections), 0, 1, 65535, NULL, 0 },
	{ { "Milter_Frontend", "choice", "native", MILTER, 0, 1,
	    "which code speaks the milter protocol", "native|libmilter" },
	    &conf_op_enum, OFF(milter_frontend), 0, 0, 0, frontends, 0 },
	{ { "Sandbox", "choice", "full", BOTH, 0, 1,
	    "partial: start even where the kernel lacks a part of it",
	    "full|partial" },
	    &conf_op_enum, OFF(sandbox), 0, 0, 0, sandboxes, 0 },
	{ { "Remove_Own_AR", "switch", "yes", MILTER, 0, 1,
	    "remove Authentication-Results that claim our Authserv_Id",
	    "yes|no" },
	    &conf_op_bool, OFF(remove_own_ar), 0, 0, 0, &as_ours, 0 },
	{ { "Skip_Authenticated", "switch", "yes", BOTH, 0, 1,
	    "no check for clients that logged in", "yes|no" },
	    &conf_op_bool, OFF(skip_authenticated), 0, 0, 0, &as_ours, 0 },
	{ { "Log_Format", "choice", "classic", BOTH, 0, 1,
	    "log lines as spf-engine's, or a JSON object a message",
	    "classic|json" },
	    &conf_op_enum, OFF(log_format), 0, 0, 0, logformats, 0 },
	{ { "Second_Opinion", "choice", "no", MILTER, 0, 1,
	    "ask another library too, and report where it differs",
	    "no|libspf2" },
	    &conf_op_enum, OFF(second_opinion), 0, 0, 0, opinions, 0 },
	{ { "Second_Opinion_Sample", "number", "100", MILTER, 0, 1,
	    "percent of requests that get one", "1..100" },
	    &conf_op_int, OFF(second_opinion_sample), 0, 1, 100, NULL, 0 }
};
/* clang-format on */

#define NROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(NROWS <= CONF_ROWS_MAX, "struct overlay has a bit for each row");

/* Other names of keys, and keys of older versions of spf-engine. */
/* clang-format off */
static const struct {
	const char	*name, *now, *text;
} old[] = {
	{ "MacroListVerify", "MacroList",
	    "this is the old name of MacroList" },
	{ "defaultSeedOnly", NULL,
	    "deprecated, has no effect; use TestOnly" },
	{ "Why_URL", "Reason_URL", "" },
	{ "IntHosts", NULL, "has no effect; use InternalHosts" }
};
/* clang-format on */

const struct conf_row *
conf_row_at(size_t i)
{
	return i < NROWS ? &rows[i] : NULL;
}

size_t
conf_row_index(const struct conf_row *row)
{
	return (size_t)(row - rows);
}

const struct conf_key *
conf_key_at(size_t i)
{
	return i < NROWS ? &rows[i].pub : NULL;
}

const struct conf_row *
conf_row_find(const char *name)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (strcmp(rows[i].pub.name, name) == 0)
			return &rows[i];
	return NULL;
}

const char *
conf_old_key(const char *name, const char **now)
{
	size_t i;

	for (i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strcmp(old[i].name, name) == 0) {
			*now = old[i].now;
			return old[i].text;
		}
	return NULL;
}

#define NAME_MAX_LEN 40

/*
 * The edit distance of two names (Damerau: a swap of neighbours is one edit),
 * without regard to ASCII case. A name of more than NAME_MAX_LEN octets is
 * NAME_MAX_LEN away from any other.
 */
static size_t
distance(const char *a, const char *b)
{
	size_t d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t i, j, la, lb, m;

	la = strlen(a);
	lb = strlen(b);
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

/* The key that a misspelt name comes close to, or NULL. */
static const char *
row_near(const char *name)
{
	const char *best = NULL;
	size_t i, d, least;

	/* At most len / 4 + 1 edits, and never more than three. */
	least = strlen(name) / 4 + 1;
	if (least > 4)
		least = 4;
	for (i = 0; i < NROWS; i++) {
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
	const char *now, *near;

	near = conf_old_key(name, &now) != NULL ? NULL : row_near(name);
	conf_warn(x, "unknown key %s%s%s%s%s", conf_show(name), where,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
}

int
conf_row_set(struct conf_ctx *x, struct conf *c, const struct conf_row *row,
    const char *value)
{
	const char *why;

	x->foreign = (row->pub.programs & (unsigned int)x->program) == 0 ||
	    (x->program == CONF_MILTER && (row->flags & ROW_POLICY) != 0);
	if ((why = conf_dirty(value, strlen(value))) != NULL)
		return conf_refuse_any(x, "the value %s", why);
	if (x->lines != NULL)
		x->lines[conf_row_index(row)] = x->line;
	return row->ops->set(x, row, c, value);
}
