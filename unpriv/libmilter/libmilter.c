/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/*
 * Runs in: libmilter. The event thread is main(); libmilter's threads are
 * made after sandbox_enter() and only ever wait in job_call().
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

/*
 * Debian's libmilter closes idle connections after its own 600 s; this one
 * bounds the rest of a begun packet.
 */
#define LIB_TIMEOUT    600
#define LIB_ARENAS     4 /* glibc opens a file for the ninth */
#define LIB_ARGS_MAX   64
#define LIB_MACRO_LEN  128
#define LIB_DRAIN_TICK 100000 /* microseconds */

struct lib_session {
	struct core core;
	struct milter_options agreed;
	int known;	  /* agreed is; not after QUIT_NC */
	struct job *mail; /* MAIL that waits for its verdict */
	struct check *check;
};

/* What CONNECT and MAIL bring. */
struct lib_client {
	SMFICTX *ctx;
	struct milter_connect mc;
};

struct lib_mail {
	char **argv;
	const char *queue_id; /* NULL: not told */
	int authenticated;
};

static struct role lib_role;
static struct asker *lib_asker;
static int lib_listener = -1;
static int lib_in_role; /* syslog() is called by libmilter then */
static atomic_uint lib_sessions;
static unsigned int lib_open; /* the same, in the event thread */
static struct event *lib_drain_ev;
static unsigned int lib_quiet; /* ticks without a session */

/*
 * libmilter logs by syslog(3), which opens files and sockets: a sandbox
 * violation that any peer could provoke. The program's own definitions come
 * first for it. In other roles nobody calls them.
 */
void __syslog_chk(int, int, const char *, ...)
    __attribute__((__format__(printf, 3, 4)));

static void
lib_vsyslog(int priority, const char *fmt, va_list ap)
{
	/*
	 * After QUIT_NC we no longer know what was agreed and answer where
	 * no answer is due; libmilter keeps it back and says so each time.
	 */
	if (!lib_in_role || strstr(fmt, "claimed not to reply") != NULL)
		return;
	job_log(priority & LOG_PRIMASK, fmt, ap);
}

void
syslog(int priority, const char *fmt, ...)
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
	struct job *j = s->mail;

	s->check = NULL;
	s->mail = NULL;
	core_outcome(&s->core, out);
	job_finish(j, 0);
}

static void
lib_mail_now(struct lib_session *s)
{
	const struct lib_mail *m = s->mail->arg;
	const char *args[LIB_ARGS_MAX];
	struct core *c = &s->core;
	struct check *k;
	struct job *j = s->mail;
	size_t n = 0;

	while (n < LIB_ARGS_MAX && m->argv[n + 1] != NULL) {
		args[n] = m->argv[n + 1];
		n++;
	}
	if (!core_mail(c, m->argv[0], args, n, m->authenticated)) {
		s->mail = NULL;
		job_finish(j, 0);
		return;
	}
	/* The session may be gone when it is done at once. */
	k = check_start(c->asker, c->memo, &c->msg.req, core_seconds(c),
	    lib_checked, s);
	if (k != NULL)
		s->check = k;
}

static void
lib_decided(void *arg)
{
	struct lib_session *s = arg;

	if (s->mail != NULL)
		lib_mail_now(s);
}

static void
lib_job_new(struct job *j)
{
	struct lib_session *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("libmilter");
	core_init(&s->core, lib_role.conf, lib_asker, lib_decided, s);
	stat_inc(CONN_MILTER);
	stat_set(CONN_OPEN, ++lib_open);
	*(struct lib_session **)j->session = s;
	job_finish(j, 0);
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
			core_macro(&s->core, name, value);
	}
}

static void
lib_job_connect(struct job *j)
{
	const struct lib_client *client = j->arg;
	struct lib_session *s = j->session;

	core_macros_clear(&s->core);
	lib_get_macros(client->ctx, s);
	core_connect(&s->core, &client->mc);
	job_finish(j, 0);
}

static void
lib_job_helo(struct job *j)
{
	struct lib_session *s = j->session;

	core_helo(&s->core, j->arg);
	job_finish(j, 0);
}

static void
lib_job_mail(struct job *j)
{
	struct lib_session *s = j->session;
	const struct lib_mail *m = j->arg;

	s->mail = j;
	core_queue_id(&s->core, m->queue_id);
	core_mail_came(&s->core);
	if (!core_undecided(&s->core))
		lib_mail_now(s);
}

static void
lib_job_eom(struct job *j)
{
	struct lib_session *s = j->session;

	job_finish(j,
	    core_eom(&s->core,
		s->known ? s->agreed.actions :
			   MILTER_F_ADDHDRS | MILTER_F_CHGHDRS));
}

static void
lib_job_close(struct job *j)
{
	struct lib_session *s = j->session;

	core_free(&s->core);
	free(s);
	stat_set(CONN_OPEN, --lib_open);
	job_finish(j, 0);
}

static void
lib_job_refused(struct job *j)
{
	static struct log_note said;

	stat_inc(CONN_REFUSED);
	log_note(&said, "too many connections (Max_Connections)");
	job_finish(j, 0);
}

/* --- in libmilter's threads ---------------------------------------------- */

/* MAIL may come before anything else. */
static struct lib_session *
lib_session(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s != NULL)
		return s;
	job_call(lib_job_new, &s, NULL);
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

	/* Its accept loop would spin when descriptors are out. */
	if (atomic_load(&lib_sessions) >=
	    (unsigned int)lib_role.conf->max_connections) {
		job_call(lib_job_refused, NULL, NULL);
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

	mc->family = 'U';
	mc->address = "";
	if (sa == NULL)
		return;
	switch (sa->sa_family) {
	case AF_INET:
		mc->family = '4';
		mc->port = ntohs(in->sin_port);
		mc->addr.family = 4;
		memcpy(mc->addr.b, &in->sin_addr, 4);
		break;
	case AF_INET6:
		mc->family = '6';
		mc->port = ntohs(in6->sin6_port);
		mc->addr.family = 6;
		memcpy(mc->addr.b, &in6->sin6_addr, 16);
		break;
	case AF_UNIX:
		mc->family = 'L';
		break;
	}
}

static sfsistat
lib_connect(SMFICTX *ctx, char *host, struct sockaddr *sa)
{
	struct lib_session *s = lib_session(ctx);
	struct lib_client client;

	memset(&client, 0, sizeof(client));
	client.ctx = ctx;
	client.mc.host = host;
	lib_address(&client.mc, sa);
	job_call(lib_job_connect, s, &client);
	return lib_reply(s, MILTER_CONNECT);
}

static sfsistat
lib_helo(SMFICTX *ctx, char *helo)
{
	struct lib_session *s = lib_session(ctx);

	job_call(lib_job_helo, s, helo);
	return lib_reply(s, MILTER_HELO);
}

/* The reply that core left; libmilter refuses a single '%'. */
static sfsistat
lib_refuse(SMFICTX *ctx, const struct core_message *m)
{
	char text[2048], code[8], xcode[16];
	int defer = *m->code == '4';

	strlcpy(code, m->code, sizeof(code));
	strlcpy(xcode, m->xcode, sizeof(xcode));
	if (milter_percent(text, sizeof(text), m->text) == -1 ||
	    smfi_setreply(ctx, code, xcode, text) != MI_SUCCESS)
		syslog(LOG_WARNING, "libmilter refuses a reply text");
	return defer ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static sfsistat
lib_envfrom(SMFICTX *ctx, char **argv)
{
	static char auth[] = "{auth_authen}", queue_id[] = "i";
	struct lib_session *s = lib_session(ctx);
	struct core_message *m = &s->core.msg;
	struct lib_mail mail = { argv, smfi_getsymval(ctx, queue_id), 0 };
	const char *who = smfi_getsymval(ctx, auth);
	sfsistat rc = SMFIS_CONTINUE;

	mail.authenticated = who != NULL && *who != '\0';
	job_call(lib_job_mail, s, &mail);
	if (m->action == JUDGE_REJECT || m->action == JUDGE_DEFER) {
		rc = lib_refuse(ctx, m);
		core_message_end(&s->core);
	}
	return rc;
}

static sfsistat
lib_header(SMFICTX *ctx, char *name, char *value)
{
	struct lib_session *s = lib_session(ctx);

	core_header(&s->core, name, value);
	return lib_reply(s, MILTER_HEADER);
}

/* smfi_chgheader(3) takes no const. */
static void
lib_remove(SMFICTX *ctx, const struct core_forged *f)
{
	char name[64];

	strlcpy(name, core_field_name[f->field], sizeof(name));
	smfi_chgheader(ctx, name, (int)f->idx, NULL);
}

static sfsistat
lib_eom(SMFICTX *ctx)
{
	struct lib_session *s = lib_session(ctx);
	struct core_message *m = &s->core.msg;
	sfsistat rc = SMFIS_CONTINUE;
	size_t i;

	if (job_call(lib_job_eom, s, NULL) == -1)
		rc = lib_refuse(ctx, m);
	else {
		for (i = m->nown; i > 0; i--)
			lib_remove(ctx, &m->own[i - 1]);
		if (m->name != NULL &&
		    smfi_insheader(ctx, 0, m->name, m->value) != MI_SUCCESS)
			syslog(LOG_WARNING, "a header could not be added");
	}
	core_message_end(&s->core);
	return rc;
}

static sfsistat
lib_abort(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s != NULL)
		core_message_end(&s->core);
	return SMFIS_CONTINUE;
}

static sfsistat
lib_close(SMFICTX *ctx)
{
	struct lib_session *s = smfi_getpriv(ctx);

	if (s == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(ctx, NULL);
	job_call(lib_job_close, s, NULL);
	atomic_fetch_sub(&lib_sessions, 1);
	return SMFIS_CONTINUE;
}

static void *
lib_thread(void *arg)
{
	(void)smfi_main();
	/* It ends on a signal or when accept(2) fails for good. */
	_exit(1);
}

/* --- start and drain ------------------------------------------------------ */

/*
 * smfi_stop() would drop sessions; an eventfd in the listener's place only
 * ends accepting. A session that is accepted and has not spoken yet is given
 * two ticks.
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
lib_drain(void)
{
	static int draining;
	int fd;

	if (draining)
		return;
	draining = 1;
	if ((fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    dup3(fd, lib_listener, O_CLOEXEC) == -1)
		fatal("libmilter drain");
	lib_drain_tick(-1, 0, NULL);
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
	second_connect(r->base, r->who, fd);
}

static void
lib_control(struct role *r, enum msg_type type, const uint8_t *p, size_t len)
{
	if (type == MSG_DRAIN)
		lib_drain();
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

	/* A worker that loses the race for a connection must not wait. */
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

	/* All of its threads inherit the mask: no signal ends them. */
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

/* The sanitizer's malloc has no arenas of glibc's. */
#ifdef __SANITIZE_ADDRESS__
#define LIB_OWN_MALLOC 1
#else
#define LIB_OWN_MALLOC 0
#endif

int
libmilter_main(void)
{
	/* Before any thread: both would make glibc open files later. */
	if ((mallopt(M_ARENA_MAX, LIB_ARENAS) == 0 && !LIB_OWN_MALLOC) ||
	    setenv("TZ", "UTC0", 1) == -1)
		fatalx("libmilter: cannot prepare");
	tzset();
	role_start(&lib_role, ROLE_LIBMILTER, &lib_ops, NULL);
	if (lib_asker == NULL || lib_role.milter_fd == -1)
		fatalx("no way to dns or no listener before GO");
	lib_listener = lib_role.milter_fd;
	lib_in_role = 1;
	jobs_init(lib_role.base);
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
