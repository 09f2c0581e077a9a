/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/* What types.c, lists.c, sockets.c and datasets.c offer to the key table. */

#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/local.h"

struct conf_row;

/* How values of one kind are read, printed and freed. */
struct conf_ops {
	/* 0; or -1 with a message, and the field is unchanged. */
	int (*set)(struct conf_ctx *, const struct conf_row *, struct conf *,
	    const char *);
	/* Prints a value that set() reads back to the same. */
	void (*print)(FILE *, const struct conf_row *, const struct conf *);
	/* Frees what the field owns; NULL: nothing. */
	void (*free)(const struct conf_row *, struct conf *);
	size_t size; /* octets of the field */
};

/* A word and its value; lists of them end with a NULL name. */
struct conf_word {
	const char *name;
	int value;
};

/* How spf-engine reads the text of a switch. */
enum conf_bool {
	BOOL_OURS = 0,	 /* it does not know the key */
	BOOL_TRUE,	 /* only "True" is true */
	BOOL_NOT_NO,	 /* only "No" is false */
	BOOL_ANY,	 /* only "" is false */
	BOOL_KEY_REFUSED /* it refuses the key: its switch stays on */
};

#define ROW_CLAMP  0x01 /* a number out of range is clamped, not refused */
#define ROW_EQUALS 0x02 /* the value may contain '=' */
#define ROW_POLICY 0x04 /* a milter session does not use it */
#define ROW_NONE   0x08 /* the word "none" unsets it */
#define ROW_LOWER  0x10 /* capitals are warned of: spf-engine never matches */
#define ROW_LOCAL  0x20 /* a UNIX socket or none */
#define ROW_DOT	   0x40 /* a leading dot means: subdomains only */

/* A key: its public row and how its field of struct conf is handled. */
struct conf_row {
	struct conf_key pub;
	const struct conf_ops *ops;
	size_t off;	 /* of the field in struct conf */
	size_t off2;	 /* of a char * beside it, or 0 */
	long min, max;	 /* of a number */
	const void *arg; /* enum conf_bool, conf_words, template names */
	unsigned int flags;
};

#define conf_field(type, c, row) ((type *)(void *)((char *)(c) + (row)->off))
#define conf_cfield(type, c, row) \
	((type const *)(const void *)((const char *)(c) + (row)->off))

extern const struct conf_ops conf_op_int, conf_op_umask, conf_op_bool,
    conf_op_enum, conf_op_header, conf_op_reject, conf_op_text,
    conf_op_template, conf_op_url, conf_op_id, conf_op_path, conf_op_userid,
    conf_op_peruser, conf_op_addr, conf_op_nets, conf_op_domains, conf_op_hosts,
    conf_op_macros, conf_op_servers, conf_op_socket;

/* types.c: 1 when the value is the word that unsets the key (ROW_NONE). */
int conf_unset(struct conf_ctx *, const struct conf_row *, const char *);

/* What conf_entry() met; ORed together. */
#define ENTRY_BLANK 0x01 /* a blank was left out */
#define ENTRY_EMPTY 0x02 /* an entry is empty */
/*
 * lists.c: takes the next entry off a list, without blanks round it; returns
 * 0 at the end. Commas separate entries, and with blanks 1 white space, too.
 */
int conf_entry(const char **list, const char **entry, size_t *n, int blanks,
    unsigned int *met);
/* lists.c: "addr/len", or "addr" for a network of one address. */
void conf_print_net(FILE *, const struct cidr *);
/* lists.c: clears the bits after a network's prefix, with a warning. */
void conf_clear_hostbits(struct conf_ctx *, struct cidr *, const char *entry);
/* lists.c: frees what the list holds, not the struct, and empties it. */
void conf_strs_free(struct conf_strs *);

#endif
