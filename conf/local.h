/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. For conf/ only. */

/*
 * The modules of conf/ form layers; each uses only modules above it here:
 *
 *	msgs				messages, memory
 *	text  read  template		lines, files, templates
 *	types				values: one number, word or text
 *	lists  sockets			values: lists, socket specifications
 *	datasets			values: lists that may be in a file
 *	keys				the table of keys
 *	peruser				settings by recipient
 *	parse  print  resolvconf	what conf.h offers
 *
 * Each has its header; value.h is that of types, lists, sockets and datasets.
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
	unsigned int *lines; /* by row: the line that set it last, or NULL */
};

#endif
