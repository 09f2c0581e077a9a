/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Inside of conf/ only. */

#ifndef CONF_LOCAL_H
#define CONF_LOCAL_H

#include <stdarg.h>

#include "conf/conf.h"
#include "proto/python.h"

/* What a reader knows while it goes through a file. */
struct conf_ctx {
	enum conf_program program;
	const struct conf_reader *reader;
	struct conf_msgs *msgs;
	const char *file; /* NULL: the configuration file */
	unsigned int line;
	const char *key;
	int child;	     /* the text is our own parent's */
	FILE *anchors;	     /* child: trust_anchor_text grows */
	int foreign;	     /* the key is the other program's */
	int per_user;	     /* a refused value ends the line only */
	unsigned int *lines; /* by row: where it was last set */
};

struct conf_row;

/* How values of one kind are read, written and freed. */
struct conf_ops {
	/* 0, or -1: told, and the field is as it was. */
	int (*set)(struct conf_ctx *, const struct conf_row *, struct conf *,
	    const char *);
	void (*print)(FILE *, const struct conf_row *, const struct conf *);
	void (*free)(const struct conf_row *, struct conf *);
	size_t size; /* octets of the field */
};

struct conf_word {
	const char *name;
	int value;
};

/* How the original reads the text of a switch. */
enum conf_bool {
	BOOL_OURS = 0, /* it does not know the key */
	BOOL_TRUE,     /* only "True" is true */
	BOOL_NOT_NO,   /* only "No" is false */
	BOOL_ANY,      /* only "" is false */
	BOOL_NEVER     /* it refuses the key; always true */
};

#define ROW_CLAMP  0x01 /* the original takes any number */
#define ROW_EQUALS 0x02 /* the value may contain '=' */
#define ROW_POLICY 0x04 /* a milter session has no use for it */
#define ROW_NONE   0x08 /* the word "none" unsets it */
#define ROW_LOCAL  0x20 /* a UNIX socket or none */
#define ROW_DOT	   0x40 /* a leading dot means: only below */
#define ROW_LOWER  0x10 /* the original never matches capitals */

struct conf_row {
	struct conf_key pub;
	const struct conf_ops *ops;
	size_t off;
	size_t off2; /* char * beside it, or 0 */
	long min, max;
	const void *arg;
	unsigned int flags;
};

#define CONF_ROWS_MAX 64

#define conf_field(type, c, row) ((type *)(void *)((char *)(c) + (row)->off))
#define conf_cfield(type, c, row) \
	((type const *)(const void *)((const char *)(c) + (row)->off))

/* keys.c */
const struct conf_row *conf_row_at(size_t);
size_t conf_row_index(const struct conf_row *);
const struct conf_row *conf_row_find(const char *);
/* The known key that a misspelt one comes close to, or NULL. */
const char *conf_row_near(const char *);
/* A key of old files: returns its text for the log; *now: today's key. */
const char *conf_old_key(const char *, const char **now);
/* Defaults, Authserv_Id still unresolved: no system call. */
struct conf *conf_defaults(enum conf_program);

/* msgs.c */
void conf_warn(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* An error; a warning where the value could not matter (foreign, user). */
int conf_refuse(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* The same for what stopped the original even in the other program. */
int conf_refuse_any(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* A quoted, escaped, shortened copy for messages, in a static ring. */
const char *conf_show(const char *);
void *conf_xcalloc(size_t, size_t);
void *conf_xgrow(void *, size_t, size_t);
char *conf_xstrndup(const char *, size_t);

/* parse.c */
/* Whole file, malloced and NUL-terminated, or NULL with errno. */
char *conf_read(struct conf_ctx *, const char *, size_t *);
/* Next line: LF, CRLF or CR end it. 0 at the end of the text. */
int conf_line(const char **, size_t *, const char **, size_t *);
/* 0, or why a value cannot be used: not UTF-8, a control character. */
const char *conf_dirty(const char *, size_t);
int conf_apply(struct conf_ctx *, struct conf *, const struct conf_row *,
    const char *);

/* peruser.c */
void conf_users_parse(struct conf_ctx *, struct conf *, const char *, size_t);
void conf_users_line(struct conf_ctx *, struct conf *, const char *, size_t);
/* When all is read: sorts, keeps the first of each, shares the rest. */
void conf_users_done(struct conf_ctx *, struct conf *);
void conf_users_print(FILE *, const struct conf *);
void conf_users_free(struct conf *);

/* template.c */
/* Well-formed copy; *changed is 1 when it is not the text itself. */
char *conf_template_clean(const char *, const char *const *, int *changed);

/* lists.c */
#define ENTRY_BLANK 0x01 /* a blank was left out */
#define ENTRY_EMPTY 0x02 /* an entry is empty */
/* Next entry of a list; blanks 1: they part entries as commas do. */
int conf_entry(const char **, const char **, size_t *, int, unsigned int *);
void conf_print_net(FILE *, const struct cidr *);

/* types.c, lists.c, datasets.c, sockets.c */
extern const struct conf_ops conf_op_int, conf_op_umask, conf_op_bool,
    conf_op_enum, conf_op_header, conf_op_reject, conf_op_text,
    conf_op_template, conf_op_id, conf_op_path, conf_op_userid, conf_op_peruser,
    conf_op_addr, conf_op_nets, conf_op_domains, conf_op_hosts, conf_op_macros,
    conf_op_servers, conf_op_socket;
/* 1 when the value is the word that unsets the key (ROW_NONE). */
int conf_unset(struct conf_ctx *, const struct conf_row *, const char *);

#endif
