/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: libmilter. The event thread is main(); libmilter's threads start
 * after sandbox_enter() and leave the work to it by libmilter_job_call().
 */

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <libmilter/mfapi.h>

#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "proto/stats.h"
#include "unpriv/check/asker.h"
#include "unpriv/check/shadow_copy.h"
#include "unpriv/libmilter/libmilter_job.h"
#include "unpriv/milter/envelope.h"

#define LIB_TIMEOUT    600 /* for the rest of a packet; seconds */
#define LIB_ARENAS     4   /* glibc opens a file to make the ninth */
#define LIB_MACRO_LEN  128
#define LIB_DRAIN_TICK 100000 /* microseconds */

struct lib_session {
	struct envelope envelope;
	struct milter_options agreed;
	int known;		    /* agreed is valid; 0 after QUIT_NC */
	struct libmilter_job *mail; /* MAIL that waits for its verdict */
};

/* The arguments of CONNECT and MAIL. */
struct lib_client {
	SMFICTX *ctx;
	struct milter_connect mc;
};

struct lib_mail {
	char **argv;
	const char *queue_id; /* NULL: not sent */
	const char *user;     /* that logged in, or NULL */
};

static struct role lib_role;
static struct asker *lib_asker;
static int lib_listener = -1;
static int lib_in_role; /* libmilter runs, and alone calls syslog() */
static atomic_uint lib_sessions;
static unsigned int lib_open; /* sessions that the event thread knows */
static struct event *lib_drain_ev;
static unsigned int lib_quiet; /* ticks without a session */

/*
 * libmilter logs by syslog(3), which opens files and sockets: a sandbox
 * violation that any peer can provoke. These definitions replace those of libc
 * in the whole program; other roles do not call them.
 */
void __syslog_chk(int, int, const char *, ...)
    __attribute__((__format__(printf, 3, 4)));

static void
lib_vsyslog(int priority, const char *fmt, va_list ap)
{
	/*
	 * After QUIT_NC the agreed options are unknown, and callbacks give
	 * answers that are not due. libmilter drops and logs each of them.
	 */
	if (!lib_in_role || strstr(fmt, "claimed not to reply") != NULL)
		return;
	libmilter_job_log(priority & LOG_PRIMASK, fmt, ap);
}

/* In parentheses: with _FORTIFY_SOURCE clang has a macro of that name. */
void(syslog)(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	lib_vsyslog(priority, fmt, ap);
	va_end(ap);
}

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	lib_vsyslog(priority, fmt, ap);
	va_end(ap);
}

/* --- in the event thread ------------------------------------------------ */

static void
lib_checked(const struct judge_outcome *out, void *arg)
{
	struct lib_session *s = arg;
	struct libmilter_job *j = s->mail;

	s->mail = NULL;
	envelope_outcome(&s->envelope, out);
	libmilter_job_finish(j, 0);
}

static void
lib_mail_now(struct lib_session *s)
{
	const struct lib_mail *m = s->mail->arg;
	const char *args[ENVELOPE_ARGS_MAX];
	struct libmilter_job *j = s->mail;
	size_t n;

	for (n = 0; n < ENVELOPE_ARGS_MAX && m->argv[n + 1] != NULL; n++)
		args[n] = m->argv[n + 1];
	if (envelope_mail(&s->envelope, m->argv[0], args, n, m->user)) {
		(void)envelope_check(&s->envelope, lib_checked, s);
		return;
	}
	s->mail = NULL;
	libmilter_job_finish(j, 0);
}

static void
lib_decided(void *arg)
{
	struct lib_session *s = arg;

	if (s->mail != NULL)
		lib_mail_now(s);
}

static void
lib_job_new(struct libmilter_job *j)
{
	struct lib_session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("libmilter");
	envelope_init(&s->envelope, lib_role.conf, lib_asker, lib_decided, s);
	stat_inc(CONN_MILTER);
	stat_set(CONN_OPEN, ++lib_open);
	*(struct lib_session **)j->session = s;
	libmilter_job_finish(j, 0);
}

static void
lib_get_macros(SMFICTX *ctx, struct lib_session *s)
{
	const struct conf_macros *list = &lib_role.conf->macro_list;
	char name[LIB_MACRO_LEN];
	const char *value;
	size_t i;

	for (i = 0; i < list->n; i++) {
		snprintf(name, sizeof(name),
		    strlen(list->v[i].name) == 1 ? "%s" : "{%s}",
		    list->v[i].name);
		value = smfi_getsymval(ctx, name);
		if (value != NULL)
			envelope_macro(&s->envelope, name, value);
	}
}

static void
lib_job_connect(struct libmilter_job *j)
{
	const struct lib_client *client = j->arg;
	struct lib_session *s = j->session;

	envelope_macros_clear(&s->envelope);
	lib_get_macros(client->ctx, s);
	envelope_connect(&s->envelope, &client->mc);
	libmilter_job_finish(j, 0);
}

static void
lib_job_helo(struct libmilter_job *j)
{
	struct lib_session *s = j->session;

	envelope_helo(&s->envelope, j->arg);
	libmilter_job_finish(j, 0);
}

static void
lib_job_mail(struct libmilter_job *j)
{
	struct lib_session *s = j->session;
	const struct lib_mail *m = j->arg;

	s->mail = j;
	envelope_queue_id(&s->envelope, m->queue_id);
	envelope_mail_arrived(&s->envelope);
	if (!envelope_undecided(&s->envelope))
		lib_mail_now(s);
}

static void
lib_job_eom(struct libmilter_job *j)
{
	struct lib_session *s = j->session;

	libmilter_job_finish(j,
	    envelope_eom(&s->envelope,
		s->known ? s->agreed.actions :
			   MILTER_F_ADDHDRS | MILTER_F_CHGHDRS));
}

static void
lib_job_close(struct libmilter_job *j)
{
	struct lib_session *s = j->session;

	envelope_free(&s->envelope);
	free(s);
	stat_set(CONN_OPEN, --lib_open);
	libmilter_job_finish(j, 0);
}

static void
lib_job_refused(struct libmilter_job *j)
{
	static struct log_note said;

	stat_inc(CONN_REFUSED);
	log_note(&said, "too many connections (Max_Connections)");
	libmilter_job_finish(j, 0);
}

/* --- in libmilter's threads ---------------------------------------------- */

/* The session, made by the first command, which may be MAIL. */
static struct lib_session *
lib_session(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s != NULL)
		return s;
	libmilter_job_call(lib_job_new, &s, NULL);
	atomic_fetch_add(&lib_sessions, 1);
	smfi_setpriv(ctx, s);
	return s;
}

static sfsistat
lib_reply(const struct lib_session *s, enum milter_cmd cmd)
{
	return s->known && !milter_reply_due(cmd, s->agreed.steps) ?
	    SMFIS_NOREPLY :
	    SMFIS_CONTINUE;
}

static sfsistat
lib_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1,
    unsigned long f2, unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	struct milter_options offer = { MILTER_VERSION_MAX, (uint32_t)f0,
		(uint32_t)f1 };
	struct lib_session *s;

	/* Without descriptors libmilter's accept loop would spin. */
	if (atomic_load(&lib_sessions) >=
	    (unsigned int)lib_role.conf->max_connections) {
		libmilter_job_call(lib_job_refused, NULL, NULL);
		return SMFIS_REJECT;
	}
	s = lib_session(ctx);
	if (milter_agree(&offer, lib_role.conf->remove_own_ar, &s->agreed) ==
	    -1)
		return SMFIS_REJECT;
	s->known = 1;
	*pf0 = s->agreed.actions;
	*pf1 = s->agreed.steps;
	*pf2 = *pf3 = 0;
	return SMFIS_CONTINUE;
}

static void
lib_address(struct milter_connect *mc, const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	int family = sa == NULL ? AF_UNSPEC : sa->sa_family;

	mc->family = 'U';
	mc->address = "";
	if (family == AF_INET) {
		mc->family = '4';
		mc->port = ntohs(in->sin_port);
		mc->addr.family = 4;
		memcpy(mc->addr.b, &in->sin_addr, 4);
	} else if (family == AF_INET6) {
		mc->family = '6';
		mc->port = ntohs(in6->sin6_port);
		mc->addr.family = 6;
		memcpy(mc->addr.b, &in6->sin6_addr, 16);
	} else if (family == AF_UNIX)
		mc->family = 'L';
}

static sfsistat
lib_connect(SMFICTX *ctx, char *host, struct sockaddr *sa)
{
	struct lib_session *s = lib_session(ctx);
	struct lib_client client = { .ctx = ctx, .mc.host = host };

	lib_address(&client.mc, sa);
	libmilter_job_call(lib_job_connect, s, &client);
	return lib_reply(s, MILTER_CONNECT);
}

static sfsistat
lib_helo(SMFICTX *ctx, char *helo)
{
	struct lib_session *s = lib_session(ctx);

	libmilter_job_call(lib_job_helo, s, helo);
	return lib_reply(s, MILTER_HELO);
}

/* Sets the message's reply; libmilter refuses a single '%'. */
static sfsistat
lib_refuse(SMFICTX *ctx, const struct envelope_message *m)
{
	char text[2048], code[8], xcode[16];
	int defer = *m->code == '4';

	strlcpy(code, m->code, sizeof(code));
	strlcpy(xcode, m->xcode, sizeof(xcode));
	if (milter_percent(text, sizeof(text), m->text) == -1 ||
	    smfi_setreply(ctx, code, xcode, text) != MI_SUCCESS)
		syslog(LOG_WARNING, "libmilter refused the text of a reply");
	return defer ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static sfsistat
lib_envfrom(SMFICTX *ctx, char **argv)
{
	static char auth[] = "{auth_authen}", queue_id[] = "i";
	struct lib_session *s = lib_session(ctx);
	struct lib_mail mail = { argv, smfi_getsymval(ctx, queue_id), NULL };
	const char *who = smfi_getsymval(ctx, auth);
	sfsistat rc = SMFIS_CONTINUE;

	if (who != NULL && envelope_is_auth_macro(auth, who))
		mail.user = who;
	libmilter_job_call(lib_job_mail, s, &mail);
	if (envelope_refuses(&s->envelope)) {
		rc = lib_refuse(ctx, &s->envelope.msg);
		envelope_message_end(&s->envelope);
	}
	return rc;
}

static sfsistat
lib_header(SMFICTX *ctx, char *name, char *value)
{
	struct lib_session *s = lib_session(ctx);

	envelope_header(&s->envelope, name, value);
	return lib_reply(s, MILTER_HEADER);
}

/* smfi_chgheader(3) takes no const. */
static void
lib_remove(SMFICTX *ctx, const struct envelope_forged *f)
{
	char name[64];

	strlcpy(name, f->name, sizeof(name));
	smfi_chgheader(ctx, name, (int)f->idx, NULL);
}

static sfsistat
lib_eom(SMFICTX *ctx)
{
	struct lib_session *s = lib_session(ctx);
	struct envelope_message *m = &s->envelope.msg;
	const struct envelope_forged *f;
	sfsistat rc = SMFIS_CONTINUE;

	if (libmilter_job_call(lib_job_eom, s, NULL) == -1)
		rc = lib_refuse(ctx, m);
	else {
		while ((f = envelope_next_forged(&s->envelope)) != NULL)
			lib_remove(ctx, f);
		if (m->name != NULL &&
		    smfi_insheader(ctx, 0, m->name, m->value) != MI_SUCCESS)
			syslog(LOG_WARNING, "a header field was not added");
	}
	envelope_message_end(&s->envelope);
	return rc;
}

static sfsistat
lib_abort(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s != NULL)
		envelope_message_end(&s->envelope);
	return SMFIS_CONTINUE;
}

static sfsistat
lib_close(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(ctx, NULL);
	libmilter_job_call(lib_job_close, s, NULL);
	atomic_fetch_sub(&lib_sessions, 1);
	return SMFIS_CONTINUE;
}

static void *
lib_thread(void *arg)
{
	(void)smfi_main();
	/* smfi_main() returns on a signal or when accept(2) keeps failing. */
	_exit(1);
}

/* --- start and drain ------------------------------------------------------ */

/*
 * smfi_stop() would drop sessions; an eventfd in the listener's place only ends
 * accepting. A session that is accepted but not negotiated yet has two ticks to
 * begin.
 */
static void
lib_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval tick = { 0, LIB_DRAIN_TICK };

	lib_quiet = atomic_load(&lib_sessions) == 0 ? lib_quiet + 1 : 0;
	if (lib_quiet > 2)
		role_drained(&lib_role);
	else if (evtimer_add(lib_drain_ev, &tick) == -1)
		fatalx("libmilter: no event");
}

static void
lib_dns(struct role *r, int fd)
{
	if (lib_asker == NULL)
		lib_asker = asker_new(r->base, r->who);
	asker_connect(lib_asker, fd);
}

static void
lib_copies(struct role *r, int fd)
{
	shadow_copy_connect(r->base, r->who, fd);
}

static void
lib_control(struct role *r, enum msg_type type, const uint8_t *p, size_t len)
{
	static int draining;
	int efd;

	if (type != MSG_DRAIN || draining)
		return;
	draining = 1;
	if ((efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    dup3(efd, lib_listener, O_CLOEXEC) == -1)
		fatal("libmilter drain");
	lib_drain_tick(-1, 0, NULL);
}

static const struct role_ops lib_ops = {
	.dns = lib_dns,
	.copies = lib_copies,
	.control = lib_control,
};

static void
lib_register(void)
{
	static char name[] = "pyspf-milter";
	struct smfiDesc desc = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
		.xxfi_connect = lib_connect,
		.xxfi_helo = lib_helo,
		.xxfi_envfrom = lib_envfrom,
		.xxfi_header = lib_header,
		.xxfi_eom = lib_eom,
		.xxfi_abort = lib_abort,
		.xxfi_close = lib_close,
		.xxfi_negotiate = lib_negotiate,
	};
	char conn[32];
	int flags;

	/* Other processes share the listener: accept(2) must not block. */
	if ((flags = fcntl(lib_listener, F_GETFL)) == -1 ||
	    fcntl(lib_listener, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("libmilter listener");
	snprintf(conn, sizeof(conn), "fd:%d", lib_listener);
	if (smfi_register(desc) != MI_SUCCESS ||
	    smfi_setconn(conn) != MI_SUCCESS ||
	    smfi_settimeout(LIB_TIMEOUT) != MI_SUCCESS ||
	    smfi_opensocket(0) != MI_SUCCESS)
		fatalx("libmilter does not start");
}

static void
lib_start_thread(void)
{
	pthread_t t;
	sigset_t all, old;
	int rc;

	/* libmilter's threads inherit the mask: no signal ends them. */
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
		fatalx("libmilter: signal mask");
	rc = pthread_create(&t, NULL, lib_thread, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		errno = rc;
		fatal("libmilter: thread");
	}
}

/* Prevents glibc from opening files once there are threads. */
static void
lib_prepare_glibc(void)
{
	int arenas = mallopt(M_ARENA_MAX, LIB_ARENAS);

#ifdef __SANITIZE_ADDRESS__
	arenas = 1; /* the sanitizer's malloc has none */
#endif
	if (arenas == 0 || setenv("TZ", "UTC0", 1) == -1)
		fatalx("libmilter: cannot prepare");
	tzset();
}

int
libmilter_main(void)
{
	lib_prepare_glibc();
	role_start(&lib_role, ROLE_LIBMILTER, &lib_ops, NULL);
	if (lib_asker == NULL) /* dns starts again and is not ready */
		lib_asker = asker_new(lib_role.base, lib_role.who);
	if (lib_role.milter_fd == -1)
		fatalx("no listener before GO");
	lib_listener = lib_role.milter_fd;
	lib_in_role = 1;
	libmilter_job_init(lib_role.base);
	if ((lib_drain_ev = evtimer_new(lib_role.base, lib_drain_tick, NULL)) ==
	    NULL)
		fatalx("no event");
	lib_register();

	confine_enter(SANDBOX_LIBMILTER, lib_role.conf);

	lib_start_thread();
	role_ready(&lib_role);
	if (event_base_dispatch(lib_role.base) == -1)
		fatalx("event loop");
	return 0;
}
