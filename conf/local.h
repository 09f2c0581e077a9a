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
 * This header declares the first two rows, value.h the next three, keys.h
 * keys and peruser.
 */

#ifndef CONF_LOCAL_H
#define CONF_LOCAL_H

#include "conf/conf.h"
#include "proto/python.h"

struct conf_row;

/* A line of a file; line 0: none. */
struct conf_place {
	const char *file; /* NULL: the configuration file */
	unsigned int line;
};

/* The state of reading a file. */
struct conf_ctx {
	enum conf_program program;
	const struct conf_reader *reader;
	struct conf_msgs *msgs;
	/* the place that messages name */
	const char *file; /* NULL: the configuration file */
	unsigned int line;
	const char *key; /* NULL: none */
	/* the value being read */
	const struct conf_row *row;
	int foreign;  /* only the other program uses the key */
	int per_user; /* it is in the per-user file */

	int child;		   /* conf_print() made the text, for a child */
	FILE *anchors;		   /* child: collects trust_anchor_text */
	struct conf_place *places; /* by row: the last that set it, or NULL */
	struct conf_place url[2];  /* of Reason_URL, of Why_URL */
	struct conf_strs included; /* paths of the files of Include */
	size_t included_size;	   /* octets of these files together */
	struct conf_strs variables; /* names, which places point to */
};

/*
 * msgs.c. Adds a warning about the context's place; none about a child's text,
 * since the parent has reported it.
 */
void conf_warn(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * Adds an error; but a warning for a key of the other program, and in the
 * per-user file, whose reader then ignores the line. Returns -1.
 */
int conf_refuse(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/* The same, but adds an error also for a key of the other program. */
int conf_refuse_any(struct conf_ctx *, const char *, ...)
    __attribute__((__format__(printf, 2, 3)));
/*
 * Returns a quoted, escaped and shortened copy for a message. It is valid
 * until the fourth call after this one.
 */
const char *conf_show(const char *);

/* msgs.c: these exit the process when there is no memory. */
void *conf_xcalloc(size_t, size_t);
/* Returns the array with room for one more after n elements. */
void *conf_xgrow(void *, size_t n, size_t size);
/* Returns a NUL-terminated copy of n octets. */
char *conf_xstrndup(const char *, size_t n);
/* Appends an element to a list, a struct with an array v of n elements. */
#define conf_append(l, element)                                \
	((l)->v = conf_xgrow((l)->v, (l)->n, sizeof(*(l)->v)), \
	    (l)->v[(l)->n++] = (element))

/*
 * text.c. Takes the next line off a text, without its LF, CRLF or CR. Returns
 * 0 at the end of the text.
 */
int conf_line(const char **text, size_t *len, const char **line, size_t *n);
/*
 * Splits n octets at eq, a '=' among them, into a name and a value, both
 * stripped and malloced. Returns the length of both together.
 */
size_t conf_split(const char *, size_t n, const char *eq, char **name,
    char **value);
/* Skips a byte order mark. Returns 1 if there was one. */
int conf_skip_bom(const char **text, size_t *len);
/*
 * Returns why a value is refused (it is not UTF-8, or has a control character
 * other than TAB), or NULL.
 */
const char *conf_dirty(const char *, size_t);
/* Changes ASCII letters to lower case in place. */
void conf_lower(char *);
/* Reads a decimal port from 1 to 65535. Returns 0 or -1. */
int conf_port(const char *, size_t, uint16_t *);

/*
 * read.c. Reads a whole file by the context's reader. Returns the contents,
 * malloced and NUL-terminated; or NULL with errno: EFBIG above CONF_FILE_MAX,
 * EISDIR or EINVAL for a file that is not regular, EPERM in a child.
 */
char *conf_read(struct conf_ctx *, const char *path, size_t *len);
/* Returns 1 if the last part of a path has a wildcard: "*", "?" or "[". */
int conf_is_pattern(const char *path);
/*
 * read.c. Appends the paths of the files that match a pattern, in the order of
 * their octets, but not more than most; the caller frees them by
 * conf_strs_free() also after an error. A wildcard does not match a dot at the
 * start of a name. Returns the number of all that match, 0 if the directory
 * does not exist; or -1 with errno, EPERM in a child.
 */
ssize_t conf_match(struct conf_ctx *, const char *pattern, size_t most,
    struct conf_strs *);

/*
 * template.c. Returns a well-formed copy of a template, malloced. names, with
 * a NULL at the end, are the fields that it may have; if numbered is 1, "{0}"
 * and "{}" mean the names in their order. Sets *changed to 1 if the copy
 * differs from the text in another way.
 */
char *conf_template_clean(const char *, const char *const *names, int numbered,
    int *changed);

#endif
