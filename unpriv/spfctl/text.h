/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl. */

#ifndef UNPRIV_SPFCTL_TEXT_H
#define UNPRIV_SPFCTL_TEXT_H

#include "unpriv/spf/spf.h"
#include "unpriv/spfctl/ctl.h"

enum ctl_color {
	CTL_C_NONE = 0,
	CTL_C_BOLD,
	CTL_C_DIM,
	CTL_C_GOOD,
	CTL_C_WARN,
	CTL_C_BAD
};

/*
 * Prints octets escaped as in log lines. Only this function and the next ones
 * may print text from outside: it cannot control the terminal then.
 */
void ctl_put(FILE *, const char *, size_t);
/* The same for a string; NULL prints nothing. */
void ctl_puts(FILE *, const char *);
/* The same for at most max octets, then "... (N octets)". */
void ctl_put_short(FILE *, const char *, size_t, size_t max);
/*
 * Prints on stdout like printf(3), in a color. All but a newline at the end of
 * the format is escaped.
 */
void ctl_print(const struct spfctl *, enum ctl_color, const char *, ...)
    __attribute__((__format__(printf, 3, 4)));
/* Prints a line on stderr, after "spfctl: ", escaped. */
void ctl_complain(const char *, ...) __attribute__((__format__(printf, 1, 2)));
/* Sets the color of stdout; does nothing unless ctl->color. */
void ctl_set_color(const struct spfctl *, enum ctl_color);
enum ctl_color ctl_result_color(enum spf_result);
/*
 * Returns a record's data as *len octets, not escaped, in buf or in the
 * record: an address, a name, "10 name" or the octets of a TXT record.
 */
const char *ctl_rr_text(uint16_t type, const struct dns_rr *, char buf[300],
    size_t *len);

#endif
