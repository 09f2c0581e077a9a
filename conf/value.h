/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/* The types of values that the key table uses. */

#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/local.h"

struct conf_row;

/* How values of one type are read, printed and freed. */
struct conf_ops {
	/* Reads text into a zeroed field. Returns 0, or -1 with a message. */
	int (*set)(struct conf_ctx *, void *field, const char *);
	/* Prints text that set() reads back to the same value. */
	void (*print)(FILE *, const struct conf_row *, const void *field);
	/* Frees what a field owns, also after set() failed; NULL: nothing. */
	void (*free)(void *field);
	size_t size; /* octets of the field */
};

/* A word and its value; lists of them end with a NULL name. */
struct conf_word {
	const char *name;
	int value;
};

/* How spf-engine reads a switch. */
enum conf_bool {
	BOOL_ADDED = 0,	 /* spf-engine does not have the key */
	BOOL_TRUE,	 /* only "True" is true */
	BOOL_NOT_NO,	 /* only "No" is false */
	BOOL_ANY,	 /* only "" is false */
	BOOL_KEY_REFUSED /* spf-engine refuses the key: it stays on */
};

#define ROW_CLAMP  0x01 /* a number out of range is clamped, not refused */
#define ROW_EQUALS 0x02 /* the value may contain '=' */
#define ROW_POLICY 0x04 /* a milter session does not use the key */
#define ROW_NONE   0x08 /* the word "none" unsets the key */
#define ROW_LOWER  0x10 /* warn about capitals: spf-engine never matches them */
#define ROW_LOCAL  0x20 /* only a UNIX socket or none */
#define ROW_DOT	   0x40 /* a leading dot means: subdomains only */

/* A row of the key table. */
struct conf_row {
	struct conf_key pub;
	const struct conf_ops *ops;
	size_t off; /* of the field in struct conf */
	unsigned int flags;
	const void *arg; /* enum conf_bool, conf_words, template names */
	long min, max;	 /* of a number */
};

extern const struct conf_ops conf_op_int, conf_op_umask, conf_op_bool,
    conf_op_enum, conf_op_header, conf_op_reject, conf_op_text,
    conf_op_template, conf_op_url, conf_op_id, conf_op_path, conf_op_userid,
    conf_op_peruser, conf_op_addr, conf_op_nets, conf_op_domains, conf_op_hosts,
    conf_op_macros, conf_op_servers, conf_op_socket;

/*
 * types.c: returns 1 when a value of the context's row is empty or the word
 * that unsets the key (ROW_NONE).
 */
int conf_unset(struct conf_ctx *, const char *);

/* Flags that conf_entry() sets. */
#define ENTRY_BLANK 0x01 /* it dropped a blank */
#define ENTRY_EMPTY 0x02 /* an entry is empty */
/*
 * lists.c: takes the next entry off a list, without the blanks around it.
 * Commas separate entries; if blanks is 1, white space does so too. Returns 0
 * at the end, where *list is NULL.
 */
int conf_entry(const char **list, const char **entry, size_t *n, int blanks,
    unsigned int *flags);
/* lists.c: prints "addr/len", or "addr" for a network of one address. */
void conf_print_net(FILE *, const struct cidr *);
/* lists.c: clears the bits after a network's prefix, with a warning. */
void conf_clear_hostbits(struct conf_ctx *, struct cidr *, const char *entry);
/* lists.c: frees what the list holds, and empties it. */
void conf_strs_free(struct conf_strs *);

#endif
