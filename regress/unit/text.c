/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include <ctype.h>

#include "proto/text.h"
#include "regress/unit/check.h"

/* clang-format off */
static const struct {
	const char *name, *s;
	size_t len, want;
} forms[] = {
	{ "ascii", "a", 1, 1 }, { "nul", "\0", 1, 1 },
	{ "none-left", "", 0, 0 }, { "two", "\303\274", 2, 2 },
	{ "two-cut", "\303", 1, 0 }, { "overlong-two", "\300\200", 2, 0 },
	{ "overlong-c1", "\301\277", 2, 0 }, { "lone-tail", "\200", 1, 0 },
	{ "three", "\342\202\254", 3, 3 }, { "three-cut", "\342\202", 2, 0 },
	{ "overlong-three", "\340\237\277", 3, 0 },
	{ "surrogate", "\355\240\200", 3, 0 },
	{ "below-surrogate", "\355\237\277", 3, 3 },
	{ "four", "\360\237\222\251", 4, 4 },
	{ "overlong-four", "\360\217\277\277", 4, 0 },
	{ "highest", "\364\217\277\277", 4, 4 },
	{ "above-10ffff", "\364\220\200\200", 4, 0 },
	{ "bad-tail", "\342\202a", 3, 0 }, { "ff", "\377", 1, 0 },
};
/* clang-format on */

static const struct {
	const char *name, *in, *out;
	size_t len, size;
} escapes[] = {
	{ "plain", "abc ~", "abc ~", 5, 64 },
	{ "utf8", "\303\274", "\303\274", 2, 64 },
	{ "newline", "a\nb", "a\\x0ab", 3, 64 },
	{ "nul", "a\0b", "a\\x00b", 3, 64 },
	{ "del", "\177", "\\x7f", 1, 64 },
	{ "backslash", "\\x", "\\\\x", 2, 64 },
	{ "latin1", "\374z", "\\xfcz", 2, 64 },
	{ "c1", "\302\233m", "\\xc2\\x9bm", 3, 64 },
	{ "bidi-override", "a\342\200\256b", "a\\xe2\\x80\\xaeb", 5, 64 },
	{ "bidi-isolate", "\342\201\246", "\\xe2\\x81\\xa6", 3, 64 },
	{ "line-separator", "\342\200\250", "\\xe2\\x80\\xa8", 3, 64 },
	{ "mark-right-to-left", "\342\200\217", "\\xe2\\x80\\x8f", 3, 64 },
	{ "mark-arabic", "\330\234", "\\xd8\\x9c", 2, 64 },
	{ "not-bidi", "\342\200\246\342\201\245", "\342\200\246\342\201\245", 6,
	    64 },
	{ "surrogate", "\355\240\200", "\\xed\\xa0\\x80", 3, 64 },
	{ "cut", "abcdef", "abc", 6, 4 },
	{ "cut-before-escape", "ab\n", "ab", 3, 6 },
	{ "cut-before-character", "a\303\274", "a", 3, 3 },
	{ "empty", "abc", "", 3, 1 },
};

/* In the C locale, which tests run in, the classes are those of ctype(3). */
static void
test_ascii(void)
{
	static const char seven[] = "a\0\t\177";
	int c, bad = 0;

	for (c = -128; c < 256; c++) {
		if (c < 0)
			bad += ascii_is_digit(c) || ascii_is_alpha(c) ||
			    ascii_is_alnum(c) || ascii_is_ldh(c) ||
			    ascii_is_print(c) || ascii_lower(c) != c;
		else
			bad += ascii_is_digit(c) != (isdigit(c) != 0) ||
			    ascii_is_alpha(c) != (isalpha(c) != 0) ||
			    ascii_is_alnum(c) != (isalnum(c) != 0) ||
			    ascii_is_ldh(c) != (isalnum(c) || c == '-') ||
			    ascii_is_print(c) != (isprint(c) != 0) ||
			    ascii_lower(c) != tolower(c);
	}
	check_int("ascii-classes", bad, 0);
	check("ascii-only", ascii_only(seven, sizeof(seven)));
	check("ascii-only-empty", ascii_only("", 0));
	check("ascii-only-first", !ascii_only("\200a", 2));
	check("ascii-only-last", !ascii_only("a\377", 2));
}

int
main(void)
{
	char out[64];
	size_t i, n;

	for (i = 0; i < NITEMS(forms); i++)
		check_int(check_name("utf8-%s", forms[i].name),
		    utf8_len(forms[i].s, forms[i].len), forms[i].want);
	for (i = 0; i < NITEMS(escapes); i++) {
		memset(out, 'X', sizeof(out));
		n = text_escape_log(out, escapes[i].size, escapes[i].in,
		    escapes[i].len);
		check_mem(check_name("escape-%s", escapes[i].name), out, n + 1,
		    escapes[i].out, strlen(escapes[i].out) + 1);
	}
	test_ascii();
	check("clean", utf8_clean("a \303\274", 4));
	check("clean-empty", utf8_clean("", 0));
	check("unclean-tab", !utf8_clean("a\tb", 3));
	check("unclean-c1", !utf8_clean("\302\205", 2));
	check("clean-a0", utf8_clean("\302\240", 2));
	check("unclean-del", !utf8_clean("\177", 1));
	check("unclean-latin1", !utf8_clean("\374", 1));
	return check_exit();
}
