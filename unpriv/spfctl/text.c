/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl, after sandbox_enter(). */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "privsep/base/log.h"
#include "proto/addr.h"
#include "proto/dname.h"
#include "proto/text.h"
#include "unpriv/spfctl/text.h"

#define PUT_CHUNK 1024

static const char *const color_codes[] = {
	[CTL_C_NONE] = "\033[0m",
	[CTL_C_BOLD] = "\033[1m",
	[CTL_C_DIM] = "\033[2m",
	[CTL_C_GOOD] = "\033[32m",
	[CTL_C_WARN] = "\033[33m",
	[CTL_C_BAD] = "\033[1;31m",
};

static const enum ctl_color result_colors[SPF_RESULT_MAX] = {
	[SPF_RESULT_NONE] = CTL_C_DIM,
	[SPF_RESULT_NEUTRAL] = CTL_C_WARN,
	[SPF_RESULT_PASS] = CTL_C_GOOD,
	[SPF_RESULT_FAIL] = CTL_C_BAD,
	[SPF_RESULT_SOFTFAIL] = CTL_C_WARN,
	[SPF_RESULT_TEMPERROR] = CTL_C_BAD,
	[SPF_RESULT_PERMERROR] = CTL_C_BAD,
};

/* Escapes in pieces that end between characters of legal UTF-8. */
void
ctl_put(FILE *fp, const char *s, size_t len)
{
	char out[4 * PUT_CHUNK + 1];
	size_t i, n;

	while (len > 0) {
		for (i = 0; i < len && i < PUT_CHUNK - 4; i += n)
			if ((n = utf8_len(s + i, len - i)) == 0)
				n = 1;
		fwrite(out, 1, text_escape_log(out, sizeof(out), s, i), fp);
		s += i;
		len -= i;
	}
}

void
ctl_puts(FILE *fp, const char *s)
{
	if (s != NULL)
		ctl_put(fp, s, strlen(s));
}

void
ctl_put_short(FILE *fp, const char *s, size_t len, size_t max)
{
	if (len <= max) {
		ctl_put(fp, s, len);
		return;
	}
	ctl_put(fp, s, max);
	fprintf(fp, "... (%zu octets)", len);
}

void
ctl_set_color(const struct spfctl *ctl, enum ctl_color c)
{
	if (ctl->color)
		fputs(color_codes[c], stdout);
}

static void
put_format(FILE *fp, const char *fmt, va_list ap)
{
	size_t len = strlen(fmt);
	int n, newline = len > 0 && fmt[len - 1] == '\n';
	char *s;

	if ((n = vasprintf(&s, fmt, ap)) == -1)
		fatal("output");
	ctl_put(fp, s, (size_t)(n - newline));
	if (newline)
		putc('\n', fp);
	free(s);
}

void
ctl_print(const struct spfctl *ctl, enum ctl_color c, const char *fmt, ...)
{
	va_list ap;

	if (c != CTL_C_NONE)
		ctl_set_color(ctl, c);
	va_start(ap, fmt);
	put_format(stdout, fmt, ap);
	va_end(ap);
	if (c != CTL_C_NONE)
		ctl_set_color(ctl, CTL_C_NONE);
}

void
ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("spfctl: ", stderr);
	va_start(ap, fmt);
	put_format(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

enum ctl_color
ctl_result_color(enum spf_result r)
{
	return r < SPF_RESULT_MAX ? result_colors[r] : CTL_C_NONE;
}

const char *
ctl_rr_text(uint16_t type, const struct dns_rr *rr, char buf[300], size_t *len)
{
	struct addr a;
	size_t n = rr->len <= DNAME_MAX ? rr->len : DNAME_MAX;

	switch (type) {
	case DNS_T_A:
	case DNS_T_AAAA:
		memset(&a, 0, sizeof(a));
		a.family = type == DNS_T_A ? 4 : 6;
		memcpy(a.b, rr->data, n <= 16 ? n : 16);
		*len = strlen(addr_format(&a, buf, 300));
		return buf;
	case DNS_T_MX:
		*len = (size_t)snprintf(buf, 300, "%u %s",
		    (unsigned int)rr->aux, n == 0 ? "." : "");
		memcpy(buf + *len, rr->data, n);
		*len += n;
		return buf;
	default:
		*len = rr->len;
		return (const char *)rr->data;
	}
}
