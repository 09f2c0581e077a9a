/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/addr.h"

/*
 * Which program of spf-engine the configuration is for: protocol, words,
 * default file, keys and warnings differ. Also the protocol of a session.
 */
enum conf_program {
	CONF_MILTER = 1, /* pyspf-milter */
	CONF_POLICY = 2	 /* policyd-spf */
};

#define CONF_FILE_MILTER "/etc/pyspf-milter/pyspf-milter.conf"
#define CONF_FILE_POLICY "/etc/postfix-policyd-spf-python/policyd-spf.conf"

/* HELO_reject and Mail_From_reject: which results reject. */
enum conf_reject {
	REJECT_OTHER = 0, /* a word that spf-engine does not know */
	REJECT_NOT_PASS,
	REJECT_SOFTFAIL,
	REJECT_FAIL,
	REJECT_NULL, /* HELO_reject; in Mail_From_reject as REJECT_OTHER */
	REJECT_FALSE,
	REJECT_NO_CHECK
};

enum conf_header { /* Header_Type */
	HEADER_SPF = 0,
	HEADER_AR,
	HEADER_NONE
};
enum conf_frontend { /* Milter_Frontend */
	FRONTEND_NATIVE = 0,
	FRONTEND_LIBMILTER
};
enum conf_void { /* Void_Family */
	CONF_VOID_CLIENT = 0,
	CONF_VOID_ANY
};
enum conf_sandbox { /* Sandbox */
	CONF_SANDBOX_FULL = 0,
	CONF_SANDBOX_PARTIAL
};
enum conf_logformat { /* Log_Format */
	LOGFORMAT_CLASSIC = 0,
	LOGFORMAT_JSON
};

struct conf_strs {
	char **v;
	size_t n;
};

/* skip_addresses, Whitelist: the bits after each prefix are 0. */
struct conf_nets {
	struct cidr *v;
	size_t n;
};

/* InternalHosts: an address, a network, a host name or a ".domain". */
struct conf_host {
	enum {
		HOST_NET = 1,
		HOST_NAME,
		HOST_DOMAIN
	} kind;
	int negated;	 /* written with "!" before it */
	struct cidr net; /* HOST_NET; an address has the full len */
	int is_addr;	 /* HOST_NET: written without /len */
	char *name;	 /* HOST_NAME; HOST_DOMAIN, without its dot */
};
struct conf_hosts {
	struct conf_host *v;
	size_t n;
};

/* MacroList: a macro must have one of the values; no values: any. */
struct conf_macro {
	char *name; /* without braces */
	struct conf_strs values;
};
struct conf_macros {
	struct conf_macro *v;
	size_t n;
};

/* Socket, PolicySocket, ControlSocket. */
struct conf_socket {
	enum {
		SOCK_NONE = 0,
		SOCK_LOCAL,
		SOCK_INET,
		SOCK_INET6
	} kind;
	char *path; /* SOCK_LOCAL */
	char *host; /* inet: a name or an address; NULL: every address */
	uint16_t port;
};

/* Nameservers. */
struct conf_server {
	struct addr addr;
	uint16_t port;
};
struct conf_servers {
	struct conf_server *v;
	size_t n; /* 0: those of /etc/resolv.conf */
};

/* Per_User. */
struct conf;
struct conf_user {
	char *user;	   /* a whole address, ASCII letters in lower case */
	struct conf *conf; /* the whole effective configuration for it */
};
struct conf_users {
	struct conf_user *v;
	size_t n;
};

/*
 * The effective configuration; fields in the order of conf/keys.c, where each
 * key is explained. Texts are never NULL. conf_free() frees all of it.
 */
struct conf {
	enum conf_program program;

	/* both programs */
	int debug_level;
	int test_only; /* as written; 0 is test mode */
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
	enum conf_header header_type; /* HEADER_SPF: a milter still adds AR */
	int hide_receiver;
	char *authserv_id; /* lower case; for HOSTNAME this host's name */
	int lookup_time;   /* seconds */
	int whitelist_lookup_time; /* seconds */
	int void_limit;
	char *reason_message; /* a well-formed template */
	char *reason_url;     /* a well-formed template; "": none */
	int mock;
	int queue_id;
	char *per_user_path;	 /* "": unset */
	struct conf_users users; /* the contents of that file */

	/* milter */
	struct conf_socket socket;
	char *pid_file; /* "": none */
	char *user_id;	/* user[:group] */
	int umask;
	struct conf_hosts internal_hosts;
	struct conf_macros macro_list;

	/* keys that spf-engine does not have */
	struct conf_socket policy_socket; /* default none */
	struct conf_socket control_socket;
	struct conf_servers nameservers;
	int nameservers_found;	 /* no key: those of /etc/resolv.conf */
	char *trust_anchor;	 /* path: DNSSEC on; "": off */
	char *trust_anchor_text; /* its contents; "": none */
	int dns_timeout;	 /* seconds for one question */
	int dns_cache;		 /* megabytes */
	enum conf_void void_family;
	int workers;
	int max_connections; /* of each worker */
	enum conf_frontend milter_frontend;
	enum conf_sandbox sandbox;
	int remove_own_ar;
	int skip_authenticated;
	enum conf_logformat log_format;
	int second_opinion;	   /* 1: run the libspf2 shadow */
	int second_opinion_sample; /* percent of requests */
};

/* A warning or an error about a file. */
struct conf_msg {
	int error;	   /* 1: the file is refused */
	unsigned int line; /* 0: the file as a whole */
	char *key;	   /* or NULL */
	char *text;
	char *file; /* a dataset or per-user file; NULL: the file itself */
};
struct conf_msgs {
	struct conf_msg *v;
	size_t n, errors;
};

/*
 * Opens a file for reading: a stream, which conf/ closes, or NULL with errno.
 * The parent uses it to open files below a directory descriptor at reload.
 */
struct conf_reader {
	FILE *(*open)(void *, const char *path);
	void *arg;
};

/* Larger files are refused, and files that are not regular. */
#define CONF_FILE_MAX (1024 * 1024)
/* Messages that are kept; the first error is always kept, all are counted. */
#define CONF_MSGS_MAX 500
/* The name of a text that conf_print() made for a child. */
#define CONF_NAME_CHILD "<parent>"

/*
 * All functions below exit the process, or abort it, when there is no memory.
 */

/* A configuration with the program's defaults, for conf_free(). */
struct conf *conf_new(enum conf_program);
/* NULL is allowed. */
void conf_free(struct conf *);
/*
 * Reads a file, and the datasets, trust anchors and per-user file that it
 * names; by fopen() when the reader is NULL. A missing file is an error if
 * explicit, otherwise it gives the defaults and a warning. Returns a
 * configuration for conf_free(), or NULL when there is an error in msgs. msgs
 * is overwritten; the caller frees it by conf_msgs_free() in either case.
 */
struct conf *conf_load(enum conf_program, const char *path, int explicit,
    const struct conf_reader *, struct conf_msgs *);
/*
 * The same for text in memory. Under the name CONF_NAME_CHILD no file is
 * opened, there are no warnings, and the lines that conf_print() adds for
 * children are read, too; other names have no effect.
 */
struct conf *conf_parse(enum conf_program, const char *text, size_t len,
    const char *name, const struct conf_reader *, struct conf_msgs *);
/* Frees what it holds, not the struct, and empties it. */
void conf_msgs_free(struct conf_msgs *);
/*
 * A message as "file:line: key: text", malloced. path is used for the file
 * when the message names no other.
 */
char *conf_msg_text(const char *path, const struct conf_msg *);

/*
 * The effective configuration as text that conf_parse() reads back to the
 * same, malloced. With for_child it has the keys of both programs, and lines
 * that the file's grammar does not have: settings by recipient and the trust
 * anchors.
 */
char *conf_print(const struct conf *, int for_child);

/*
 * The configuration for a recipient's whole address, in any case: that of its
 * entry in users, or conf itself. It lives as long as conf.
 */
const struct conf *conf_for(const struct conf *, const char *recipient);

/* A key, as the manual, its test and "pyspf-milter -nv" have it. */
struct conf_key {
	const char *name;
	const char *type;      /* "text", "number", "list", ... */
	const char *def;       /* the default as text */
	unsigned int programs; /* CONF_MILTER | CONF_POLICY */
	int per_user;	       /* 1: allowed in the per-user file */
	int ours;	       /* 1: spf-engine does not have it */
	const char *help;
	const char *range; /* "1..60", "a|b", or NULL: any */
};
/* Key i, or NULL at the end. */
const struct conf_key *conf_key_at(size_t);

/*
 * Reads "local:/path", "unix:/path", "/path", "inet:port[@host]",
 * "inet:host:port", the same with "inet6:", or "none". Returns 0, to be freed
 * by conf_socket_free(); or -1 with *why set to a constant, and nothing to
 * free.
 */
int conf_socket_parse(struct conf_socket *, const char *, const char **why);
/* Frees what it holds, not the struct, and sets it to SOCK_NONE. */
void conf_socket_free(struct conf_socket *);
/*
 * The canonical text, malloced: "none", "local:/path", "inet:port",
 * "inet:port@host", "inet6:port@[address]".
 */
char *conf_socket_text(const struct conf_socket *);

#define CONF_SERVERS_MAX 8
/*
 * Replaces the list by the nameserver lines of a resolv.conf: the first
 * CONF_SERVERS_MAX, without scoped addresses; 127.0.0.1 when there are none.
 * Returns how many the text names.
 */
size_t conf_resolvconf(const char *, size_t, struct conf_servers *);
/* Replaces the first list by the second. Exits on no memory. */
void conf_servers_copy(struct conf_servers *, const struct conf_servers *);
/* 1 when both name the same servers in the same order. */
int conf_servers_equal(const struct conf_servers *,
    const struct conf_servers *);
/* Frees what it holds, not the struct, and empties it. */
void conf_servers_free(struct conf_servers *);

#endif
