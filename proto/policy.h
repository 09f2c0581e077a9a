/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf. Pure: no system calls; bounded memory. */

#ifndef PROTO_POLICY_H
#define PROTO_POLICY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Postfix's policy protocol (SMTPD_POLICY_README): lines of name=value, an
 * empty line ends a request. Only the attributes below are kept.
 */
#define POLICY_REQUEST_MAX 65536 /* octets of one request in all */
#define POLICY_LINES_MAX   1000	 /* lines of one request */
#define POLICY_BAD_MAX	   10	 /* malformed lines to report */

enum policy_attr {
	POLICY_CLIENT_ADDRESS = 0,
	POLICY_HELO_NAME,
	POLICY_SENDER,
	POLICY_RECIPIENT,
	POLICY_INSTANCE,
	POLICY_QUEUE_ID,
	POLICY_SASL_USERNAME,
	POLICY_ATTR_MAX
};

enum policy_event {
	POLICY_MORE = 0, /* all octets are consumed */
	POLICY_BAD_LINE, /* text: a line that is not name=value; skipped */
	POLICY_REQUEST,	 /* complete; call policy_next() before more input */
	POLICY_TOO_MUCH	 /* a bound is exceeded; text says which */
};

struct policy_parser {
	char *buf; /* the values kept, then the line being read */
	size_t size, len;
	size_t line;  /* where that line begins */
	size_t total; /* octets of this request so far */
	unsigned int lines, bad;
	struct {
		int set;
		size_t off; /* NUL-terminated in buf */
	} attr[POLICY_ATTR_MAX];
};

void policy_init(struct policy_parser *);
void policy_free(struct policy_parser *);
/* Forgets the request; frees a buffer above a small size. */
void policy_next(struct policy_parser *);
/* 1 when no octet of a request was received yet. */
int policy_is_idle(const struct policy_parser *);
/*
 * Takes octets up to the next event; *used of them are consumed. *text is
 * valid until the next call. Lack of memory is POLICY_TOO_MUCH.
 */
enum policy_event policy_feed(struct policy_parser *, const char *, size_t,
    size_t *used, const char **text);
/*
 * The value of an attribute of a complete request, or NULL. Trailing white
 * space is removed, and a NUL is replaced by '?'. The caller may change it in
 * the parser's buffer.
 */
char *policy_get(struct policy_parser *, enum policy_attr);

#endif
