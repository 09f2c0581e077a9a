/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: unit tests. */

#include <string.h>

#include "proto/addr.h"
#include "regress/unit/check.h"

/* Text, and its canonical form; NULL: refused. */
/* clang-format off */
static const struct {
	const char *text, *canon;
} addrs[] = {
	{ "1.2.3.4", "1.2.3.4" }, { "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" }, { "256.1.1.1", NULL },
	{ "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "1.2.3.", NULL },
	{ "1.2.3.4.", NULL }, { ".1.2.3.4", NULL }, { "01.2.3.4", NULL },
	{ "1.2.3.04", NULL }, { "1.2.3.00", NULL }, { "1.2.3.0", "1.2.3.0" },
	{ "1..3.4", NULL }, { "1.2.3.4 ", NULL }, { "", NULL },
	{ "1.2.3.0400", NULL }, { "0x1.2.3.4", NULL }, { "+1.2.3.4", NULL },
	{ "::", "::" }, { "::1", "::1" }, { "1::", "1::" },
	{ "0:0:0:0:0:0:0:1", "::1" }, { "0:0:0:0:0:0:0:0", "::" },
	{ "2001:DB8::1", "2001:db8::1" }, { "2001:0db8::0001", "2001:db8::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "1:2:3:4::5:6:7:8", NULL }, { "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL }, { "1:::2", NULL }, { "1::2::3", NULL },
	{ ":1", NULL }, { "1:", NULL }, { ":", NULL }, { ":::", NULL },
	{ "12345::", NULL }, { "g::", NULL }, { "fe80::1%eth0", NULL },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
	{ "::FFFF:102:304", "::ffff:1.2.3.4" },
	{ "::1.2.3.4", "::102:304" }, { "1:2:3:4:5:6:1.2.3.4",
	"1:2:3:4:5:6:102:304" }, { "1:2:3:4:5:6:7:1.2.3.4", NULL },
	{ "::1.2.3", NULL }, { "::1.2.3.4:5", NULL }, { "::01.2.3.4", NULL },
	{ "1.2.3.4::", NULL }, { "::1.2.3.256", NULL },
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.255",
	"::ffff:255.255.255.255" },
};

static const struct {
	const char *net, *addr;
	int match;
} nets[] = {
	{ "1.2.3.4", "1.2.3.4", 1 }, { "1.2.3.4", "1.2.3.5", 0 },
	{ "1.2.3.0/24", "1.2.3.255", 1 }, { "1.2.3.0/24", "1.2.4.0", 0 },
	{ "1.2.3.128/25", "1.2.3.127", 0 }, { "1.2.3.128/25", "1.2.3.200", 1 },
	{ "0.0.0.0/0", "9.9.9.9", 1 }, { "0.0.0.0/0", "::1", 0 },
	{ "::/0", "::1", 1 }, { "::/0", "1.2.3.4", 0 },
	{ "128.0.0.0/1", "127.0.0.1", 0 }, { "128.0.0.0/1", "129.0.0.1", 1 },
	{ "1.2.3.5/24", "1.2.3.9", 1 }, { "2001:db8::/33",
	"2001:db8:7fff::1", 1 }, { "2001:db8::/33", "2001:db8:8000::1", 0 },
	{ "::1/128", "::1", 1 }, { "::1/127", "::", 1 }, { "::2/128", "::3",
	0 }, { "10.0.0.0/255.0.0.0", "10.9.9.9", 1 },
	{ "10.0.0.0/0.255.255.255", "10.9.9.9", 1 },
	{ "10.0.0.0/255.0.0.0", "11.0.0.0", 0 },
	{ "10.0.0.0/0.0.0.0", "11.0.0.0", 1 },
	{ "10.0.0.1/255.255.255.255", "10.0.0.2", 0 },
};

static const char *const bad_nets[] = {
	"1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/1e", "1.2.3.4/ 8",
	"::/129", "::/255.0.0.0", "1.2.3.4/255.0.255.0", "/8", "",
	"1.2.3.4/8/8",
	"1.2.3.4/4294967328", "1.2.3.4/255.255.255", "1.2.3.4/::",
};
/* clang-format on */

static void
test_addrs(void)
{
	char buf[ADDR_STRLEN], name[128];
	struct addr a, b;
	size_t i;
	int rv;

	for (i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		snprintf(name, sizeof(name), "addr-%s-%s",
		    addrs[i].canon == NULL ? "refused" : "parsed",
		    addrs[i].text);
		rv = addr_parse(&a, addrs[i].text, strlen(addrs[i].text));
		if (addrs[i].canon == NULL) {
			check(name, rv == -1, "accepted");
			continue;
		}
		addr_format(&a, buf, sizeof(buf));
		check(name,
		    rv == 0 && strcmp(buf, addrs[i].canon) == 0 &&
			addr_parse(&b, buf, strlen(buf)) == 0 &&
			addr_equal(&a, &b),
		    "%d %s", rv, buf);
	}
	check("addr-length-bounds-text",
	    addr_parse(&a, "1.2.3.45", 7) == 0 && a.b[3] == 4, "last octet %u",
	    a.b[3]);
	(void)addr_parse(&a, "::ffff:1.2.3.4", 14);
	addr_unmap(&b, &a);
	check("addr-unmap",
	    b.family == 4 &&
		strcmp(addr_format(&b, buf, sizeof(buf)), "1.2.3.4") == 0,
	    "%s", buf);
	(void)addr_parse(&a, "::fffe:1.2.3.4", 14);
	addr_unmap(&b, &a);
	check("addr-unmap-leaves-others", addr_equal(&a, &b), "changed");
}

static void
test_nets(void)
{
	char name[128];
	struct cidr c;
	struct addr a;
	size_t i;
	int got;

	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		snprintf(name, sizeof(name), "cidr-%s-%s", nets[i].net,
		    nets[i].addr);
		got = cidr_parse(&c, nets[i].net, strlen(nets[i].net));
		if (got == 0)
			got =
			    addr_parse(&a, nets[i].addr, strlen(nets[i].addr));
		if (got == 0)
			got = cidr_match(&c, &a);
		check(name, got == nets[i].match, "%d", got);
	}
	for (i = 0; i < sizeof(bad_nets) / sizeof(bad_nets[0]); i++) {
		snprintf(name, sizeof(name), "cidr-refused-%s", bad_nets[i]);
		check(name,
		    cidr_parse(&c, bad_nets[i], strlen(bad_nets[i])) == -1,
		    "accepted as /%u", c.len);
	}
	(void)cidr_parse(&c, "10.1.2.3/12", 11);
	check("cidr-hostbits", cidr_hostbits(&c) == 1, "none seen");
	cidr_mask(&c);
	check("cidr-mask",
	    c.a.b[1] == 0 && c.a.b[2] == 0 && c.a.b[3] == 0 &&
		cidr_hostbits(&c) == 0,
	    "%u.%u", c.a.b[1], c.a.b[2]);
	(void)cidr_parse(&c, "2001:db8::/32", 13);
	check("cidr-no-hostbits", cidr_hostbits(&c) == 0, "seen");
}

int
main(void)
{
	char buf[74];
	struct addr a;

	test_addrs();
	test_nets();
	(void)addr_parse(&a, "192.0.2.1", 9);
	check("ptrname-ip4",
	    strcmp(addr_ptrname(&a, buf, sizeof(buf)),
		"1.2.0.192.in-addr.arpa") == 0,
	    "%s", buf);
	(void)addr_parse(&a, "2001:db8::cb01", 14);
	check("ptrname-ip6",
	    strcmp(addr_ptrname(&a, buf, sizeof(buf)),
		"1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
		"ip6.arpa") == 0,
	    "%s", buf);
	return check_exit();
}
