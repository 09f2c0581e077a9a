/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter (event thread only, but for envelope_header()). */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "privsep/base/clock.h"
#include "privsep/base/log.h"
#include "proto/smtp.h"
#include "proto/stats.h"
#include "unpriv/check/logline.h"
#include "unpriv/judge/bypass.h"
#include "unpriv/judge/header.h"
#include "unpriv/milter/envelope.h"
#include "unpriv/milter/forged.h"

#define ENVELOPE_FOLD_MAX   (1024 * 1024)
#define ENVELOPE_NOTES	    10	 /* lines a minute of one kind */
#define ENVELOPE_PARAMS_LEN 1024 /* of ESMTP parameters in a log line */
#define ENVELOPE_USER_LEN   256	 /* of the name of a login there */

static const struct {
	const char *word;  /* in the log */
	enum stat_id stat; /* STAT_MAX: not counted */
} envelope_skips[] = {
	[ENVELOPE_CHECKED] = { NULL, STAT_MAX },
	[ENVELOPE_SKIP_INTERNAL] = { "internal", STAT_SKIP_INTERNAL },
	[ENVELOPE_SKIP_MACRO] = { "macro", STAT_SKIP_MACRO },
	[ENVELOPE_SKIP_LOCAL] = { "local", STAT_SKIP_INTERNAL },
	[ENVELOPE_SKIP_ADDRESS] = { "no-address", STAT_MAX },
	[ENVELOPE_SKIP_AUTH] = { "authenticated", STAT_SKIP_AUTH },
};

static const char *const envelope_field_name[ENVELOPE_FIELD_MAX] = {
	"Authentication-Results", "Received-SPF"
};

static struct log_note envelope_no_address = { .max = ENVELOPE_NOTES };
static struct log_note envelope_no_header;

static char *
copy(const char *s)
{
	char *p;

	if ((p = strdup(s)) == NULL)
		fatal("envelope");
	return p;
}

void
envelope_init(struct envelope *e, const struct conf *conf, struct asker *asker,
    void (*decided)(void *), void *arg)
{
	memset(e, 0, sizeof(*e));
	e->conf = conf;
	e->asker = asker;
	e->decided = decided;
	e->arg = arg;
	if (conf->macro_list.n != 0 &&
	    (e->macros = calloc(conf->macro_list.n, sizeof(*e->macros))) ==
		NULL)
		fatal("envelope_init");
}

void
envelope_message_end(struct envelope *e)
{
	struct envelope_message *m = &e->msg;

	free(m->buf);
	free(m->code);
	free(m->xcode);
	free(m->text);
	free(m->name);
	free(m->value);
	free(m->forged);
	memset(m, 0, sizeof(*m));
}

void
envelope_macros_clear(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->conf->macro_list.n; i++) {
		free(e->macros[i]);
		e->macros[i] = NULL;
	}
}

static void
envelope_client_end(struct envelope *e)
{
	confirm_cancel(e->confirm);
	e->confirm = NULL;
	if (e->prefetch != NULL)
		check_prefetch_reset(e->prefetch);
	free(e->host);
	free(e->helo);
	e->host = e->helo = NULL;
	e->family = 0;
	e->skip = ENVELOPE_CHECKED;
	e->trusted = 0;
	memset(&e->addr, 0, sizeof(e->addr));
	envelope_message_end(e);
}

void
envelope_reset(struct envelope *e)
{
	envelope_client_end(e);
	envelope_macros_clear(e);
}

void
envelope_free(struct envelope *e)
{
	envelope_reset(e);
	check_prefetch_free(e->prefetch);
	free(e->macros);
}

/* Compares names; the first may have braces. */
static int
macro_is(const char *name, const char *want)
{
	size_t len = strlen(name);

	if (len >= 2 && name[0] == '{' && name[len - 1] == '}') {
		name++;
		len -= 2;
	}
	return len == strlen(want) && memcmp(name, want, len) == 0;
}

void
envelope_macro(struct envelope *e, const char *name, const char *value)
{
	const struct conf_macros *list = &e->conf->macro_list;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (!macro_is(name, list->v[i].name))
			continue;
		free(e->macros[i]);
		/* A value too long for any list is set, but matches none. */
		e->macros[i] =
		    strdup(strlen(value) > ENVELOPE_MACRO_MAX ? "\001" : value);
	}
}

int
envelope_is_auth_macro(const char *name, const char *value)
{
	return macro_is(name, "auth_authen") && *value != '\0';
}

static const char *
envelope_macro_get(const char *name, void *arg)
{
	struct envelope *e = arg;
	size_t i;

	for (i = 0; i < e->conf->macro_list.n; i++)
		if (strcmp(e->conf->macro_list.v[i].name, name) == 0)
			return e->macros[i];
	return NULL;
}

/* As spf-engine writes it: the address is a tuple of Python. */
static void
envelope_log_connect(const struct envelope *e, int external)
{
	const char *where = external ? "EXTERNAL" : "INTERNAL";

	/* With Log_Format = json the objects show the client. */
	if (e->conf->debug_level <
	    (e->conf->log_format == LOGFORMAT_JSON ? 2 : 1))
		return;
	if (e->addr.family == 0)
		log_line(LOG_INFO, "connect from %s at None %s", e->host,
		    where);
	else
		log_line(LOG_INFO, "connect from %s at ('%s', %u%s) %s",
		    e->host, e->addr_text, e->port,
		    e->addr.family == 6 ? ", 0, 0" : "", where);
}

/* The last step of CONNECT: internal by host, or else by MacroList. */
static void
envelope_decide(struct envelope *e, enum hosts_match in)
{
	int local = e->family == 'L' || e->family == 'U', external = 0;

	if (in == HOSTS_YES) {
		e->skip = ENVELOPE_SKIP_INTERNAL;
		if (e->conf->debug_level >= 2)
			log_line(LOG_INFO,
			    "Internal connection: InternalHosts %s",
			    e->addr_text);
	} else if (!hosts_macros(&e->conf->macro_list, envelope_macro_get, e,
		       &external))
		e->skip = ENVELOPE_SKIP_MACRO;
	e->trusted = e->skip != ENVELOPE_CHECKED;
	/* Local submission, or a family that SPF does not know. */
	if (local) {
		e->skip = ENVELOPE_SKIP_LOCAL;
		e->trusted = 1;
	}
	envelope_log_connect(e, external);
	if (e->addr.family == 0 && !local) {
		log_note(&envelope_no_address,
		    "no usable client address from the mail server: "
		    "mail of %s is not checked",
		    e->host);
		e->skip = ENVELOPE_SKIP_ADDRESS;
	}
}

static void
envelope_named(enum hosts_match in, void *arg)
{
	struct envelope *e = arg;

	e->confirm = NULL;
	envelope_decide(e, in);
	e->decided(e->arg);
}

void
envelope_connect(struct envelope *e, const struct milter_connect *mc)
{
	const struct conf_hosts *hosts = &e->conf->internal_hosts;
	enum hosts_match in = HOSTS_UNKNOWN;

	envelope_client_end(e);
	e->host = copy(mc->host);
	e->family = mc->family;
	e->port = mc->port;
	e->addr = mc->addr;
	if (e->addr.family != 0) {
		addr_format(&e->addr, e->addr_text, sizeof(e->addr_text));
		in = hosts_addr(hosts, &e->addr);
		if (in == HOSTS_UNKNOWN && hosts_has_names(hosts)) {
			e->confirm = confirm_start(e->asker, hosts, &e->addr,
			    envelope_named, e);
			return;
		}
	}
	envelope_decide(e, in);
}

int
envelope_undecided(const struct envelope *e)
{
	return e->confirm != NULL;
}

void
envelope_helo(struct envelope *e, const char *helo)
{
	free(e->helo);
	if ((e->helo = strndup(helo, ENVELOPE_HELO_MAX)) == NULL)
		fatal("envelope_helo");
	if (e->skip != ENVELOPE_CHECKED || e->family == 0 || *helo == '\0')
		return;
	if (e->prefetch == NULL)
		e->prefetch = check_prefetch_new(e->asker);
	check_prefetch_helo(e->prefetch, e->conf, e->helo);
}

/* debugLevel 2, as spf-engine writes it: parameters as a tuple of Python. */
static void
envelope_log_mail(const struct envelope *e, const char *sender,
    const char *const *args, size_t n)
{
	char params[ENVELOPE_PARAMS_LEN] = "";
	size_t i;

	if (e->conf->debug_level < 2)
		return;
	for (i = 0; i < n; i++) {
		strlcat(params, i == 0 ? "'" : ", '", sizeof(params));
		strlcat(params, args[i], sizeof(params));
		strlcat(params, n == 1 ? "'," : "'", sizeof(params));
	}
	log_line(LOG_INFO, "mail from: %s (%s)", sender, params);
}

void
envelope_queue_id(struct envelope *e, const char *id)
{
	strlcpy(e->queue_id, id == NULL ? "" : id, sizeof(e->queue_id));
}

void
envelope_mail_arrived(struct envelope *e)
{
	e->since = clock_usec();
}

static void
envelope_logline(const struct envelope *e, struct logline *l)
{
	*l = (struct logline){ .conf = e->conf,
		.program = CONF_MILTER,
		.queue_id = e->msg.queue_id,
		.client = e->addr.family != 0 ? e->addr_text : NULL,
		.client_name = e->host,
		.helo = e->helo,
		.sender = e->msg.req.sender,
		.since = e->msg.since };
}

/* Decides whether to check this message, and counts it if not. */
static enum envelope_skip
envelope_skip(const struct envelope *e, const char *user)
{
	enum envelope_skip why =
	    e->family == 0 ? ENVELOPE_SKIP_ADDRESS : e->skip;

	if (user != NULL && e->conf->skip_authenticated) {
		if (e->conf->debug_level >= 2)
			log_line(LOG_INFO,
			    "Internal connection: SMTP Auth user %.*s",
			    ENVELOPE_USER_LEN, user);
		if (why == ENVELOPE_CHECKED)
			why = ENVELOPE_SKIP_AUTH;
	}
	if (envelope_skips[why].stat != STAT_MAX)
		stats->v[envelope_skips[why].stat]++;
	return why;
}

static void
envelope_request(struct envelope *e, const char *sender,
    const char *const *args, size_t n)
{
	struct judge_request *r = &e->msg.req;
	size_t i;

	e->msg.buf = copy(sender);
	r->program = CONF_MILTER;
	r->conf = e->conf;
	r->client = e->addr;
	r->client_text = e->addr_text;
	/* For a missing HELO the judge takes the sender's domain. */
	r->helo = e->helo == NULL ? "" : e->helo;
	r->sender = smtp_sender(e->msg.buf);
	r->now = time(NULL);
	for (i = 0; i < n; i++)
		if (strcasecmp(args[i], "SMTPUTF8") == 0)
			r->smtputf8 = 1;
}

int
envelope_mail(struct envelope *e, const char *sender, const char *const *args,
    size_t n, const char *user)
{
	struct envelope_message *m = &e->msg;
	struct logline l;
	enum envelope_skip why;

	envelope_message_end(e);
	m->active = 1;
	m->trusted = e->trusted || e->family == 0;
	m->since = e->since;
	strlcpy(m->queue_id, e->queue_id, sizeof(m->queue_id));
	e->queue_id[0] = '\0';
	envelope_request(e, sender, args, n);
	if ((why = envelope_skip(e, user)) != ENVELOPE_CHECKED) {
		envelope_logline(e, &l);
		logline_skipped(&l, envelope_skips[why].word);
		return 0;
	}
	envelope_log_mail(e, sender, args, n);
	return 1;
}

struct check *
envelope_check(struct envelope *e, check_done_fn done, void *arg)
{
	return check_start(e->asker, e->prefetch, &e->msg.req, done, arg);
}

static void
envelope_keep_reply(struct envelope_message *m, const char *code,
    const char *xcode, const char *text)
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
envelope_keep_header(struct envelope_message *m,
    const struct judge_outcome *out)
{
	static struct arena *arena;
	const char *folded;

	if (arena == NULL && (arena = arena_new(ENVELOPE_FOLD_MAX)) == NULL)
		fatal("envelope");
	arena_reset(arena);
	folded = header_fold(out->header_name, out->header_value, arena);
	m->name = copy(out->header_name);
	m->value = copy(folded != NULL ? folded : out->header_value);
}

void
envelope_outcome(struct envelope *e, const struct judge_outcome *out)
{
	struct envelope_message *m = &e->msg;
	struct logline l;

	envelope_logline(e, &l);
	logline_judged(&l, out, out->action);
	if (out->skipped != NULL && out->skipped->id == BYPASS_SKIP_ADDRESSES)
		m->trusted = 1;
	m->action = out->action;
	if (envelope_refuses(e))
		envelope_keep_reply(m, out->code, out->xcode, out->text);
	else if (out->action != JUDGE_PREPEND)
		m->action = JUDGE_NOTHING;
	else if (out->header_name != NULL)
		envelope_keep_header(m, out);
}

int
envelope_refuses(const struct envelope *e)
{
	return e->msg.action == JUDGE_REJECT || e->msg.action == JUDGE_DEFER;
}

static int
envelope_add_forged(struct envelope_message *m, enum envelope_field field)
{
	struct envelope_forged *p;
	size_t size;

	if (m->nforged == m->forged_size) {
		size = m->forged_size == 0 ? 4 : m->forged_size * 2;
		if ((p = reallocarray(m->forged, size, sizeof(*p))) == NULL)
			return -1;
		m->forged = p;
		m->forged_size = size;
	}
	m->forged[m->nforged].name = envelope_field_name[field];
	m->forged[m->nforged++].idx = m->seen[field];
	return 0;
}

void
envelope_header(struct envelope *e, const char *name, const char *value)
{
	struct envelope_message *m = &e->msg;
	unsigned int f;

	if (!m->active || m->trusted || !e->conf->remove_own_ar)
		return;
	for (f = 0; f < ENVELOPE_FIELD_MAX; f++)
		if (forged_is_field(name, envelope_field_name[f]))
			break;
	if (f == ENVELOPE_FIELD_MAX)
		return;
	m->seen[f]++;
	/*
	 * Remove every Received-SPF: it has no authserv-id, and a later DMARC
	 * filter believes the topmost one.
	 */
	if (f == ENVELOPE_FIELD_AR &&
	    !forged_own_ar(value, e->conf->authserv_id))
		return;
	if (m->nforged >= ENVELOPE_AR_MAX || envelope_add_forged(m, f) == -1)
		m->flood = 1;
}

int
envelope_eom(struct envelope *e, uint32_t actions)
{
	struct envelope_message *m = &e->msg;
	struct logline l;

	envelope_logline(e, &l);
	/* The next filter believes a field that is not removed. */
	if (m->flood) {
		logline_forged(&l, ENVELOPE_AR_MAX, 1);
		envelope_keep_reply(m, "550", "5.7.1",
		    "Too many forged header fields with results");
		return -1;
	}
	if ((actions & MILTER_F_CHGHDRS) == 0)
		m->nforged = 0;
	if (m->nforged != 0)
		logline_forged(&l, m->nforged, 0);
	stat_add(OWN_AR_REMOVED, m->nforged);
	if (m->name != NULL && (actions & MILTER_F_ADDHDRS) == 0) {
		log_note(&envelope_no_header,
		    "the mail server does not allow new header fields: "
		    "messages get none");
		free(m->name);
		m->name = NULL;
	}
	if (m->name != NULL && e->conf->debug_level >= 2)
		log_line(LOG_INFO, "%s: %s", m->name, m->value);
	return 0;
}

const struct envelope_forged *
envelope_next_forged(struct envelope *e)
{
	return e->msg.nforged == 0 ? NULL : &e->msg.forged[--e->msg.nforged];
}
