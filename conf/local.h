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
 *	parse  print  resolvconf	the functions of conf.h
 *
 * value.h declares types, lists, sockets and datasets; the others have headers
 * of their own.
 */

#ifndef CONF_LOCAL_H
#define CONF_LOCAL_H

#include "conf/conf.h"
#include "proto/python.h"

struct conf_row;

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

	int child;	     /* conf_print() made the text, for a child */
	FILE *anchors;	     /* child: collects trust_anchor_text */
	unsigned int *lines; /* by row: the line that set it last, or NULL */
};

#endif
