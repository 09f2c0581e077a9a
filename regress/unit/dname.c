/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include "proto/dname.h"
#include "regress/unit/check.h"

/* clang-format off */
static const struct {
	const char *in, *out;		/* NULL: has no such form */
} aces[] = {
	{ "example.com", "example.com" }, { "EXAMPLE.com", "EXAMPLE.com" },
	{ "_spf.b\303\274cher.example", "_spf.xn--bcher-kva.example" },
	{ "B\303\234CHER.example", "xn--bcher-kva.example" },
	{ "bu\314\210cher.example", "xn--bcher-kva.example" },	/* NFD */
	{ "a--b.b\303\274cher.a_b", "a--b.xn--bcher-kva.a_b" },
	{ "\360\237\222\251.la", NULL },		/* not in IDNA2008 */
	{ "b\374cher.example", NULL },		/* Latin-1 */
	{ "\357\277\275.example", NULL },	/* U+FFFD */
	{ "\302\200.example", NULL }, { "\303\237.de", "xn--zca.de" },
	{ "..", ".." }, { "a..b", "a..b" }, { "a.", "a." }, { "", "" },
	{ "\303\274..b", "xn--tda..b" }, { "\303\274.", "xn--tda." },
	{ "\303\274\343\200\202de", "xn--tda.de" },
	{ "xn--bcher-kva.de", "xn--bcher-kva.de" },
};
/* clang-format on */

static void
test_ascii(void)
{
	char in[2000], out[DNAME_MAX + 1];
	size_t i;
	int n;

	for (i = 0; i < NITEMS(aces); i++) {
		n = dname_to_ascii(aces[i].in, strlen(aces[i].in), out,
		    sizeof(out));
		check_mem(check_name("ace-%zu-%s", i,
			      aces[i].out == NULL ? "refused" : aces[i].out),
		    n == -1 ? NULL : out, (size_t)n + 1, aces[i].out,
		    aces[i].out == NULL ? 0 : strlen(aces[i].out) + 1);
	}
	memset(in, 'a', sizeof(in));
	check_int("ace-fits-exactly", dname_to_ascii(in, 253, out, 254), 253);
	check_int("ace-too-long", dname_to_ascii(in, 254, out, 254), -1);
	check_int("ace-much-too-long", dname_to_ascii(in, sizeof(in), out, 254),
	    -1);
	check_int("ace-no-room-for-dot", dname_to_ascii("ab.", 3, out, 3), -1);
	check_int("ace-nul-in-ulabel",
	    dname_to_ascii("\303\274\0x.de", 7, out, 254), -1);
	for (i = 0; i < 100; i++)
		memcpy(in + 2 * i, "\303\274", 2);
	check_int("ace-label-too-long", dname_to_ascii(in, 200, out, 254), -1);
}

static void
test_valid(void)
{
	char s[300];
	size_t i;

	memset(s, 'a', sizeof(s));
	check("valid-63", dname_valid(s, 63));
	check("invalid-64", !dname_valid(s, 64));
	for (i = 63; i < sizeof(s); i += 64)
		s[i] = '.';
	check("valid-253", dname_valid(s, 253));
	check("invalid-254", !dname_valid(s, 254));
	check("invalid-empty", !dname_valid("", 0));
	check("invalid-dot", !dname_valid(".", 1));
	check("invalid-trailing-dot", !dname_valid("a.", 2));
	check("invalid-leading-dot", !dname_valid(".a", 2));
	check("invalid-empty-label", !dname_valid("a..b", 4));
	check("valid-octets", dname_valid("\0\377.a b", 6));
}

int
main(void)
{
	char s[] = "A@Z[\303\204";

	test_ascii();
	test_valid();
	check("equal-case", dname_equal("a.B", 3, "A.b", 3));
	check("unequal-length", !dname_equal("ab", 2, "a", 1));
	check("unequal-octet", !dname_equal("@", 1, "`", 1));
	check("below-itself", dname_is_below("a.b", 3, "A.B", 3));
	check("below", dname_is_below("x.a.b", 5, "a.b", 3));
	check("not-below-at-no-border", !dname_is_below("xa.b", 4, "a.b", 3));
	check("not-below-parent", !dname_is_below("b", 1, "a.b", 3));
	check("below-root", dname_is_below("a", 1, "", 0));
	check_int("undot", dname_undot("a.", 2), 1);
	check_int("undot-one-only", dname_undot("a..", 3), 2);
	check_int("undot-none", dname_undot("a", 1), 1);
	check_int("undot-empty", dname_undot("", 0), 0);
	dname_lower(s, strlen(s));
	check_str("lower", s, "a@z[\303\204");
	return check_exit();
}
