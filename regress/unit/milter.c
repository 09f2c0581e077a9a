/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: tests. The milter protocol's framing, decoders and encoders. */

#include "proto/milter.h"
#include "regress/unit/check.h"

#define LIT(s) (const uint8_t *)(s), sizeof(s) - 1

/* A packet as text: its command, data, and what of the input it used. */
static const char *
packet(const uint8_t *p, size_t n)
{
	static char text[128];
	const uint8_t *data;
	size_t len, used;
	uint8_t cmd;
	int rv;

	if ((rv = milter_packet(p, n, &cmd, &data, &len, &used)) != 1)
		return rv == 0 ? "waits" : "error";
	snprintf(text, sizeof(text), "%c [%s] %zu", cmd, check_show(data, len),
	    used);
	return text;
}

static void
test_packet(void)
{
	static const uint8_t two[] = "\0\0\0\1A\0\0\0\3Hx";
	size_t i;
	int early = 0;

	check_str("packet-first", packet(two, 12), "A [] 5");
	check_str("packet-second", packet(two + 5, 7), "H [x\\x00] 7");
	for (i = 0; i < 7; i++)
		early |= strcmp(packet(two + 5, i), "waits") != 0;
	check_int("packet-partial-waits", early, 0);
	check_str("packet-length-0", packet(LIT("\0\0\0\0A")), "error");
	check_str("packet-length-65537", packet(LIT("\0\1\0\1")), "error");
	check_str("packet-length-65536-waits", packet(LIT("\0\1\0\0")),
	    "waits");
	check_str("packet-length-4GiB", packet(LIT("\377\377\377\377")),
	    "error");
}

/* The payload of connect as text: name, family, and a usable address. */
static const char *
client(const uint8_t *p, size_t n)
{
	static char text[128];
	struct milter_connect c;
	char buf[ADDR_STRLEN];

	if (milter_get_connect(p, n, &c) == -1)
		return "error";
	snprintf(text, sizeof(text), "%s %c %s", c.host, c.family,
	    c.addr.family == 0 ? "none" :
				 addr_format(&c.addr, buf, sizeof(buf)));
	if (c.port > 1)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    " %d", c.port);
	if (c.family == 'U' && c.address[0] != '\0')
		return "an address of an unknown family";
	return text;
}

static void
test_connect(void)
{
#define CONNECT(name, data, want) \
	check_str("connect-" name, client(LIT(data)), want)
	CONNECT("inet", "none.test\0004\020\341192.0.2.1\0",
	    "none.test 4 192.0.2.1 4321");
	CONNECT("inet6-prefix", "h\0006\0\1IPv6:2001:db8::1\0",
	    "h 6 2001:db8::1");
	CONNECT("inet6-plain", "h\0006\000\0012001:db8::1\0",
	    "h 6 2001:db8::1");
	CONNECT("family-mismatch", "h\0004\000\0012001:db8::1\0", "h 4 none");
	CONNECT("bad-address", "h\0004\000\001192.0.2.999\0", "h 4 none");
	CONNECT("unix", "h\0L\0\0/tmp/x\0", "h L none");
	CONNECT("unknown", "h\0U", "h U none");
	CONNECT("odd-family", "h\0X", "h U none");
	CONNECT("no-nul", "host", "error");
	CONNECT("no-family", "host\0", "error");
	CONNECT("short-port", "h\0004\0", "error");
	CONNECT("address-no-nul", "h\0004\000\001192.0.2.1", "error");
	CONNECT("empty", "", "error");
}

static const char *
string(const uint8_t *p, size_t n)
{
	const char *a;

	return milter_get_string(p, n, &a) == -1 ? "error" : a;
}

static void
test_strings(void)
{
	const char *a, *b;
	struct rbuf r;
	int err = 0;

	check_str("string", string(LIT("mail.test\0")), "mail.test");
	check_str("string-inner-nul", string(LIT("a\0b\0")), "a");
	check_str("string-no-nul", string(LIT("abc")), "error");
	check_str("string-empty", string(LIT("")), "error");
	check_int("header", milter_get_header(LIT("From\0x@y\0"), &a, &b), 0);
	check_str("header-name", a, "From");
	check_str("header-value", b, "x@y");
	check_int("header-one-part", milter_get_header(LIT("From\0"), &a, &b),
	    -1);
	check_int("header-no-nul", milter_get_header(LIT("From\0x"), &a, &b),
	    -1);
	rbuf_init(&r, "<a>\0SIZE=1\0", 11);
	check_str("arguments-first", milter_next_string(&r, &err), "<a>");
	check_str("arguments", milter_next_string(&r, &err), "SIZE=1");
	check_str("arguments-end", milter_next_string(&r, &err), NULL);
	check_int("arguments-no-error", err, 0);
	rbuf_init(&r, "<a>", 3);
	check_str("arguments-no-nul", milter_next_string(&r, &err), NULL);
	check("arguments-no-nul-error", err);
}

/* What a filter agrees to: version, actions, and steps. */
static const char *
agree(uint32_t version, uint32_t actions, uint32_t steps, int headers)
{
	static char text[64];
	struct milter_options o = { version, actions, steps }, a;

	if (milter_agree(&o, headers, &a) == -1)
		return "error";
	snprintf(text, sizeof(text), "%u%s%s%s%s%s", a.version,
	    a.actions & MILTER_F_ADDHDRS ? " add" : "",
	    a.actions & MILTER_F_CHGHDRS ? " change" : "",
	    a.steps & MILTER_P_NOHDRS ? " no-headers" : "",
	    a.steps & MILTER_P_NOBODY ? " no-body" : "",
	    a.steps & MILTER_P_NR_HDR ? " no-reply" : "");
	if ((a.actions & ~(MILTER_F_ADDHDRS | MILTER_F_CHGHDRS)) != 0 ||
	    (a.steps &
		(MILTER_P_NOCONNECT | MILTER_P_NOHELO | MILTER_P_NOMAIL)) != 0)
		return "too much";
	return (a.steps & ~steps) != 0 ? "steps that were not offered" : text;
}

static void
test_agree(void)
{
	struct milter_options o;

	check_str("agree-all", agree(6, 0x1ff, 0x1fffff, 1),
	    "6 add change no-body no-reply");
	check_str("agree-no-headers", agree(6, 0x1ff, 0x1fffff, 0),
	    "6 add no-headers no-body no-reply");
	check_str("agree-no-chghdrs", agree(6, MILTER_F_ADDHDRS, 0x1fffff, 1),
	    "6 add no-headers no-body no-reply");
	check_str("agree-v2-only-offered", agree(2, 0x3f, 0x7f, 1),
	    "2 add change no-body");
	check_str("agree-no-steps", agree(6, 0x1ff, 0, 1), "6 add change");
	check_str("agree-v7-is-6", agree(7, 0x1ff, 0, 1), "6 add change");
	check_str("agree-v1-refused", agree(1, 0x1ff, 0, 1), "error");
	check_int("options-short", milter_get_options(LIT("\0\0\0\6\0"), &o),
	    -1);
}

static const char *
percent(const char *text, size_t size)
{
	static char out[32];

	return milter_percent(out, size, text) == -1 ? "error" : out;
}

static void
test_reply(void)
{
	uint8_t buf[64];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	milter_put_reply(&w, "550", "5.7.23", "a b");
	check_mem("reply-octets", buf, w.len,
	    LIT("\0\0\0\020y550 5.7.23 a b\0"));
	check("reply-fits", wbuf_ok(&w));
	wbuf_init(&w, buf, sizeof(buf));
	milter_put_header(&w, 'i', 0, "N", "v");
	check_mem("insert-octets", buf, w.len,
	    LIT("\0\0\0\011i\0\0\0\0N\0v\0"));
	wbuf_init(&w, buf, sizeof(buf));
	milter_put_header(&w, 'm', 3, "N", "");
	check_mem("delete-octets", buf, w.len, LIT("\0\0\0\010m\0\0\0\3N\0\0"));
	check_str("percent-odd", percent("a%b", 32), "a%%b");
	check_str("percent-even-stays", percent("100%% %%%%", 32),
	    "100%% %%%%");
	check_str("percent-three", percent("%%%x%", 32), "%%%%%%x%%");
	check_str("percent-no-room", percent("ab%", 4), "error");
	check_str("percent-room", percent("ab%", 5), "ab%%");
	check("reply-due", milter_reply_due(MILTER_HEADER, 0));
	check("reply-due-not-to-header",
	    !milter_reply_due(MILTER_HEADER, MILTER_P_NR_HDR));
	check("reply-due-not-to-abort", !milter_reply_due(MILTER_ABORT, 0));
	check("reply-due-to-mail", milter_reply_due(MILTER_MAIL, 0xffffffff));
	check_int("command-letters", milter_cmd_of('M'), MILTER_MAIL);
	check_int("command-letters-unknown", milter_cmd_of('z'), MILTER_NONE);
	check_int("command-letters-nul", milter_cmd_of(0), MILTER_NONE);
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
