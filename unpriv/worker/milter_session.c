/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker; after sandbox_enter(). */

#include <stdlib.h>
#include <string.h>

#include "privsep/base/log.h"
#include "proto/milter.h"
#include "unpriv/milter/envelope.h"
#include "unpriv/worker/session.h"

/* MTAs wait up to ten minutes between commands, but send each at once. */
#define MILTER_IDLE	  600
#define MILTER_IDLE_DRAIN 60
#define MILTER_BEGUN	  30

/* The stages whose macros count, in their order. */
static const char milter_stages[] = "CHM";
#define MILTER_STAGES	  3
#define MILTER_STAGE_MAIL 2

struct milter_session {
	struct conn *conn;
	struct envelope envelope;
	enum milter_state state;
	struct milter_options agreed;
	char *user[MILTER_STAGES]; /* of a login, by stage; or NULL */
	struct check *check;
	int reused;    /* after QUIT_NC */
	uint8_t *held; /* MAIL that waits until the envelope is decided */
	size_t held_len;
};

static struct log_note milter_too_long;

static void
milter_continue(struct milter_session *s)
{
	uint8_t buf[MILTER_LEN_SIZE + 1];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	milter_put_simple(&w, 'c');
	conn_send(s->conn, buf, w.len);
}

static void
milter_reply(struct milter_session *s)
{
	const struct envelope_message *m = &s->envelope.msg;
	uint8_t buf[2048];
	struct wbuf w;

	wbuf_init(&w, buf, sizeof(buf));
	milter_put_reply(&w, m->code, m->xcode, m->text);
	if (!wbuf_ok(&w)) {
		/* The judge's texts are shorter; reply without it. */
		wbuf_init(&w, buf, sizeof(buf));
		milter_put_reply(&w, m->code, m->xcode, "SPF");
	}
	conn_send(s->conn, buf, w.len);
}

static void
milter_message_end(struct milter_session *s)
{
	if (s->check != NULL)
		check_cancel(s->check);
	s->check = NULL;
	free(s->held);
	s->held = NULL;
	envelope_message_end(&s->envelope);
	if (s->state == MILTER_ST_MESSAGE)
		s->state = s->envelope.family != 0 ? MILTER_ST_CLIENT :
						     MILTER_ST_AGREED;
}

static int
milter_optneg(struct milter_session *s, const uint8_t *p, size_t len)
{
	uint8_t buf[MILTER_LEN_SIZE + 13];
	struct milter_options offer;
	struct wbuf w;

	if (milter_get_options(p, len, &offer) == -1)
		return conn_fail(s->conn, "malformed option negotiation");
	if (milter_agree(&offer, s->envelope.conf->remove_own_ar, &s->agreed) ==
	    -1)
		return conn_fail(s->conn, "protocol version below 2");
	s->state = MILTER_ST_AGREED;
	wbuf_init(&w, buf, sizeof(buf));
	milter_put_options(&w, &s->agreed);
	conn_send(s->conn, buf, w.len);
	return 0;
}

/* Forgets or, if there is a name, sets the login of a stage. */
static void
milter_set_user(struct milter_session *s, int stage, const char *name)
{
	free(s->user[stage]);
	s->user[stage] = NULL;
	if (name != NULL && (s->user[stage] = strdup(name)) == NULL)
		fatal("milter_set_user");
}

static void
milter_forget_users(struct milter_session *s)
{
	int i;

	for (i = 0; i < MILTER_STAGES; i++)
		milter_set_user(s, i, NULL);
}

/* The login of the latest stage that has one, or NULL. */
static const char *
milter_user(const struct milter_session *s)
{
	int i = MILTER_STAGES;

	while (i-- > 0)
		if (s->user[i] != NULL)
			return s->user[i];
	return NULL;
}

/* A new list for a stage replaces the one before. */
static int
milter_macro(struct milter_session *s, const uint8_t *p, size_t len)
{
	const char *name, *value;
	struct rbuf r;
	const char *at;
	uint8_t stage;
	int err = 0;

	rbuf_init(&r, p, len);
	stage = rbuf_u8(&r);
	if (r.err)
		return conn_fail(s->conn, "malformed macros");
	if ((at = memchr(milter_stages, stage, MILTER_STAGES)) == NULL)
		return 0;
	milter_set_user(s, (int)(at - milter_stages), NULL);
	if (stage == 'C')
		envelope_macros_clear(&s->envelope);
	if (stage == 'M')
		envelope_queue_id(&s->envelope, NULL);
	while ((name = milter_next_string(&r, &err)) != NULL) {
		if ((value = milter_next_string(&r, &err)) == NULL)
			value = "";
		if (stage == 'C')
			envelope_macro(&s->envelope, name, value);
		if (stage == 'M' && strcmp(name, "i") == 0)
			envelope_queue_id(&s->envelope, value);
		if (envelope_is_auth_macro(name, value))
			milter_set_user(s, (int)(at - milter_stages), value);
	}
	return err ? conn_fail(s->conn, "malformed macros") : 0;
}

static int
milter_connect(struct milter_session *s, const uint8_t *p, size_t len)
{
	struct milter_connect mc;

	if (milter_get_connect(p, len, &mc) == -1)
		return conn_fail(s->conn, "malformed CONNECT");
	envelope_connect(&s->envelope, &mc);
	s->state = MILTER_ST_CLIENT;
	return 0;
}

static int
milter_helo(struct milter_session *s, const uint8_t *p, size_t len)
{
	const char *helo;

	if (milter_get_string(p, len, &helo) == -1)
		return conn_fail(s->conn, "malformed HELO");
	envelope_helo(&s->envelope, helo);
	return 0;
}

static void
milter_checked(const struct judge_outcome *out, void *arg)
{
	struct milter_session *s = arg;

	s->check = NULL;
	envelope_outcome(&s->envelope, out);
	if (envelope_refuses(&s->envelope)) {
		milter_reply(s);
		milter_message_end(s); /* the MTA sends nothing more of it */
	} else
		milter_continue(s);
	conn_resume(s->conn);
}

static int
milter_mail_now(struct milter_session *s, const uint8_t *p, size_t len)
{
	const char *sender, *arg, *args[ENVELOPE_ARGS_MAX];
	struct rbuf r;
	size_t n = 0;
	int err = 0;

	rbuf_init(&r, p, len);
	sender = milter_next_string(&r, &err);
	while (n < ENVELOPE_ARGS_MAX &&
	    (arg = milter_next_string(&r, &err)) != NULL)
		args[n++] = arg;
	if (sender == NULL || err)
		return conn_fail(s->conn, "malformed MAIL");
	s->state = MILTER_ST_MESSAGE;
	if (!envelope_mail(&s->envelope, sender, args, n, milter_user(s))) {
		milter_continue(s);
		return 0;
	}
	s->check = envelope_check(&s->envelope, milter_checked, s);
	return 0;
}

static int
milter_mail(struct milter_session *s, const uint8_t *p, size_t len)
{
	milter_message_end(s);
	envelope_mail_arrived(&s->envelope);
	if (!envelope_undecided(&s->envelope))
		return milter_mail_now(s, p, len);
	if ((s->held = malloc(len + 1)) == NULL)
		return conn_fail(s->conn, "no memory");
	memcpy(s->held, p, len);
	s->held_len = len;
	return 0;
}

/* The envelope is decided: handles a waiting MAIL. */
static void
milter_decided(void *arg)
{
	struct milter_session *s = arg;
	uint8_t *held = s->held;

	if (held == NULL)
		return;
	s->held = NULL;
	if (milter_mail_now(s, held, s->held_len) == 0)
		milter_set_user(s, MILTER_STAGE_MAIL, NULL);
	free(held);
	conn_resume(s->conn);
}

static int
milter_header(struct milter_session *s, const uint8_t *p, size_t len)
{
	const char *name, *value;

	if (milter_get_header(p, len, &name, &value) == -1)
		return conn_fail(s->conn, "malformed header field");
	envelope_header(&s->envelope, name, value);
	return 0;
}

static void
milter_send_header(struct milter_session *s, char how, uint32_t idx,
    const char *name, const char *value)
{
	size_t size =
	    MILTER_LEN_SIZE + 1 + 4 + strlen(name) + 1 + strlen(value) + 1;
	struct wbuf w;
	uint8_t *buf;

	if (size > MILTER_PACKET_MAX || (buf = malloc(size)) == NULL) {
		log_note(&milter_too_long,
		    "a header field of %zu octets was not added", size);
		return;
	}
	wbuf_init(&w, buf, size);
	milter_put_header(&w, how, idx, name, value);
	conn_send(s->conn, buf, w.len);
	free(buf);
}

static int
milter_eom(struct milter_session *s, const uint8_t *p, size_t len)
{
	const struct envelope_message *m = &s->envelope.msg;
	const struct envelope_forged *f;

	if (envelope_eom(&s->envelope, s->agreed.actions) == -1) {
		milter_reply(s);
		milter_message_end(s);
		return 0;
	}
	while ((f = envelope_next_forged(&s->envelope)) != NULL)
		milter_send_header(s, 'm', f->idx, f->name, "");
	if (m->name != NULL)
		milter_send_header(s, 'i', 0, m->name, m->value);
	milter_continue(s);
	milter_message_end(s);
	return 0;
}

static int
milter_abort(struct milter_session *s, const uint8_t *p, size_t len)
{
	milter_message_end(s);
	return 0;
}

static int
milter_quit_nc(struct milter_session *s, const uint8_t *p, size_t len)
{
	milter_message_end(s);
	envelope_reset(&s->envelope);
	milter_forget_users(s);
	s->reused = 1;
	if (s->state != MILTER_ST_NEW)
		s->state = MILTER_ST_AGREED;
	return 0;
}

static int
milter_quit(struct milter_session *s, const uint8_t *p, size_t len)
{
	return -1;
}

/* Answers a command out of order, or closes where an answer could do harm. */
static int
milter_misplaced(struct milter_session *s, enum milter_cmd cmd)
{
	static const char *const why[MILTER_ST_MAX] = {
		[MILTER_ST_NEW] = "command before option negotiation",
		[MILTER_ST_AGREED] = "options negotiated twice",
		[MILTER_ST_CLIENT] = "options negotiated twice",
		[MILTER_ST_MESSAGE] = "OPTNEG or CONNECT inside a message",
	};

	if (s->state == MILTER_ST_NEW || cmd == MILTER_OPTNEG ||
	    cmd == MILTER_CONNECT)
		return conn_fail(s->conn, why[s->state]);
	if (milter_reply_due(cmd, s->agreed.steps))
		milter_continue(s);
	return 0;
}

/* 0, or -1 to close, after conn_fail() unless the end is regular. */
typedef int (*milter_fn)(struct milter_session *, const uint8_t *, size_t);

/* Other commands (RCPT, DATA, ...) only get an answer. */
static const milter_fn milter_handlers[MILTER_CMD_MAX] = {
	[MILTER_OPTNEG] = milter_optneg,
	[MILTER_MACRO] = milter_macro,
	[MILTER_CONNECT] = milter_connect,
	[MILTER_HELO] = milter_helo,
	[MILTER_MAIL] = milter_mail,
	[MILTER_HEADER] = milter_header,
	[MILTER_EOM] = milter_eom,
	[MILTER_ABORT] = milter_abort,
	[MILTER_QUIT_NC] = milter_quit_nc,
	[MILTER_QUIT] = milter_quit,
};

static int
milter_command(struct milter_session *s, enum milter_cmd cmd, const uint8_t *p,
    size_t len)
{
	if ((milter_rules[cmd].states & (1U << s->state)) == 0)
		return milter_misplaced(s, cmd);
	if (milter_handlers[cmd] != NULL &&
	    milter_handlers[cmd](s, p, len) == -1)
		return -1;
	/* These three answer by themselves. */
	if (cmd != MILTER_OPTNEG && cmd != MILTER_MAIL && cmd != MILTER_EOM &&
	    milter_reply_due(cmd, s->agreed.steps))
		milter_continue(s);
	/* MAIL's macros are for one message. */
	if (cmd == MILTER_MAIL && s->held == NULL)
		milter_set_user(s, MILTER_STAGE_MAIL, NULL);
	return 0;
}

static ssize_t
milter_input(void *arg, const uint8_t *buf, size_t n)
{
	struct milter_session *s = arg;
	const uint8_t *data;
	enum milter_cmd cmd;
	uint8_t letter;
	size_t len, used;
	int rc;

	if ((rc = milter_packet(buf, n, &letter, &data, &len, &used)) == 0)
		return 0;
	if (rc == -1)
		return conn_fail(s->conn, "packet length out of bounds");
	if ((cmd = milter_cmd_of(letter)) == MILTER_NONE)
		return conn_fail(s->conn, "unknown command");
	conn_progress(s->conn);
	return milter_command(s, cmd, data, len) == -1 ? -1 : (ssize_t)used;
}

/*
 * Closing between the messages of a client would make the mail server refuse
 * the next one; between clients it does no harm. A connection that has just
 * agreed on options is about to name its first client. The connection keeps
 * incomplete packets: the session never holds part of one.
 */
static unsigned int
milter_session_state(const void *arg)
{
	const struct milter_session *s = arg;

	if (s->check != NULL || s->held != NULL)
		return SESSION_BUSY;
	return s->state == MILTER_ST_AGREED && s->envelope.family == 0 &&
		s->reused ?
	    SESSION_IDLE :
	    0;
}

static void *
milter_start(struct conn *conn, struct conn_env *env)
{
	struct milter_session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->conn = conn;
	envelope_init(&s->envelope, env->conf, env->asker, milter_decided, s);
	return s;
}

static void
milter_end(void *arg)
{
	struct milter_session *s = arg;

	milter_message_end(s);
	milter_forget_users(s);
	envelope_free(&s->envelope);
	free(s);
}

const struct session_ops milter_session_ops = {
	.name = "milter",
	.eof_cancels = 1,
	.opened = STAT_CONN_MILTER,
	.errors = STAT_PROTO_ERROR_MILTER,
	.idle = MILTER_IDLE,
	.idle_drain = MILTER_IDLE_DRAIN,
	.begun = MILTER_BEGUN,
	.start = milter_start,
	.end = milter_end,
	.input = milter_input,
	.state = milter_session_state,
};
