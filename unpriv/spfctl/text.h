/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#ifndef UNPRIV_SPFCTL_TEXT_H
#define UNPRIV_SPFCTL_TEXT_H

#include "unpriv/spf/spf.h"
#include "unpriv/spfctl/ctl.h"

enum ctl_color {
	CTL_C_NONE = 0, /* back to normal */
	CTL_C_BOLD,
	CTL_C_DIM,
	CTL_C_GOOD,
	CTL_C_WARN,
	CTL_C_BAD
};

/*
 * Prints text from outside of spfctl, escaped as in log lines. All such text
 * must be printed by these, so that it cannot control the terminal.
 */
void ctl_put(FILE *, const char *, size_t);
/* The same for a string; NULL prints nothing. */
void ctl_puts(FILE *, const char *);
/* Prints max octets of it at most, then "... (N octets)". */
void ctl_put_short(FILE *, const char *, size_t, size_t max);
/* Sets the color of stdout; does nothing unless ctl->color. */
void ctl_set_color(const struct ctl *, enum ctl_color);
/* Prints spfctl's own text on stdout, unescaped, in a color. */
void ctl_print(const struct ctl *, enum ctl_color, const char *, ...)
    __attribute__((__format__(printf, 3, 4)));
/* The same for a string from outside: escaped; NULL prints nothing. */
void ctl_print_text(const struct ctl *, enum ctl_color, const char *);
/* Prints "spfctl: ", the escaped text and the rest of the line on stderr. */
void ctl_complain(const char *text, const char *rest);
enum ctl_color ctl_result_color(enum spf_result);
/*
 * A record's data as text, not escaped: an address, a name, "10 name" or the
 * octets of a TXT record. Returns *len octets, which are in buf or in the
 * record.
 */
const char *ctl_rr_text(uint16_t type, const struct dns_rr *, char buf[300],
    size_t *len);

#endif
