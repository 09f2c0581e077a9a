/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

/*
 * Reason_Message and Reason_URL are templates for Python's str.format().
 * spf-engine fails at the first reject if one is not well formed. Here all
 * that is not a field becomes plain text: unpriv/judge/reply.c gets only
 * "{name}", "{name!r}", "{name:>20.10}", "{{" and "}}".
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/local.h"
#include "proto/text.h"

/* "!r", "!s", ":[[fill]align][width][.most][s]" after a name. */
static int
spec_ok(const char *s, const char *end)
{
	const char *was;

	if (s < end && *s == '!') {
		if (end - s < 2 || (s[1] != 'r' && s[1] != 's'))
			return 0;
		s += 2;
	}
	if (s == end)
		return 1;
	if (*s++ != ':')
		return 0;
	if (end - s > 1 && strchr("<^>", s[1]) != NULL)
		s += 2;
	else if (s < end && strchr("<^>", *s) != NULL)
		s++;
	/* A reply has at most 450 octets: three digits are enough. */
	for (was = s; s < end && ascii_is_digit(*s); s++)
		;
	if (s - was > 3)
		return 0;
	if (s < end && *s == '.') {
		for (was = ++s; s < end && ascii_is_digit(*s); s++)
			;
		if (s == was || s - was > 3)
			return 0;
	}
	if (s < end && *s == 's')
		s++;
	return s == end;
}

/* Finds a field's name without regard to case and blanks around it. */
static const char *
field_name(const char *s, size_t n, const char *const *names)
{
	size_t i;

	for (; n != 0 && *s == ' '; s++)
		n--;
	while (n != 0 && s[n - 1] == ' ')
		n--;
	for (i = 0; names[i] != NULL; i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], s, n) == 0)
			return names[i];
	return NULL;
}

/*
 * Finds a field's name by its number, or the next name for an empty field.
 * *next counts the empty fields, and is -1 after a number: as in Python, a
 * template has one kind or the other.
 */
static const char *
field_number(const char *s, size_t n, const char *const *names, int *next)
{
	int i = 0, want;

	if (n == 0 && *next != -1)
		want = (*next)++;
	else if (n == 1 && ascii_is_digit(*s) && *next <= 0) {
		want = *s - '0';
		*next = -1;
	} else
		return NULL;
	while (i < want && names[i] != NULL)
		i++;
	return names[i];
}

char *
conf_template_clean(const char *s, const char *const *names, int numbered,
    int *changed)
{
	const char *end, *name, *number, *spec;
	char *out = NULL;
	size_t n, size = 0;
	int next = 0;
	FILE *o;

	if ((o = open_memstream(&out, &size)) == NULL)
		abort();
	for (; *s != '\0'; s++) {
		if (*s != '{' && *s != '}') {
			putc(*s, o);
			continue;
		}
		if (s[1] == s[0]) {
			fprintf(o, "%c%c", *s, *s);
			s++;
			continue;
		}
		end = s + 1 + strcspn(s + 1, "{}");
		if (*s == '}' || *end != '}') {
			/* A lone brace stands for itself. */
			fprintf(o, "%c%c", *s, *s);
			*changed = 1;
			continue;
		}
		n = strcspn(s + 1, "!:}");
		spec = s + 1 + n;
		number = numbered ? field_number(s + 1, n, names, &next) : NULL;
		name = number != NULL ? number : field_name(s + 1, n, names);
		if (!spec_ok(spec, end))
			name = NULL;
		if (name == NULL)
			fprintf(o, "{{%.*s}}", (int)(end - s) - 1, s + 1);
		else
			fprintf(o, "{%s%.*s}", name, (int)(end - spec), spec);
		if (name == NULL ||
		    (number == NULL &&
			(strlen(name) != n || memcmp(name, s + 1, n) != 0)))
			*changed = 1;
		s = end;
	}
	if (fclose(o) != 0)
		abort();
	return out;
}
