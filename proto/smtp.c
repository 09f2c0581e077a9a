/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter, spfctl; pure. */

#include <string.h>

#include "proto/smtp.h"
#include "proto/text.h"

char *
smtp_sender(char *s)
{
	size_t len = strlen(s);
	char *colon, *at, *from, *to;

	if (len >= 2 && s[0] == '<' && s[len - 1] == '>') {
		s[len - 1] = '\0';
		s++;
	}
	/* RFC 5321 4.1.2: A-d-l ":"; a local part cannot begin with '@'. */
	if (s[0] == '@' && (colon = strchr(s, ':')) != NULL)
		s = colon + 1;
	if ((at = strrchr(s, '@')) == NULL)
		return s;
	for (to = at + 1; *to != '\0'; to++)
		*to = (char)ascii_lower(*to);
	/*
	 * "u@x"@d becomes u@x@d, as Postfix sends it to a policy service: the
	 * quotes belong to SMTP, not to the mailbox (RFC 5321 4.1.2, 4.1.1.1).
	 */
	if (at - s < 2 || s[0] != '"' || at[-1] != '"')
		return s;
	for (from = s + 1, to = s; from < at - 1; *to++ = *from++)
		if (*from == '\\' && from + 1 < at - 1)
			from++;
	memmove(to, at, strlen(at) + 1);
	return s;
}
