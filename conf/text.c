/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#include <string.h>

#include "conf/local.h"
#include "proto/text.h"

#define BOM "\xef\xbb\xbf"

int
conf_line(const char **text, size_t *len, const char **l, size_t *n)
{
	size_t i;

	if (*len == 0)
		return 0;
	for (i = 0; i < *len && (*text)[i] != '\n' && (*text)[i] != '\r'; i++)
		;
	*l = *text;
	*n = i;
	if (i + 1 < *len && (*text)[i] == '\r' && (*text)[i + 1] == '\n')
		i++;
	if (i < *len)
		i++;
	*text += i;
	*len -= i;
	return 1;
}

size_t
conf_split(const char *s, size_t n, const char *eq, char **name, char **value)
{
	const char *v = eq + 1;
	size_t nn = (size_t)(eq - s), vn = n - nn - 1;

	python_strip(&s, &nn);
	python_strip(&v, &vn);
	*name = conf_xstrndup(s, nn);
	*value = conf_xstrndup(v, vn);
	return nn + vn;
}

int
conf_skip_bom(const char **text, size_t *len)
{
	if (*len < sizeof(BOM) - 1 || memcmp(*text, BOM, sizeof(BOM) - 1) != 0)
		return 0;
	*text += sizeof(BOM) - 1;
	*len -= sizeof(BOM) - 1;
	return 1;
}

const char *
conf_dirty(const char *s, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i += k) {
		if ((k = utf8_len(s + i, n - i)) == 0)
			return "is not UTF-8 text";
		if (s[i] != '\t' && !utf8_clean(s + i, k))
			return "contains a control character";
	}
	return NULL;
}

void
conf_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)ascii_lower(*s);
}

int
conf_port(const char *s, size_t n, uint16_t *port)
{
	unsigned long v = 0;
	size_t i;

	if (n == 0 || n > 5)
		return -1;
	for (i = 0; i < n; i++) {
		if (!ascii_is_digit(s[i]))
			return -1;
		v = v * 10 + (unsigned long)(s[i] - '0');
	}
	if (v == 0 || v > 65535)
		return -1;
	*port = (uint16_t)v;
	return 0;
}
