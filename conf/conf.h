/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/addr.h"

/*
 * The program of spf-engine that the configuration is for. Protocol, wording,
 * default file, keys and warnings depend on it. Also the protocol of a session.
 */
enum conf_program {
	CONF_MILTER = 1, /* pyspf-milter */
	CONF_POLICY = 2	 /* policyd-spf */
};

#define CONF_FILE_MILTER "/etc/pyspf-milter/pyspf-milter.conf"
#define CONF_FILE_POLICY "/etc/postfix-policyd-spf-python/policyd-spf.conf"

/* HELO_reject and Mail_From_reject: the results that reject. */
enum conf_reject {
	REJECT_OTHER = 0, /* a word that spf-engine does not know */
	REJECT_NOT_PASS,
	REJECT_SOFTFAIL,
	REJECT_FAIL,
	REJECT_NULL, /* for MAIL FROM the same as REJECT_OTHER */
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

/* MacroList: the macro must have one of the values; no values: any. */
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
	char *host; /* inet: a name or an address; NULL: all addresses */
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
	char *user;	   /* an address, ASCII letters in lower case */
	struct conf *conf; /* the effective configuration for it */
};
struct conf_users {
	struct conf_user *v;
	size_t n;
};

/*
 * The effective configuration. conf/keys.c explains each key, in the same
 * order. Texts are never NULL.
 */
struct conf {
	enum conf_program program;

	/* both programs */
	int debug_level;
	int test_only; /* as written; 0 is test mode */
	struct {       /* texts as written; types.c has the same struct */
		enum conf_reject helo_reject;
		char *helo_reject_text;
	};
	struct {
		enum conf_reject mail_from_reject;
		char *mail_from_reject_text;
	};
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
	char *authserv_id; /* lower case; this host's name for HOSTNAME */
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
	struct conf_socket policy_socket;
	struct conf_socket control_socket;
	struct conf_servers nameservers;
	int nameservers_found;	 /* 1: nameservers is from /etc/resolv.conf */
	char *trust_anchor;	 /* path; "": no DNSSEC */
	char *trust_anchor_text; /* the file's contents; "": none */
	int dns_timeout;	 /* seconds for one query */
	int dns_cache;		 /* megabytes */
	enum conf_void void_family;
	int workers;
	int max_connections; /* of each worker */
	enum conf_frontend milter_frontend;
	enum conf_sandbox sandbox;
	int remove_own_ar;
	int skip_authenticated;
	enum conf_logformat log_format;
	int second_opinion;	   /* 1: libspf2 */
	int second_opinion_sample; /* percent of requests */
	char *include;		   /* empty: its files have been read */
};

/* A warning or an error about a file. */
struct conf_msg {
	int error;	   /* 1: the file is refused */
	unsigned int line; /* 0: the file as a whole */
	char *key;	   /* or NULL */
	char *text;
	char *file; /* included, dataset or per-user file, or NULL */
};
struct conf_msgs {
	struct conf_msg *v;
	size_t n, errors;
};

/*
 * open() opens a file for reading; conf/ closes the stream. On an error, it
 * returns NULL with errno. At a reload, the parent opens files below directory
 * descriptors by it. Each "PYSPF_Key=value" of environment, an array like
 * environ, acts as a line "Key = value" after those of the file; messages name
 * the variable as their file.
 */
struct conf_reader {
	FILE *(*open)(void *, const char *path);
	void *arg;
	/* Opens the directory of a path. Returns a descriptor, or -1. */
	int (*dir)(void *, const char *path);
	char *const *environment; /* NULL: none */
};

/* Larger files are refused, as are files that are not regular. */
#define CONF_FILE_MAX (1024 * 1024)
/* Files of all Include lines; together not larger than CONF_FILE_MAX. */
#define CONF_INCLUDED_MAX 256
/* Messages that are stored, and the first error. */
#define CONF_MSGS_MAX 500
/* The name of a text that conf_print() made for a child. */
#define CONF_NAME_CHILD "<parent>"

/*
 * The functions below end the process when there is no memory. The caller
 * frees what they return: a configuration by conf_free(), a text by free().
 */

/* Returns the program's defaults. */
struct conf *conf_new(enum conf_program);
/* Accepts NULL. */
void conf_free(struct conf *);
/*
 * Reads a file, and the included files, datasets, trust anchors and per-user
 * file that it names; by open(2) if the reader is NULL. A missing file is an
 * error if explicit is 1; else it gives the defaults and a warning. Returns
 * NULL if there is an error in msgs. In either case the caller frees msgs by
 * conf_msgs_free(); its former contents are overwritten.
 */
struct conf *conf_load(enum conf_program, const char *path, int explicit,
    const struct conf_reader *, struct conf_msgs *);
/*
 * The same for text in memory. If the name is CONF_NAME_CHILD, opens no file,
 * gives no warnings, and reads the lines that conf_print() adds for children.
 * Other names have no effect.
 */
struct conf *conf_parse(enum conf_program, const char *text, size_t len,
    const char *name, const struct conf_reader *, struct conf_msgs *);
/* Frees what the struct holds, and empties it. */
void conf_msgs_free(struct conf_msgs *);
/* Returns "file:line: key: text". path is the file if the message has none. */
char *conf_msg_text(const char *path, const struct conf_msg *);

/*
 * Returns the configuration as text that conf_parse() reads back to the same.
 * If for_child is 1, it has the keys of both programs, and settings by
 * recipient and trust anchors in lines of their own kind.
 */
char *conf_print(const struct conf *, int for_child);

/*
 * Returns the configuration for a recipient: that of its address in users,
 * compared without regard to ASCII case, or conf itself. conf owns it.
 */
const struct conf *conf_for(const struct conf *, const char *recipient);

/* A key of the file. */
struct conf_key {
	const char *name;
	const char *type;      /* "text", "number", "list", ... */
	const char *def;       /* the default as text */
	unsigned int programs; /* CONF_MILTER | CONF_POLICY */
	int per_user;	       /* 1: allowed in the per-user file */
	int added;	       /* 1: spf-engine does not have it */
	const char *help;
	const char *range; /* "1..60", "a|b", or NULL: any */
};
/* Returns key i, or NULL at the end. */
const struct conf_key *conf_key_at(size_t);

/*
 * Reads "local:/path", "unix:/path", "/path", "inet:port[@host]",
 * "inet:host:port", the same with "inet6:", or "none". Returns 0, and the
 * caller frees by conf_socket_free(); or -1 with *why set to a constant.
 */
int conf_socket_parse(struct conf_socket *, const char *, const char **why);
/* Frees what the struct holds, and sets it to SOCK_NONE. */
void conf_socket_free(struct conf_socket *);
/*
 * Returns the canonical text: "none", "local:/path", "inet:port",
 * "inet:port@host", "inet6:port@[address]".
 */
char *conf_socket_text(const struct conf_socket *);

#define CONF_SERVERS_MAX 8
/*
 * Replaces the list by the nameserver lines of a resolv.conf: the first
 * CONF_SERVERS_MAX, without scoped addresses; 127.0.0.1 if there are none.
 * Returns the number of servers in the text.
 */
size_t conf_resolvconf(const char *, size_t, struct conf_servers *);
/* Replaces the first list by a copy of the second. */
void conf_servers_copy(struct conf_servers *, const struct conf_servers *);
/* Returns 1 if both have the same servers in the same order. */
int conf_servers_equal(const struct conf_servers *,
    const struct conf_servers *);
/* Frees what the struct holds, and empties it. */
void conf_servers_free(struct conf_servers *);

#endif
