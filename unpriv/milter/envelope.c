/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread only, but for core_header()). */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "privsep/base/log.h"
#include "proto/smtp.h"
#include "proto/stats.h"
#include "unpriv/check/logline.h"
#include "unpriv/milter/envelope.h"
#include "unpriv/milter/forged.h"

#define CORE_FOLD_MAX	(1024 * 1024)
#define CORE_NOTES	10   /* lines a minute of one kind */
#define CORE_PARAMS_LEN 1024 /* of ESMTP parameters in a log line */

/* Why mail of a client is not checked: words of the log. */
static const char skip_internal[] = "internal";
static const char skip_macro[] = "macro";
static const char skip_local[] = "local";
static const char skip_address[] = "no-address";
static const char skip_auth[] = "authenticated";

static struct log_note core_no_address = { .max = CORE_NOTES };
static struct log_note core_no_header;

static void core_named(enum hosts_match, void *);

void
core_init(struct core *c, const struct conf *conf, struct asker *asker,
    void (*decided)(void *), void *arg)
{
	memset(c, 0, sizeof(*c));
	c->conf = conf;
	c->asker = asker;
	c->decided = decided;
	c->arg = arg;
	if (conf->macro_list.n != 0 &&
	    (c->macros = calloc(conf->macro_list.n, sizeof(*c->macros))) ==
		NULL)
		fatal("core_init");
}

void
core_message_end(struct core *c)
{
	struct core_message *m = &c->msg;

	free(m->buf);
	free(m->code);
	free(m->xcode);
	free(m->text);
	free(m->name);
	free(m->value);
	free(m->own);
	memset(m, 0, sizeof(*m));
}

void
core_macros_clear(struct core *c)
{
	size_t i;

	for (i = 0; i < c->conf->macro_list.n; i++) {
		free(c->macros[i]);
		c->macros[i] = NULL;
	}
}

static void
core_client_end(struct core *c)
{
	confirm_cancel(c->confirm);
	c->confirm = NULL;
	if (c->prefetch != NULL)
		check_prefetch_reset(c->prefetch);
	free(c->host);
	free(c->helo);
	c->host = c->helo = NULL;
	c->family = 0;
	c->unchecked = NULL;
	c->trusted = 0;
	memset(&c->addr, 0, sizeof(c->addr));
	core_message_end(c);
}

void
core_reset(struct core *c)
{
	core_client_end(c);
	core_macros_clear(c);
}

void
core_free(struct core *c)
{
	core_reset(c);
	check_prefetch_free(c->prefetch);
	free(c->macros);
}

/* {name} or a single letter: the name inside and its length. */
static size_t
macro_name(const char **name)
{
	size_t len = strlen(*name);

	if (len >= 2 && (*name)[0] == '{' && (*name)[len - 1] == '}') {
		(*name)++;
		len -= 2;
	}
	return len;
}

void
core_macro(struct core *c, const char *name, const char *value)
{
	const struct conf_macros *list = &c->conf->macro_list;
	size_t i, len = macro_name(&name);

	for (i = 0; i < list->n; i++) {
		if (strlen(list->v[i].name) != len ||
		    memcmp(list->v[i].name, name, len) != 0)
			continue;
		free(c->macros[i]);
		/* Too long to be any value of a list: there, but no match. */
		c->macros[i] =
		    strdup(strlen(value) > CORE_MACRO_MAX ? "\001" : value);
	}
}

int
core_is_auth_macro(const char *name, const char *value)
{
	size_t len = macro_name(&name);

	return len == strlen("auth_authen") &&
	    memcmp(name, "auth_authen", len) == 0 && *value != '\0';
}

static const char *
core_macro_get(const char *name, void *arg)
{
	struct core *c = arg;
	size_t i;

	for (i = 0; i < c->conf->macro_list.n; i++)
		if (strcmp(c->conf->macro_list.v[i].name, name) == 0)
			return c->macros[i];
	return NULL;
}

/* As Python printed an address tuple: log readers know it. */
static void
core_log_connect(const struct core *c, int external)
{
	const char *where = external ? "EXTERNAL" : "INTERNAL";

	/* An object tells the client as well. */
	if (c->conf->debug_level <
	    (c->conf->log_format == LOGFORMAT_JSON ? 2 : 1))
		return;
	if (c->addr.family == 0)
		log_line(LOG_INFO, "connect from %s at None %s", c->host,
		    where);
	else
		log_line(LOG_INFO, "connect from %s at ('%s', %u%s) %s",
		    c->host, c->addr_text, c->port,
		    c->addr.family == 6 ? ", 0, 0" : "", where);
}

/* The last step of CONNECT: internal by host, or else by MacroList. */
static void
core_decide(struct core *c, enum hosts_match in)
{
	int external = 0;

	if (in == HOSTS_YES)
		c->unchecked = skip_internal;
	else if (!hosts_macros(&c->conf->macro_list, core_macro_get, c,
		     &external))
		c->unchecked = skip_macro;
	c->trusted = c->unchecked != NULL;
	/* Local submission, or nothing that SPF could judge. */
	if (c->family == 'L' || c->family == 'U') {
		c->unchecked = skip_local;
		c->trusted = 1;
	}
	core_log_connect(c, external);
	if (c->addr.family == 0 && c->family != 'L' && c->family != 'U') {
		log_note(&core_no_address,
		    "no usable client address from the "
		    "mail server: mail of %s is not checked",
		    c->host);
		c->unchecked = skip_address;
	}
}

static void
core_named(enum hosts_match in, void *arg)
{
	struct core *c = arg;

	c->confirm = NULL;
	core_decide(c, in);
	c->decided(c->arg);
}

void
core_connect(struct core *c, const struct milter_connect *mc)
{
	const struct conf_hosts *hosts = &c->conf->internal_hosts;
	enum hosts_match in = HOSTS_UNKNOWN;

	core_client_end(c);
	if ((c->host = strdup(mc->host)) == NULL)
		fatal("core_connect");
	c->family = mc->family;
	c->port = mc->port;
	c->addr = mc->addr;
	if (c->addr.family != 0) {
		addr_format(&c->addr, c->addr_text, sizeof(c->addr_text));
		in = hosts_addr(hosts, &c->addr);
		if (in == HOSTS_UNKNOWN && hosts_has_names(hosts)) {
			c->confirm = confirm_start(c->asker, hosts, &c->addr,
			    core_named, c);
			return;
		}
	}
	core_decide(c, in);
}

int
core_undecided(const struct core *c)
{
	return c->confirm != NULL;
}

void
core_helo(struct core *c, const char *helo)
{
	free(c->helo);
	if ((c->helo = strndup(helo, CORE_HELO_MAX)) == NULL)
		fatal("core_helo");
	if (c->unchecked != NULL || c->family == 0 || *helo == '\0')
		return;
	if (c->prefetch == NULL)
		c->prefetch = check_prefetch_new(c->asker);
	check_prefetch_helo(c->prefetch, c->conf, c->helo);
}

int
core_seconds(const struct core *c)
{
	return c->conf->lookup_time;
}

/* debug 2, as Python printed a tuple of strings. */
static void
core_log_mail(const struct core *c, const char *sender, const char *const *args,
    size_t n)
{
	char params[CORE_PARAMS_LEN] = "";
	size_t i;

	if (c->conf->debug_level < 2)
		return;
	for (i = 0; i < n; i++) {
		strlcat(params, i == 0 ? "'" : ", '", sizeof(params));
		strlcat(params, args[i], sizeof(params));
		strlcat(params, n == 1 ? "'," : "'", sizeof(params));
	}
	log_line(LOG_INFO, "mail from: %s (%s)", sender, params);
}

void
core_queue_id(struct core *c, const char *id)
{
	strlcpy(c->queue_id, id == NULL ? "" : id, sizeof(c->queue_id));
}

void
core_mail_came(struct core *c)
{
	logline_clock(&c->since);
}

static void
core_logline(const struct core *c, struct logline *l)
{
	const struct core_message *m = &c->msg;

	memset(l, 0, sizeof(*l));
	l->conf = c->conf;
	l->protocol = "milter";
	l->queue_id = m->queue_id;
	l->client = c->addr.family != 0 ? c->addr_text : NULL;
	l->client_name = c->host;
	l->helo = c->helo;
	l->sender = m->req.sender;
	l->since = m->since;
}

/* Why this message is not checked, counted; or NULL. */
static const char *
core_skip(const struct core *c, int authenticated)
{
	const char *why = c->family == 0 ? skip_address : c->unchecked;

	if (why == NULL && authenticated && c->conf->skip_authenticated)
		why = skip_auth;
	if (why == skip_internal || why == skip_local)
		stat_inc(SKIP_INTERNAL);
	else if (why == skip_macro)
		stat_inc(SKIP_MACRO);
	else if (why == skip_auth)
		stat_inc(SKIP_AUTH);
	return why;
}

static void
core_request(struct core *c, const char *sender, const char *const *args,
    size_t n)
{
	struct core_message *m = &c->msg;
	struct judge_request *r = &m->req;
	size_t i;

	if ((m->buf = strdup(sender)) == NULL)
		fatal("core_mail");
	r->voice = JUDGE_MILTER;
	r->conf = c->conf;
	r->client = c->addr;
	r->client_text = c->addr_text;
	/* No HELO command: as in spf-engine, the sender's domain serves. */
	r->helo = c->helo == NULL ? "" : c->helo;
	r->sender = smtp_sender(m->buf);
	r->recipient = NULL;
	r->now = time(NULL);
	for (i = 0; i < n; i++)
		if (strcasecmp(args[i], "SMTPUTF8") == 0)
			r->smtputf8 = 1;
}

int
core_mail(struct core *c, const char *sender, const char *const *args, size_t n,
    int authenticated)
{
	struct core_message *m = &c->msg;
	struct logline l;
	const char *why;

	core_message_end(c);
	m->active = 1;
	m->trusted = c->trusted || c->family == 0;
	m->since = c->since;
	strlcpy(m->queue_id, c->queue_id, sizeof(m->queue_id));
	c->queue_id[0] = '\0';
	core_request(c, sender, args, n);
	if ((why = core_skip(c, authenticated)) != NULL) {
		core_logline(c, &l);
		logline_skipped(&l, why);
		return 0;
	}
	core_log_mail(c, sender, args, n);
	return 1;
}

static char *
copy(const char *s)
{
	char *p;

	if ((p = strdup(s)) == NULL)
		fatal("milter");
	return p;
}

static void
core_keep_reply(struct core_message *m, const char *code, const char *xcode,
    const char *text)
{
	free(m->code);
	free(m->xcode);
	free(m->text);
	m->code = copy(code);
	/* Postfix refuses a reply without one (COMPAT "enhanced-no"). */
	m->xcode = copy(xcode != NULL ? xcode :
		*code == '5'	      ? "5.7.1" :
					"4.7.1");
	m->text = copy(text);
}

static void
core_keep_header(struct core_message *m, const struct judge_outcome *out)
{
	static struct arena *arena;
	const char *folded;

	if (arena == NULL && (arena = arena_new(CORE_FOLD_MAX)) == NULL)
		fatal("milter");
	arena_reset(arena);
	folded = judge_fold(out->header_name, out->header_value, arena);
	m->name = copy(out->header_name);
	m->value = copy(folded != NULL ? folded : out->header_value);
}

void
core_outcome(struct core *c, const struct judge_outcome *out)
{
	struct core_message *m = &c->msg;
	struct logline l;

	core_logline(c, &l);
	logline_judged(&l, out, out->action);
	m->action = out->action;
	if (out->skipped != NULL && strcmp(out->skipped, "skip_addresses") == 0)
		m->trusted = 1;
	switch (out->action) {
	case JUDGE_REJECT:
	case JUDGE_DEFER:
		core_keep_reply(m, out->code, out->xcode, out->text);
		break;
	case JUDGE_PREPEND:
		if (out->header_name != NULL && out->header_value != NULL)
			core_keep_header(m, out);
		break;
	default:
		m->action = JUDGE_NOTHING;
		break;
	}
}

const char *const core_field_name[CORE_FIELD_MAX] = {
	[CORE_FIELD_AR] = "Authentication-Results",
	[CORE_FIELD_SPF] = "Received-SPF",
};

static int
core_own_add(struct core_message *m, enum core_field field)
{
	struct core_forged *own;
	size_t size;

	if (m->nown == m->own_size) {
		size = m->own_size == 0 ? 4 : m->own_size * 2;
		if ((own = reallocarray(m->own, size, sizeof(*own))) == NULL)
			return -1;
		m->own = own;
		m->own_size = size;
	}
	m->own[m->nown].field = field;
	m->own[m->nown++].idx = m->seen[field];
	return 0;
}

void
core_header(struct core *c, const char *name, const char *value)
{
	struct core_message *m = &c->msg;
	unsigned int f;

	if (!m->active || m->trusted || !c->conf->remove_own_ar)
		return;
	for (f = 0; f < CORE_FIELD_MAX; f++)
		if (forged_is_field(name, core_field_name[f]))
			break;
	if (f == CORE_FIELD_MAX)
		return;
	m->seen[f]++;
	/*
	 * A Received-SPF does not say who wrote it, and a DMARC filter behind
	 * us believes the topmost.
	 */
	if (f == CORE_FIELD_AR && !forged_own_ar(value, c->conf->authserv_id))
		return;
	if (m->nown >= CORE_AR_MAX || core_own_add(m, f) == -1)
		m->flood = 1;
}

int
core_eom(struct core *c, uint32_t actions)
{
	struct core_message *m = &c->msg;
	struct logline l;

	core_logline(c, &l);
	/* What cannot all be removed must not be believed by the next hop. */
	if (m->flood) {
		logline_forged(&l, CORE_AR_MAX, 1);
		core_keep_reply(m, "550", "5.7.1",
		    "Too many forged header fields with results");
		return -1;
	}
	if ((actions & MILTER_F_CHGHDRS) == 0)
		m->nown = 0;
	if (m->nown != 0)
		logline_forged(&l, m->nown, 0);
	stat_add(OWN_AR_REMOVED, m->nown);
	if (m->name != NULL && (actions & MILTER_F_ADDHDRS) == 0) {
		log_note(&core_no_header,
		    "the mail server lets no header be "
		    "added: mail goes without");
		free(m->name);
		m->name = NULL;
	}
	if (m->name != NULL && c->conf->debug_level >= 2)
		log_line(LOG_INFO, "%s: %s", m->name, m->value);
	return 0;
}
