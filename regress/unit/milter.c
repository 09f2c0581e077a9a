/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. The milter protocol's framing, decoders and encoders. */

#include <string.h>

#include "proto/milter.h"
#include "regress/unit/check.h"

#define LIT(s) (const uint8_t *)(s), sizeof(s) - 1

static void
test_packet(void)
{
	static const uint8_t two[] = "\0\0\0\1A\0\0\0\3Hx";
	uint8_t cmd, big[4] = { 0, 1, 0, 1 }, full[4] = { 0, 1, 0, 0 };
	const uint8_t *data;
	size_t len, used, i;
	int early = 0;

	check("packet-first",
	    milter_packet(two, 12, &cmd, &data, &len, &used) == 1 &&
		cmd == 'A' && len == 0 && used == 5);
	check("packet-second",
	    milter_packet(two + 5, 7, &cmd, &data, &len, &used) == 1 &&
		cmd == 'H' && len == 2 && data[0] == 'x' && used == 7);
	for (i = 0; i < 7; i++)
		early |= milter_packet(two + 5, i, &cmd, &data, &len, &used);
	check_int("packet-partial-waits", early, 0);
	check_int("packet-length-0",
	    milter_packet(LIT("\0\0\0\0A"), &cmd, &data, &len, &used), -1);
	check_int("packet-length-65537",
	    milter_packet(big, 4, &cmd, &data, &len, &used), -1);
	check_int("packet-length-65536-waits",
	    milter_packet(full, 4, &cmd, &data, &len, &used), 0);
	check_int("packet-length-4GiB",
	    milter_packet(LIT("\xff\xff\xff\xff"), &cmd, &data, &len, &used),
	    -1);
}

static void
test_connect(void)
{
	struct milter_connect c;
	char buf[ADDR_STRLEN];

	check("connect-inet",
	    milter_get_connect(LIT("none.test\0"
				   "4\x10\xe1"
				   "192.0.2.1\0"),
		&c) == 0 &&
		strcmp(c.host, "none.test") == 0 && c.port == 4321 &&
		c.addr.family == 4 &&
		strcmp(addr_format(&c.addr, buf, sizeof(buf)), "192.0.2.1") ==
		    0);
	check("connect-inet6-prefix",
	    milter_get_connect(LIT("h\0"
				   "6\0\1IPv6:2001:db8::1\0"),
		&c) == 0 &&
		c.addr.family == 6);
	check("connect-inet6-plain",
	    milter_get_connect(LIT("h\0"
				   "6\0\1"
				   "2001:db8::1\0"),
		&c) == 0 &&
		c.addr.family == 6);
	check("connect-family-mismatch",
	    milter_get_connect(LIT("h\0"
				   "4\0\1"
				   "2001:db8::1\0"),
		&c) == 0 &&
		c.addr.family == 0);
	check("connect-bad-address",
	    milter_get_connect(LIT("h\0"
				   "4\0\1"
				   "192.0.2.999\0"),
		&c) == 0 &&
		c.addr.family == 0);
	check("connect-unix",
	    milter_get_connect(LIT("h\0"
				   "L\0\0/tmp/x\0"),
		&c) == 0 &&
		c.family == 'L' && c.addr.family == 0);
	check("connect-unknown",
	    milter_get_connect(LIT("h\0U"), &c) == 0 && c.family == 'U' &&
		c.address[0] == '\0');
	check("connect-odd-family",
	    milter_get_connect(LIT("h\0X"), &c) == 0 && c.family == 'U');
	check_int("connect-no-nul", milter_get_connect(LIT("host"), &c), -1);
	check_int("connect-no-family", milter_get_connect(LIT("host\0"), &c),
	    -1);
	check_int("connect-short-port",
	    milter_get_connect(LIT("h\0"
				   "4\0"),
		&c),
	    -1);
	check_int("connect-address-no-nul",
	    milter_get_connect(LIT("h\0"
				   "4\0\1"
				   "192.0.2.1"),
		&c),
	    -1);
	check_int("connect-empty", milter_get_connect(LIT(""), &c), -1);
}

static void
test_strings(void)
{
	const char *a, *b;
	struct rbuf r;
	int err = 0;

	check("string",
	    milter_get_string(LIT("mail.test\0"), &a) == 0 &&
		strcmp(a, "mail.test") == 0);
	check("string-inner-nul",
	    milter_get_string(LIT("a\0b\0"), &a) == 0 && strcmp(a, "a") == 0);
	check_int("string-no-nul", milter_get_string(LIT("abc"), &a), -1);
	check_int("string-empty", milter_get_string(LIT(""), &a), -1);
	check("header",
	    milter_get_header(LIT("From\0x@y\0"), &a, &b) == 0 &&
		strcmp(a, "From") == 0 && strcmp(b, "x@y") == 0);
	check_int("header-one-part", milter_get_header(LIT("From\0"), &a, &b),
	    -1);
	check_int("header-no-nul", milter_get_header(LIT("From\0x"), &a, &b),
	    -1);
	rbuf_init(&r, "<a>\0SIZE=1\0", 11);
	a = milter_next_string(&r, &err);
	b = milter_next_string(&r, &err);
	check("arguments",
	    a != NULL && b != NULL && strcmp(b, "SIZE=1") == 0 &&
		milter_next_string(&r, &err) == NULL && !err);
	rbuf_init(&r, "<a>", 3);
	check("arguments-no-nul", milter_next_string(&r, &err) == NULL && err);
}

static void
test_agree(void)
{
	struct milter_options all = { 6, 0x1ff, 0x1fffff }, o, a;

	check("agree-all",
	    milter_agree(&all, 1, &a) == 0 && a.version == 6 &&
		a.actions == (MILTER_F_ADDHDRS | MILTER_F_CHGHDRS) &&
		(a.steps &
		    (MILTER_P_NOCONNECT | MILTER_P_NOHELO | MILTER_P_NOMAIL |
			MILTER_P_NOHDRS)) == 0 &&
		(a.steps & MILTER_P_NR_HDR) != 0 &&
		(a.steps & MILTER_P_NOBODY) != 0,
	    "steps 0x%x", a.steps);
	check("agree-no-headers",
	    milter_agree(&all, 0, &a) == 0 &&
		(a.steps & MILTER_P_NOHDRS) != 0 &&
		a.actions == MILTER_F_ADDHDRS);
	o = all;
	o.actions = MILTER_F_ADDHDRS;
	check("agree-no-chghdrs",
	    milter_agree(&o, 1, &a) == 0 && (a.steps & MILTER_P_NOHDRS) != 0);
	o = (struct milter_options){ 2, 0x3f, 0x7f };
	check("agree-v2-only-offered",
	    milter_agree(&o, 1, &a) == 0 && a.version == 2 &&
		(a.steps & ~0x7fU) == 0);
	o = (struct milter_options){ 6, 0x1ff, 0 };
	check("agree-no-steps", milter_agree(&o, 1, &a) == 0 && a.steps == 0);
	o.version = 7;
	check("agree-v7-is-6", milter_agree(&o, 1, &a) == 0 && a.version == 6);
	o.version = 1;
	check_int("agree-v1-refused", milter_agree(&o, 1, &a), -1);
	check_int("options-short", milter_get_options(LIT("\0\0\0\6\0"), &o),
	    -1);
}

static void
test_reply(void)
{
	static const uint8_t want[] = "\0\0\0\x10"
				      "y550 5.7.23 a b";
	uint8_t buf[64];
	char out[32];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	milter_put_reply(&w, "550", "5.7.23", "a b");
	check("reply-octets",
	    wbuf_ok(&w) && w.len == 20 && memcmp(buf, want, 20) == 0);
	wbuf_init(&w, buf, sizeof(buf));
	milter_put_insheader(&w, 0, "N", "v");
	check("insert-octets",
	    wbuf_ok(&w) && w.len == 13 &&
		memcmp(buf, "\0\0\0\x9i\0\0\0\0N\0v\0", 13) == 0);
	wbuf_init(&w, buf, sizeof(buf));
	milter_put_chgheader(&w, 3, "N", "");
	check("delete-octets",
	    wbuf_ok(&w) && w.len == 12 &&
		memcmp(buf, "\0\0\0\x8m\0\0\0\3N\0\0", 12) == 0);
	check("percent-odd",
	    milter_percent(out, sizeof(out), "a%b") == 0 &&
		strcmp(out, "a%%b") == 0);
	check("percent-even-stays",
	    milter_percent(out, sizeof(out), "100%% %%%%") == 0 &&
		strcmp(out, "100%% %%%%") == 0);
	check("percent-three",
	    milter_percent(out, sizeof(out), "%%%x%") == 0 &&
		strcmp(out, "%%%%%%x%%") == 0);
	check("percent-no-room",
	    milter_percent(out, 4, "ab%") == -1 &&
		milter_percent(out, 5, "ab%") == 0);
	check("reply-due",
	    milter_reply_due(MILTER_HEADER, 0) &&
		!milter_reply_due(MILTER_HEADER, MILTER_P_NR_HDR) &&
		!milter_reply_due(MILTER_ABORT, 0) &&
		milter_reply_due(MILTER_MAIL, 0xffffffff));
	check("command-letters",
	    milter_cmd_of('M') == MILTER_MAIL &&
		milter_cmd_of('z') == MILTER_NONE &&
		milter_cmd_of(0) == MILTER_NONE);
}

int
main(void)
{
	test_packet();
	test_connect();
	test_strings();
	test_agree();
	test_reply();
	return check_exit();
}
