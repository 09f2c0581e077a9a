/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. strip, repr and format as Python has them. */

#include "proto/python.h"
#include "regress/unit/check.h"

static void
strip(const char *name, const char *in, const char *want)
{
	size_t n = strlen(in);

	python_strip(&in, &n);
	check_mem(name, in, n, want, strlen(want));
}

static void
repr(const char *name, const char *in, const char *want)
{
	char out[64];

	python_repr(out, sizeof(out), in);
	check_str(name, out, want);
}

static void
format(const char *name, const char *template, const char *want)
{
	static const struct python_field f[] = { { "a", "it's" },
		{ "b", "\\\"'" } };
	char out[24];

	python_format(out, sizeof(out), template, f, 2);
	check_str(name, out, want);
}

int
main(void)
{
	char out[4];

	strip("strip", " \t\x1c\xc2\xa0 a b\xe2\x80\x8a\x1f\r\n", "a b");
	strip("strip-all", "\xe3\x80\x80 \x0b", "");
	strip("strip-no-zero-width", "\xe2\x80\x8b", "\xe2\x80\x8b");
	check("space",
	    python_has_space("a\xe2\x80\xa8", 4) && !python_has_space("a", 1));
	repr("repr", "a\\b", "'a\\\\b'");
	repr("repr-single", "it's", "\"it's\"");
	repr("repr-both", "\"it's\"", "'\"it\\'s\"'");
	python_repr(out, sizeof(out), "abc");
	check_str("repr-cut", out, "'ab");
	format("format", "{{{a}}} {c} {", "{it's} {c} {");
	format("format-spec", "[{a:->6}|{a!s:^6.2}]", "[--it's|  it  ]");
	format("format-repr", "{a!r}{a!r:.3}{b!r}", "\"it's\"\"it'\\\"''");
	format("format-cut", "{a:>99}", "                       ");
	return check_exit();
}
