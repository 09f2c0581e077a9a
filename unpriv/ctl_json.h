/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_CTL_JSON_H
#define UNPRIV_CTL_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A writer of JSON (RFC 8259), indented, that cannot forget a comma. key is
 * NULL inside an array. Text is any octets: controls (C1 too) come as \uXXXX,
 * what is no UTF-8 as U+FFFD.
 */
struct ctl_json {
	FILE		*fp;
	unsigned int	 depth;
	int		 more;		/* the next value needs a comma */
};

void	ctl_json_init(struct ctl_json *, FILE *);
void	ctl_json_object(struct ctl_json *, const char *);
void	ctl_json_object_end(struct ctl_json *);
void	ctl_json_array(struct ctl_json *, const char *);
void	ctl_json_array_end(struct ctl_json *);
/* NULL becomes null. */
void	ctl_json_str(struct ctl_json *, const char *, const char *);
void	ctl_json_text(struct ctl_json *, const char *, const char *, size_t);
void	ctl_json_int(struct ctl_json *, const char *, int64_t);
/* usec as milliseconds with three digits. */
void	ctl_json_ms(struct ctl_json *, const char *, uint64_t);
void	ctl_json_bool(struct ctl_json *, const char *, int);
void	ctl_json_null(struct ctl_json *, const char *);
/* The end of the document: a newline. */
void	ctl_json_finish(struct ctl_json *);

#endif
