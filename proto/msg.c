/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure: no system calls, no allocation. */

#include "proto/msg.h"
#include "proto/wire.h"

#define P    ROLE_BIT(ROLE_PARENT)
#define D    ROLE_BIT(ROLE_DNS)
#define WL   (ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_LIBMILTER))
#define WLS  (WL | ROLE_BIT(ROLE_SHADOW))
#define DWLS (D | WLS)
#define S    ROLE_BIT(ROLE_SHADOW)
#define C    ROLE_BIT(ROLE_CONTROL)
#define WLC  (WL | C)

const struct msg_rule msg_rules[MSG_TYPE_MAX] = {
	[MSG_NONE] = { "NONE", 0, 0, 0, 0, FD_NONE, 0 },
#define X(n, s, r, lo, hi, fd, ph) \
	[MSG_##n] = { #n, s, r, lo, hi, fd, PHASE_##ph },
	MSG_TABLE(X)
#undef X
};

const char *const msg_role_name[ROLE_MAX] = { "none", "parent", "dns", "worker",
	"libmilter", "shadow", "control" };

void
msg_put_hdr(uint8_t *p, const struct msg_hdr *h)
{
	struct wbuf w;

	wbuf_init(&w, p, MSG_HDR_LEN);
	wbuf_u32(&w, h->type);
	wbuf_u32(&w, h->len);
	wbuf_u32(&w, h->peerid);
	wbuf_u32(&w, h->pid);
}

int
msg_check(const uint8_t *p, size_t len, enum msg_role from, enum msg_role to,
    int has_fd, enum msg_phase phase, struct msg_hdr *h, const char **why)
{
	const struct msg_rule *rule;
	struct rbuf r;

	rbuf_init(&r, p, len);
	h->type = rbuf_u32(&r);
	h->len = rbuf_u32(&r);
	h->peerid = rbuf_u32(&r);
	h->pid = rbuf_u32(&r);

	if (r.err)
		*why = "short header";
	else if (h->len != len)
		*why = "length differs from the record";
	else if (h->type == MSG_NONE || h->type >= MSG_TYPE_MAX)
		*why = "unknown type";
	else {
		rule = &msg_rules[h->type];
		if ((rule->senders & ROLE_BIT(from)) == 0)
			*why = "sender may not send this type";
		else if ((rule->receivers & ROLE_BIT(to)) == 0)
			*why = "receiver takes no such type";
		else if (r.left < rule->min || r.left > rule->max)
			*why = "payload out of bounds";
		else if (has_fd != (rule->fd == FD_ONE))
			*why = has_fd ? "descriptor not due" :
					"descriptor missing";
		else if ((rule->phase & phase) == 0)
			*why = "type out of phase";
		else
			return 0;
	}
	return -1;
}
