/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: shadow; spf2_judge() after sandbox_enter() only. */

#include <netinet/in.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>

#include "privsep/base/log.h"
#include "proto/dname.h"
#include "unpriv/shadow/shadow_spf2.h"

#define RECEIVER "unknown" /* for %{r}, as in our engine */

struct spf2 {
	SPF_server_t *server;
	SPF_dns_server_t layer;
	struct spf2_check *check; /* the one that is running */
};

/* Replaces libspf2's handlers, whose stdio the sandbox does not allow. */
static void
spf2_quiet(const char *file, int line, const char *text)
{
}

static void __attribute__((__noreturn__))
spf2_error(const char *file, int line, const char *text)
{
	log_warnx("libspf2 gives up: %s", text);
	abort();
}

/*
 * The length of record data. libspf2 reads texts as C strings: a TXT record
 * ends at its first NUL, and a name with a NUL counts as empty.
 */
static size_t
spf2_len(const struct dns_rr *rr, uint16_t type)
{
	if (type == DNS_T_A || type == DNS_T_AAAA)
		return rr->len;
	if (type == DNS_T_TXT)
		return strnlen((const char *)rr->data, rr->len);
	return memchr(rr->data, '\0', rr->len) != NULL ? 0 : rr->len;
}

/* Appends one record to an answer; skips invalid names. */
static void
spf2_add(SPF_dns_rr_t *to, const struct dns_rr *rr, uint16_t type)
{
	size_t len = spf2_len(rr, type);
	char *p;

	if (len == 0 && type != DNS_T_TXT)
		return;
	if (SPF_dns_rr_buf_realloc(to, to->num_rr, len + 1) != SPF_E_SUCCESS)
		fatalx("no memory for an answer");
	p = (char *)to->rr[to->num_rr];
	if (len > 0)
		memcpy(p, rr->data, len);
	p[len] = '\0';
	to->num_rr++;
}

/* The h_errno for a question; *a is set with NETDB_SUCCESS only. */
static int
spf2_ask(struct spf2_check *c, const char *name, uint16_t type,
    const struct dns_answer **a)
{
	size_t len = dname_undot(name, strlen(name));
	int known;

	/* libspf2 expands macros to invalid names, and hangs on long ones */
	if (len == 0 || !dname_valid(name, len) || !DNS_TYPE_OK(type))
		return HOST_NOT_FOUND;
	known = answers_find(c->answers, type, name, len) != NULL;
	if (++c->lookups > SPF2_LOOKUPS ||
	    (!known && c->questions >= SPF2_QUESTIONS)) {
		c->cut = 1;
		return TRY_AGAIN;
	}
	c->questions += !known;
	if ((*a = answers_get(c->answers, type, name, len)) == NULL) {
		c->missing = 1;
		return TRY_AGAIN;
	}
	switch ((*a)->status) {
	case DNS_OK:
		return NETDB_SUCCESS;
	case DNS_NXDOMAIN:
		return HOST_NOT_FOUND;
	case DNS_NODATA:
		return NO_DATA;
	default:
		/* for most mechanisms NO_RECOVERY would mean no records */
		return TRY_AGAIN;
	}
}

/* The DNS layer of libspf2, which frees the answer. */
static SPF_dns_rr_t *
spf2_lookup(SPF_dns_server_t *layer, const char *name, ns_type type,
    int should_cache)
{
	struct spf2 *s = layer->hook;
	const struct dns_answer *a = NULL;
	SPF_dns_rr_t *rr;
	uint16_t i;
	int herrno;

	herrno = spf2_ask(s->check, name, (uint16_t)type, &a);
	rr = SPF_dns_rr_new_init(layer, name, type, 0, herrno);
	if (rr == NULL)
		fatalx("no memory for an answer");
	if (herrno != NETDB_SUCCESS)
		return rr;
	for (i = 0; i < a->nrr; i++)
		spf2_add(rr, &a->rr[i], (uint16_t)type);
	/* success without records would be a syntax error */
	if (rr->num_rr == 0)
		rr->herrno = NO_DATA;
	return rr;
}

struct spf2 *
spf2_new(void)
{
	struct spf2 *s;

	/* If libspf2 prints, stdio must not call fstat(2) for a buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	SPF_error_handler = spf2_error;
	SPF_warning_handler = spf2_quiet;
	SPF_info_handler = spf2_quiet;
	SPF_debug_handler = spf2_quiet;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("spf2_new");
	s->layer.lookup = spf2_lookup;
	s->layer.name = "answers";
	s->layer.hook = s;
	if ((s->server = SPF_server_new_dns(&s->layer, 0)) == NULL ||
	    SPF_server_set_rec_dom(s->server, RECEIVER) != SPF_E_SUCCESS ||
	    SPF_server_set_sanitize(s->server, 1) != SPF_E_SUCCESS)
		fatalx("libspf2 does not start");
	return s;
}

/* After an error in the first record libspf2's result is invalid. */
static uint8_t
spf2_result(SPF_result_t result, SPF_errcode_t err)
{
	static const uint8_t map[] = {
		[SPF_RESULT_NEUTRAL] = SHADOW_NEUTRAL,
		[SPF_RESULT_PASS] = SHADOW_PASS,
		[SPF_RESULT_FAIL] = SHADOW_FAIL,
		[SPF_RESULT_SOFTFAIL] = SHADOW_SOFTFAIL,
		[SPF_RESULT_NONE] = SHADOW_NONE,
		[SPF_RESULT_TEMPERROR] = SHADOW_TEMPERROR,
		[SPF_RESULT_PERMERROR] = SHADOW_PERMERROR,
	};

	if (result == SPF_RESULT_INVALID ||
	    (size_t)result >= sizeof(map) / sizeof(map[0]))
		return err == SPF_E_DNS_ERROR || err == SPF_E_NO_MEMORY ?
		    SHADOW_TEMPERROR :
		    SHADOW_PERMERROR;
	return map[result];
}

static SPF_request_t *
spf2_request(struct spf2 *s, const struct shadow_copy *c)
{
	SPF_request_t *r;
	struct in6_addr in6;
	struct in_addr in;

	if ((r = SPF_request_new(s->server)) == NULL)
		fatalx("no memory for a request");
	if (c->client.family == 4) {
		memcpy(&in, c->client.b, sizeof(in));
		SPF_request_set_ipv4(r, in);
	} else {
		memcpy(&in6, c->client.b, sizeof(in6));
		SPF_request_set_ipv6(r, in6);
	}
	/* HELO first; it stands for the null sender (RFC 7208 2.4) */
	SPF_request_set_helo_dom(r, c->helo);
	SPF_request_set_env_from(r, c->sender);
	return r;
}

int
spf2_judge(struct spf2 *s, const struct shadow_copy *c,
    struct spf2_check *check, int last, struct shadow_opinion *o)
{
	SPF_response_t *resp = NULL;
	SPF_request_t *r;
	SPF_errcode_t err;
	const char *why = NULL;

	s->check = check;
	check->missing = 0;
	r = spf2_request(s, c);
	err = SPF_request_query_mailfrom(r, &resp);
	o->result = spf2_result(
	    resp == NULL ? SPF_RESULT_INVALID : SPF_response_result(resp), err);
	if (resp != NULL)
		why = SPF_response_get_header_comment(resp);
	if (why == NULL)
		why = SPF_strerror(err);
	else if (strncmp(why, RECEIVER ": ", sizeof(RECEIVER ": ") - 1) == 0)
		why += sizeof(RECEIVER ": ") - 1;
	strlcpy(o->why, why == NULL ? "" : why, sizeof(o->why));
	o->cut = (uint8_t)check->cut;
	o->questions = (uint16_t)check->questions;
	if (resp != NULL)
		SPF_response_free(resp);
	SPF_request_free(r);
	s->check = NULL;
	return last || !check->missing;
}
