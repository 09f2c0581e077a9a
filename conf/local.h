/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process; children get text from the parent, open no file. */

/*
 * For conf/ only. Its modules form layers; each uses only modules above it:
 *
 *	msgs				messages, memory
 *	text  read  template		lines, files, templates
 *	types				values: one number, word or text
 *	lists  sockets			values: lists, socket specifications
 *	datasets			values: lists that may be in a file
 *	keys				the table of keys
 *	peruser				settings by recipient
 *	parse				the functions of conf.h
 *
 * This header is that of the first two rows, value.h that of the next three,
 * keys.h that of keys and peruser.
 */

#ifndef CONF_LOCAL_H
#define CONF_LOCAL_H

#include "conf/conf.h"
#include "proto/python.h"

/* What is known while a file is read, and where the reader is in it. */
struct conf_ctx {
	enum conf_program program;
	const struct conf_reader *reader;
	struct conf_msgs *msgs;
	const char *file; /* NULL: the configuration file */
	unsigned int line;
	const char *key;     /* NULL: the message is about the line */
	int child;	     /* the text is conf_print()'s for a child */
	FILE *anchors;	     /* child: collects trust_anchor_text */
	int foreign;	     /* only the other program uses the key */
	int per_user;	     /* in a line of the per-user file */
	unsigned int *lines; /* NULL, or by row: the line that set it last */
	unsigned int url_line[2]; /* of Reason_URL, of Why_URL; 0: not set */
};

/*
 * msgs.c. Adds a message about the place where the reader is. A warning about
 * a child's text is dropped: the parent has reported it.
 */
void conf_warn(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * Adds an error. It becomes a warning for a key that only the other program
 * has, and in the per-user file, where the caller ignores the rest of the
 * line. Returns -1.
 */
int conf_refuse(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* The same, but an error also for a key of the other program. */
int conf_refuse_any(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * A quoted, escaped and shortened copy for a message; it stays valid for
 * the next three calls.
 */
const char *conf_show(const char *);

/* msgs.c: these exit the process when there is no memory. */
void *conf_xcalloc(size_t, size_t);
/* Room for one more after n elements of that size; grows by doubling. */
void *conf_xgrow(void *, size_t n, size_t size);
/* A NUL-terminated copy of n octets. */
char *conf_xstrndup(const char *, size_t n);
/* Appends an element to a list, a struct of v and n. */
#define conf_append(l, element)                                \
	((l)->v = conf_xgrow((l)->v, (l)->n, sizeof(*(l)->v)), \
	    (l)->v[(l)->n++] = (element))

/*
 * text.c. Takes the next line off a text; LF, CRLF and CR end a line. The line
 * has no terminator. Returns 0 at the end of the text.
 */
int conf_line(const char **text, size_t *len, const char **line, size_t *n);
/*
 * Splits n octets at eq, a '=' among them, into a name and a value, both
 * stripped and malloced. Returns the length of both together.
 */
size_t conf_split(const char *, size_t n, const char *eq, char **name,
    char **value);
/* Skips a byte order mark; returns 1 when there was one. */
int conf_skip_bom(const char **text, size_t *len);
/* NULL, or why a value is refused: not UTF-8, or a control character. */
const char *conf_dirty(const char *, size_t);
/* ASCII capitals to lower case, in place. */
void conf_lower(char *);
/* A decimal port from 1 to 65535: 0, or -1. */
int conf_port(const char *, size_t, uint16_t *);

/*
 * read.c. A whole file by the context's reader, malloced and NUL-terminated.
 * NULL with errno: EFBIG above CONF_FILE_MAX, EISDIR or EINVAL when it is no
 * regular file, EPERM in a child, which opens nothing.
 */
char *conf_read(struct conf_ctx *, const char *path, size_t *len);

/*
 * template.c. A well-formed copy of a template, malloced. The names that it
 * may hold end with NULL. *changed becomes 1 when the copy differs. With
 * numbered 1, "{0}" and "{}" are the names in their order.
 */
char *conf_template_clean(const char *, const char *const *names, int numbered,
    int *changed);

#endif
