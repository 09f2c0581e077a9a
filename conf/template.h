/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_TEMPLATE_H
#define CONF_TEMPLATE_H

/*
 * Returns a well-formed copy of a template, malloced. names, with a NULL at
 * the end, are the fields that it may have. Sets *changed to 1 if the copy
 * differs from the text.
 */
char *conf_template_clean(const char *, const char *const *names, int *changed);

#endif
