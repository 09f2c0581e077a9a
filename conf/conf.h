/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; roles behind a parent read no files. */

#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/addr.h"

/* Which program of spf-engine: its protocol, words, file and defaults. */
enum conf_program {
	CONF_MILTER = 1, /* pyspf-milter */
	CONF_POLICY = 2	 /* policyd-spf */
};

#define CONF_FILE_MILTER "/etc/pyspf-milter/pyspf-milter.conf"
#define CONF_FILE_POLICY "/etc/postfix-policyd-spf-python/policyd-spf.conf"

/* HELO_reject and Mail_From_reject. */
enum conf_reject {
	REJECT_OTHER = 0, /* a text the original does not know */
	REJECT_NOT_PASS,
	REJECT_SOFTFAIL,
	REJECT_FAIL,
	REJECT_NULL, /* HELO only; as REJECT_OTHER for MAIL FROM */
	REJECT_FALSE,
	REJECT_NO_CHECK
};

enum conf_header {
	HEADER_SPF = 0,
	HEADER_AR,
	HEADER_NONE
};
enum conf_frontend {
	FRONTEND_NATIVE = 0,
	FRONTEND_LIBMILTER
};
enum conf_sandbox {
	CONF_SANDBOX_FULL = 0,
	CONF_SANDBOX_PARTIAL
};
enum conf_logformat {
	LOGFORMAT_CLASSIC = 0,
	LOGFORMAT_JSON
};

struct conf_strs { /* a list of texts */
	char **v;
	size_t n;
};

/* skip_addresses, Whitelist: no host bits; bad entries are left out. */
struct conf_nets {
	struct cidr *v;
	size_t n;
};

/* InternalHosts. */
struct conf_host {
	enum {
		HOST_NET = 1,
		HOST_NAME,
		HOST_DOMAIN
	} kind;
	int negated;
	struct cidr net; /* HOST_NET; a plain address has full len */
	int is_addr;	 /* written without /len */
	char *name;	 /* HOST_NAME; HOST_DOMAIN without its dot */
};
struct conf_hosts {
	struct conf_host *v;
	size_t n;
};

/* MacroList: name without braces, allowed values (none: any). */
struct conf_macro {
	char *name;
	struct conf_strs values;
};
struct conf_macros {
	struct conf_macro *v;
	size_t n;
};

/* Socket, PolicySocket, ControlSocket; both spellings of inet. */
struct conf_socket {
	enum {
		SOCK_NONE = 0,
		SOCK_LOCAL,
		SOCK_INET,
		SOCK_INET6
	} kind;
	char *path; /* SOCK_LOCAL */
	char *host; /* NULL: every address; name or address */
	uint16_t port;
};

struct conf_server { /* Nameservers */
	struct addr addr;
	uint16_t port;
};
struct conf_servers {
	struct conf_server *v;
	size_t n; /* 0: /etc/resolv.conf decides */
};

struct conf;
struct conf_user {
	char *user;	   /* full address, ASCII letters in lower case */
	struct conf *conf; /* the whole effective configuration for it */
};
struct conf_users {
	struct conf_user *v;
	size_t n;
};

/* Fields are in the order of conf/keys.c. Texts are never NULL unless said. */
struct conf {
	enum conf_program program;

	/* both programs */
	int debug_level;
	int test_only; /* the key's number; 0 is test mode */
	enum conf_reject helo_reject;
	char *helo_reject_text; /* as written */
	enum conf_reject mail_from_reject;
	char *mail_from_reject_text;
	int permerror_reject;
	int temperror_defer;
	char *helo_pass_restriction;	  /* "": unset */
	char *mail_from_pass_restriction; /* "": unset */
	int no_mail;
	struct conf_strs reject_not_pass_domains;
	struct addr prospective; /* family 0: unset */
	struct conf_nets skip_addresses;
	struct conf_nets whitelist;
	struct conf_strs domain_whitelist;
	struct conf_strs helo_whitelist;
	struct conf_strs domain_whitelist_ptr;
	int enhanced_codes;
	enum conf_header header_type; /* as written; a milter adds AR */
	int hide_receiver;
	char *authserv_id; /* lower case; HOSTNAME resolved */
	int lookup_time;
	int whitelist_lookup_time;
	int void_limit;
	char *reason_message; /* well-formed template */
	int mock;
	int queue_id;
	char *per_user_path;	 /* "": unset */
	struct conf_users users; /* its contents */

	/* milter */
	struct conf_socket socket;
	char *pid_file; /* "": none */
	char *user_id;	/* user[:group] */
	int umask;
	struct conf_hosts internal_hosts;
	struct conf_macros macro_list;

	/* ours */
	struct conf_socket policy_socket; /* default none */
	struct conf_socket control_socket;
	struct conf_servers nameservers;
	char *trust_anchor;	 /* path: DNSSEC on; "": off */
	char *trust_anchor_text; /* its contents; "": none */
	int dns_timeout;	 /* seconds for one question */
	int dns_cache;		 /* megabytes */
	int workers;
	int max_connections; /* a worker */
	enum conf_frontend milter_frontend;
	enum conf_sandbox sandbox;
	int remove_own_ar;
	int skip_authenticated;
	char *why_url; /* well-formed template; "": none */
	enum conf_logformat log_format;
	int second_opinion;	   /* libspf2 shadow on */
	int second_opinion_sample; /* percent */
};

/*
 * What the reader has to say of a file: warnings and errors. Filled afresh
 * by conf_load() and conf_parse(); to be freed even when there are none.
 */
struct conf_msg {
	int error;	   /* 1: the file is refused */
	unsigned int line; /* 0: the file as a whole */
	char *key;	   /* or NULL */
	char *text;
	char *file; /* dataset, per-user file; NULL: this file */
};
struct conf_msgs {
	struct conf_msg *v;
	size_t n, errors;
};

/*
 * How files are opened: so that the parent can read below a directory
 * descriptor at reload. Returns a stream or NULL with errno.
 */
struct conf_reader {
	FILE *(*open)(void *, const char *path);
	void *arg;
};

/*
 * A file larger than CONF_FILE_MAX or that is not regular is refused, of
 * whatever reader. Messages are bounded; errors counts all of them.
 */
#define CONF_FILE_MAX	(1024 * 1024)
#define CONF_MSGS_MAX	500
#define CONF_NAME_CHILD "<parent>"

/* All defaults of the program. Dies on no memory. */
struct conf *conf_new(enum conf_program);
void conf_free(struct conf *);
/*
 * Reads a file, its datasets and its per-user file. reader NULL: fopen().
 * explicit 0: a missing file gives defaults and a warning, otherwise an
 * error (COMPAT "missing-file"). Returns the configuration, or NULL when
 * msgs holds an error. Messages always come back in msgs.
 */
struct conf *conf_load(enum conf_program, const char *path, int explicit,
    const struct conf_reader *, struct conf_msgs *);
/*
 * The same over text in memory (children, tests, fuzz target). Under the
 * name CONF_NAME_CHILD the lines that conf_print() makes for children are
 * read too.
 */
struct conf *conf_parse(enum conf_program, const char *text, size_t len,
    const char *name, const struct conf_reader *, struct conf_msgs *);
void conf_msgs_free(struct conf_msgs *);
/* "file:line: key: text" of one message, malloced. */
char *conf_msg_text(const char *path, const struct conf_msg *);

/*
 * The effective configuration as text that conf_parse() reads back to the
 * same. for_child adds what children need beyond the file's grammar
 * (per-user entries). malloced.
 */
char *conf_print(const struct conf *, int for_child);

/* The configuration for a recipient: an entry of users, or conf itself. */
const struct conf *conf_for(const struct conf *, const char *recipient);

/* One row a key, for the man page test, -nv and spfctl. */
struct conf_key {
	const char *name;
	const char *type;      /* "text", "number", "list", ... */
	const char *def;       /* default as text */
	unsigned int programs; /* CONF_MILTER | CONF_POLICY */
	int per_user;	       /* may stand in the per-user file */
	int ours;	       /* not in spf-engine */
	const char *help;
	const char *range; /* "1..60", "a|b", or NULL: any */
};
/* Row i, or NULL at the end. */
const struct conf_key *conf_key_at(size_t);

/* "unix:", "local:", bare path, inet:port@host, inet:host:port, inet6: */
int conf_socket_parse(struct conf_socket *, const char *, const char **why);
void conf_socket_free(struct conf_socket *);
/* Its canonical text, malloced: "none", "local:/path", "inet:port@host". */
char *conf_socket_text(const struct conf_socket *);

/*
 * The nameserver lines of a resolv.conf: at most CONF_SERVERS_MAX, scoped
 * addresses left out, 127.0.0.1 when nothing remains. Replaces what the
 * list held and returns how many it holds. conf_servers_free() empties it.
 */
#define CONF_SERVERS_MAX 8
size_t conf_resolvconf(const char *, size_t, struct conf_servers *);
void conf_servers_free(struct conf_servers *);

#endif
