/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, spfctl; pure. */

#ifndef PROTO_SMTP_H
#define PROTO_SMTP_H

/*
 * Finds the mailbox in MAIL's first argument, as judge_run() expects it: no
 * <>, no source route, domain in lower case, local part without its quotes.
 * Changes the text in place and returns a pointer to the mailbox in it.
 */
char *smtp_sender(char *);

#endif
