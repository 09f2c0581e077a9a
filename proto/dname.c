/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure; libidn2 allocates for U-labels. */

#include <string.h>

#include <idn2.h>

#include "proto/dname.h"
#include "proto/text.h"

#define LABEL_MAX  63  /* RFC 1035 2.3.4 */
#define ULABEL_MAX 252 /* octets of UTF-8 for at most 63 characters */

int
dname_valid(const char *s, size_t len)
{
	size_t i, label = 0;

	if (len == 0 || len > DNAME_MAX)
		return 0;
	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0)
				return 0;
			label = 0;
		} else if (++label > LABEL_MAX)
			return 0;
	}
	return label > 0;
}

int
dname_equal(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t i;

	if (alen != blen)
		return 0;
	for (i = 0; i < alen; i++)
		if (ascii_lower((unsigned char)a[i]) !=
		    ascii_lower((unsigned char)b[i]))
			return 0;
	return 1;
}

int
dname_is_below(const char *a, size_t alen, const char *b, size_t blen)
{
	if (alen < blen)
		return 0;
	if (!dname_equal(a + (alen - blen), blen, b, blen))
		return 0;
	return alen == blen || blen == 0 || a[alen - blen - 1] == '.';
}

size_t
dname_undot(const char *s, size_t len)
{
	return len > 0 && s[len - 1] == '.' ? len - 1 : len;
}

void
dname_lower(char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		s[i] = (char)ascii_lower((unsigned char)s[i]);
}

/* Converts a label of legal UTF-8. Returns the octets written, or -1. */
static int
ulabel_to_ascii(const char *s, size_t len, char *out, size_t size)
{
	char in[ULABEL_MAX + 1], *ace = NULL;
	size_t i, n;
	int rv = -1;

	if (len > ULABEL_MAX)
		return -1;
	memcpy(in, s, len);
	in[len] = '\0';
	if (idn2_to_ascii_8z(in, &ace, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return -1;
	n = strlen(ace);
	/* Refuse other ASCII, such as '/', from a compatibility mapping. */
	for (i = 0; i < n; i++)
		if (!ascii_is_ldh(ace[i]) && ace[i] != '_' && ace[i] != '.')
			break;
	if (n > 0 && n < size && i == n) {
		memcpy(out, ace, n);
		rv = (int)n;
	}
	idn2_free(ace);
	return rv;
}

/*
 * Converts label by label, since libidn2 refuses a name with an ASCII label
 * that is no host name, such as _spf or the expansion of a macro.
 */
int
dname_to_ascii(const char *s, size_t len, char *out, size_t size)
{
	size_t i, j, k, n = 0;
	int w;

	if (len > 4 * DNAME_MAX || size == 0)
		return -1;
	for (i = 0; i <= len; i = j + 1) {
		for (j = i; j < len && s[j] != '.'; j++)
			;
		if (ascii_only(s + i, j - i)) {
			if (j - i > size - 1 - n)
				return -1;
			memcpy(out + n, s + i, j - i);
			n += j - i;
		} else {
			for (k = i; k < j; k += (size_t)w)
				if ((w = (int)utf8_len(s + k, j - k)) == 0 ||
				    s[k] == '\0')
					return -1;
			if ((w = ulabel_to_ascii(s + i, j - i, out + n,
				 size - n)) == -1)
				return -1;
			n += (size_t)w;
		}
		if (j < len) {
			if (n + 1 >= size)
				return -1;
			out[n++] = '.';
		}
	}
	out[n] = '\0';
	return (int)n;
}
