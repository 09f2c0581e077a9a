/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, spfctl; pure. */

#include <string.h>

#include "proto/smtp.h"
#include "proto/text.h"

/*
 * "u@x"@d becomes u@x@d, as Postfix sends it to a policy service: the quotes
 * belong to SMTP and not to the mailbox (RFC 5321 4.1.2, 4.1.1.1). at points
 * to the last @.
 */
static char *
smtp_unquote_local(char *s, char *at)
{
	char *from = s + 1, *to = s, *end = at - 1;

	if (at - s < 2 || *s != '"' || *end != '"')
		return s;
	while (from < end) {
		if (*from == '\\' && from + 1 < end)
			from++;
		*to++ = *from++;
	}
	memmove(to, at, strlen(at) + 1);
	return s;
}

char *
smtp_sender(char *s)
{
	size_t len = strlen(s);
	char *colon, *at, *p;

	if (len >= 2 && s[0] == '<' && s[len - 1] == '>') {
		s[len - 1] = '\0';
		s++;
	}
	/* RFC 5321 4.1.2: A-d-l ":"; a local part cannot begin with '@'. */
	if (s[0] == '@' && (colon = strchr(s, ':')) != NULL)
		s = colon + 1;
	if ((at = strrchr(s, '@')) == NULL)
		return s;
	for (p = at + 1; *p != '\0'; p++)
		*p = (char)ascii_lower(*p);
	return smtp_unquote_local(s, at);
}
