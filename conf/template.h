/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef CONF_TEMPLATE_H
#define CONF_TEMPLATE_H

/*
 * A well-formed copy of a template, malloced. The names that it may hold end
 * with NULL. *changed becomes 1 when the copy differs from the text.
 */
char *conf_template_clean(const char *, const char *const *names, int *changed);

#endif
