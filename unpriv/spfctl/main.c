/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl; reads no file's contents but the configuration's and
 * nothing from DNS before sandbox_enter(). */

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/base/log.h"
#include "privsep/child/confine.h"
#include "privsep/child/role.h"
#include "privsep/root/priv_drop.h"
#include "privsep/sandbox/sandbox.h"
#include "privsep/start/config.h"
#include "privsep/start/ctlconn.h"
#include "privsep/start/own_role.h"
#include "privsep/start/spawn.h"
#include "unpriv/check/asker.h"
#include "unpriv/spfctl/check.h"
#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/lint.h"
#include "unpriv/spfctl/opinion.h"
#include "unpriv/spfctl/zonefile.h"

#define CTL_WATCH "2" /* seconds */
#define FORM(f)	  (1U << (f))

/* What a command needs to have before the sandbox. */
enum needs {
	NEEDS_DNS = 1, /* the configuration and a dns process */
	NEEDS_DAEMON   /* its control socket */
};

static const struct command {
	const char *name;
	enum needs needs;
	unsigned int forms;
	int min, max; /* arguments */
	int (*run)(struct ctl *);
	const char *usage;
} commands[] = {
	{ "check", NEEDS_DNS, FORM(CTL_TEXT) | FORM(CTL_JSON) | FORM(CTL_DOT),
	    2, 3, ctl_check, "check [options] IP SENDER [HELO]" },
	{ "lint", NEEDS_DNS, FORM(CTL_TEXT) | FORM(CTL_JSON), 1, 1, ctl_lint,
	    "lint [options] DOMAIN" },
	{ "status", NEEDS_DAEMON, FORM(CTL_TEXT) | FORM(CTL_JSON), 0, 0,
	    ctl_status, "status [options]" },
	{ "stats", NEEDS_DAEMON, FORM(CTL_TEXT) | FORM(CTL_JSON), 0, 1,
	    ctl_stats, "stats [--watch [SECONDS]] [options]" },
	{ "metrics", NEEDS_DAEMON, FORM(CTL_TEXT), 0, 0, ctl_metrics,
	    "metrics [options]" },
	{ "reload", NEEDS_DAEMON, FORM(CTL_TEXT) | FORM(CTL_JSON), 0, 0,
	    ctl_reload, "reload [options]" },
	{ "flush", NEEDS_DAEMON, FORM(CTL_TEXT) | FORM(CTL_JSON), 0, 0,
	    ctl_flush, "flush [options]" },
	{ "log", NEEDS_DAEMON, FORM(CTL_TEXT) | FORM(CTL_JSON), 1, 1, ctl_log,
	    "log [options] verbose|brief" },
};

/* clang-format off */
static const struct spawn_role roles[] = {
	{ ROLE_DNS, dns_main },
	{ ROLE_SHADOW, shadow_main },
	{ ROLE_NONE, NULL }
};
/* clang-format on */

/* The command line. */
struct args {
	const struct command *cmd;
	const char *config;
	const char *zone;
	const char *origin;
	const char *servers;
	const char *socket;
	const char *watch;
	int second;
	int color; /* -1: by the terminal */
};

enum {
	OPT_JSON = 256,
	OPT_DOT,
	OPT_ZONE,
	OPT_ORIGIN,
	OPT_CONFIG,
	OPT_POLICY,
	OPT_NAMESERVER,
	OPT_SECOND,
	OPT_SOCKET,
	OPT_WATCH,
	OPT_COLOR,
	OPT_NO_COLOR,
	OPT_HELP
};
/* clang-format off */
static const struct option options[] = {
	{ "json",	no_argument,		NULL, OPT_JSON },
	{ "dot",	no_argument,		NULL, OPT_DOT },
	{ "zone",	required_argument,	NULL, OPT_ZONE },
	{ "origin",	required_argument,	NULL, OPT_ORIGIN },
	{ "config",	required_argument,	NULL, OPT_CONFIG },
	{ "policy",	no_argument,		NULL, OPT_POLICY },
	{ "nameserver",	required_argument,	NULL, OPT_NAMESERVER },
	{ "second-opinion", no_argument,		NULL, OPT_SECOND },
	{ "socket",	required_argument,	NULL, OPT_SOCKET },
	{ "watch",	optional_argument,	NULL, OPT_WATCH },
	{ "color",	no_argument,		NULL, OPT_COLOR },
	{ "no-color",	no_argument,		NULL, OPT_NO_COLOR },
	{ "help",	no_argument,		NULL, OPT_HELP },
	{ NULL,		0,			NULL, 0 }
};
/* clang-format on */

static void __attribute__((__noreturn__)) usage(FILE *fp)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(fp, "%s spfctl %s\n", i == 0 ? "usage:" : "      ",
		    commands[i].usage);
	fprintf(fp,
	    "options: --json --dot --zone FILE --origin NAME "
	    "--config FILE --policy\n"
	    "         --nameserver ADDRESS[@PORT][,...] --color "
	    "--no-color --second-opinion\n"
	    "         --socket PATH\n");
	exit(fp == stdout ? 0 : EX_USAGE);
}

/* "--watch", "--watch=5" and "--watch 5". */
static void
parse_watch(struct ctl *ctl, const struct args *a)
{
	const char *text = a->watch, *why = NULL;

	if (a->cmd->run != ctl_stats || text == NULL) {
		if (text != NULL ||
		    (a->cmd->run == ctl_stats && ctl->argc != 0))
			usage(stderr);
		return;
	}
	if (*text != '\0' && ctl->argc != 0)
		usage(stderr);
	if (*text == '\0')
		text = ctl->argc != 0 ? ctl->argv[0] : CTL_WATCH;
	ctl->watch = (unsigned int)strtonum(text, 1, 86400, &why);
	if (why != NULL)
		usage(stderr);
}

static void
parse_options(struct ctl *ctl, struct args *a, int argc, char **argv)
{
	int ch;

	while ((ch = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (ch) {
		case OPT_JSON:
			ctl->form = CTL_JSON;
			break;
		case OPT_DOT:
			ctl->form = CTL_DOT;
			break;
		case OPT_ZONE:
			a->zone = optarg;
			break;
		case OPT_ORIGIN:
			a->origin = optarg;
			break;
		case OPT_CONFIG:
			a->config = optarg;
			break;
		case OPT_POLICY:
			ctl->policy = 1;
			break;
		case OPT_NAMESERVER:
			a->servers = optarg;
			break;
		case OPT_SECOND:
			a->second = 1;
			break;
		case OPT_SOCKET:
			a->socket = optarg;
			break;
		case OPT_WATCH:
			a->watch = optarg == NULL ? "" : optarg;
			break;
		case OPT_COLOR:
		case OPT_NO_COLOR:
			a->color = ch == OPT_COLOR;
			break;
		case OPT_HELP:
		case 'h':
			usage(stdout);
		default:
			usage(stderr);
		}
	}
}

static void
parse_args(struct ctl *ctl, struct args *a, int argc, char **argv)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	a->color = -1;
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		usage(stdout);
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			a->cmd = &commands[i];
	if (a->cmd == NULL)
		usage(stderr);
	argc--;
	argv++;
	parse_options(ctl, a, argc, argv);
	ctl->argc = argc - optind;
	ctl->argv = argv + optind;
	if (ctl->argc < a->cmd->min || ctl->argc > a->cmd->max ||
	    (a->cmd->forms & FORM(ctl->form)) == 0 ||
	    (a->origin != NULL && a->zone == NULL) ||
	    (a->second && (a->cmd->run != ctl_check || ctl->form == CTL_DOT)))
		usage(stderr);
	if (a->cmd->run == ctl_log && strcmp(ctl->argv[0], "verbose") != 0 &&
	    strcmp(ctl->argv[0], "brief") != 0)
		usage(stderr);
	parse_watch(ctl, a);
}

/* The terminal is asked now: there is no ioctl(2) in the sandbox. */
static void
look_at_terminal(struct ctl *ctl, int color)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	static char buf[65536];
	const char *v = NULL, *columns, *why = NULL;
	struct winsize ws;
	int tty = isatty(STDOUT_FILENO);
	size_t i;

	for (i = 0;
	     i < sizeof(names) / sizeof(names[0]) && (v == NULL || *v == '\0');
	     i++)
		v = getenv(names[i]);
	ctl->unicode = v != NULL &&
	    (strcasestr(v, "UTF-8") != NULL || strcasestr(v, "utf8") != NULL);
	ctl->progress = isatty(STDERR_FILENO);
	if (tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		ctl->width = ws.ws_col;
	if (tty && (columns = getenv("COLUMNS")) != NULL) {
		i = (size_t)strtonum(columns, 1, 10000, &why);
		if (why == NULL)
			ctl->width = (unsigned int)i;
	}
	v = getenv("TERM");
	ctl->color = color != -1 ? color :
				   tty && getenv("NO_COLOR") == NULL &&
		v != NULL && strcmp(v, "dumb") != 0;
	/* With a buffer of its own stdio does not ask what stdout is. */
	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
}

/* "--nameserver" is the key Nameservers. */
static int
set_servers(struct conf *conf, const char *text)
{
	struct conf_msgs msgs;
	struct conf *c;
	char *line;
	int n;

	if ((n = asprintf(&line, "Nameservers = %s\n", text)) == -1)
		fatal("nameservers");
	c = strchr(text, '\n') != NULL ?
	    NULL :
	    conf_parse(CONF_MILTER, line, (size_t)n, "--nameserver", NULL,
		&msgs);
	free(line);
	if (c == NULL || c->nameservers.n == 0 || msgs.n > 0)
		return -1;
	conf_servers_free(&conf->nameservers);
	conf->nameservers = c->nameservers;
	memset(&c->nameservers, 0, sizeof(c->nameservers));
	conf_free(c);
	conf_msgs_free(&msgs);
	return 0;
}

static struct conf *
load_conf(const struct ctl *ctl, const struct args *a)
{
	enum conf_program program = ctl->policy ? CONF_POLICY : CONF_MILTER;
	const char *path = a->config;
	struct conf *conf;

	if (path == NULL)
		path = ctl->policy ? CONF_FILE_POLICY : CONF_FILE_MILTER;
	if (a->config == NULL && access(path, R_OK) == -1)
		conf = conf_new(program);
	else if ((conf = config_load(program, path, 1, NULL, config_say_stderr,
		      NULL)) == NULL)
		exit(EX_CONFIG);
	if (a->servers != NULL && set_servers(conf, a->servers) == -1) {
		fprintf(stderr,
		    "spfctl: --nameserver wants "
		    "ADDRESS[@PORT][,...]\n");
		exit(EX_USAGE);
	}
	config_nameservers(conf, NULL);
	return conf;
}

static void
say_nothing(int pri, const char *text, void *arg)
{
}

/*
 * For the daemon's commands: where its socket is, and what of the sandbox
 * may be missing. A file with an error must not keep spfctl from the daemon
 * that runs, unless nothing else says where that is.
 */
static struct conf *
daemon_conf(const struct args *a)
{
	int must = a->config != NULL && a->socket == NULL;
	struct conf *conf;

	conf = config_load(CONF_MILTER,
	    a->config != NULL ? a->config : CONF_FILE_MILTER, 1, NULL,
	    must ? config_say_stderr : say_nothing, NULL);
	if (conf == NULL && must)
		exit(EX_CONFIG);
	return conf != NULL ? conf : conf_new(CONF_MILTER);
}

/* Now, as whoever called us: the daemon asks the kernel who that is. */
static int
open_daemon(const struct ctl *ctl, const struct args *a)
{
	static const struct {
		int err, status;
	} known[] = {
		{ EACCES, EX_NOPERM },
		{ EPERM, EX_NOPERM },
		{ EAGAIN, EX_TEMPFAIL },
		{ ENAMETOOLONG, EX_USAGE },
	};
	const char *path =
	    a->socket != NULL ? a->socket : ctl->conf->control_socket.path;
	int fd, err, status = EX_UNAVAILABLE;
	size_t i;

	if (path == NULL) {
		fprintf(stderr, "spfctl: the daemon has no ControlSocket\n");
		exit(EX_UNAVAILABLE);
	}
	if ((fd = ctlconn_open(path)) != -1)
		return fd;
	err = errno;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].err == err)
			status = known[i].status;
	fputs("spfctl: ", stderr);
	ctl_puts(stderr, path);
	fprintf(stderr, ": %s%s\n", strerror(err),
	    status == EX_UNAVAILABLE ? "; does the daemon run?" :
		status == EX_NOPERM  ? "; for root and the daemon's group" :
				       "");
	exit(status);
}

static void
dns_gone(void *arg)
{
	struct ctl *ctl = arg;

	ctl->dns_gone = 1;
	event_base_loopbreak(ctl->base);
}

static void
start_dns(struct ctl *ctl)
{
	ctl->asker = asker_new(ctl->base, ROLE_WORKER);
	asker_connect(ctl->asker,
	    own_role_start_dns(ctl->base, "spfctl", ctl->conf, dns_gone, ctl));
	asker_on_gone(ctl->asker, dns_gone, ctl);
}

static void
start_shadow(struct ctl *ctl)
{
	int questions, copies;

	own_role_start_shadow(ctl->base, "spfctl", ctl->conf, NULL, NULL,
	    &questions, &copies);
	ctl->second = second_check_new(ctl->base, questions, copies);
}

/* Opened before the sandbox, read and parsed behind it. */
static int
open_zone(const char *path)
{
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		fprintf(stderr, "spfctl: %s: %s\n", path, strerror(errno));
		exit(EX_NOINPUT);
	}
	return fd;
}

static int
read_zone(struct ctl *ctl, const struct args *a, int fd)
{
	char err[256], *text;
	size_t len = 0;
	ssize_t n = 0;

	if ((text = malloc(ZONEFILE_MAX + 1)) == NULL)
		fatal("zone file");
	while (len <= ZONEFILE_MAX &&
	    (n = read(fd, text + len, ZONEFILE_MAX + 1 - len)) > 0)
		len += (size_t)n;
	if (n == -1)
		snprintf(err, sizeof(err), "%s", strerror(errno));
	else
		ctl->zone =
		    zonefile_parse(text, len, a->origin, err, sizeof(err));
	free(text);
	close(fd);
	if (ctl->zone != NULL)
		return 0;
	fprintf(stderr, "spfctl: %s: ", a->zone);
	ctl_puts(stderr, err);
	fputc('\n', stderr);
	return -1;
}

/* Before the sandbox. The daemon's commands need no DNS. */
static void
prepare(struct ctl *ctl, const struct args *a)
{
	int fd = -1;

	if (a->cmd->needs == NEEDS_DAEMON) {
		ctl->conf = daemon_conf(a);
		fd = open_daemon(ctl, a);
	} else
		ctl->conf = load_conf(ctl, a);
	/* by hand as root: nothing behind this needs it */
	priv_drop_named("pyspf-milter", "nobody", NULL);
	if ((ctl->base = event_base_new()) == NULL)
		fatalx("no event base");
	if (a->cmd->needs == NEEDS_DAEMON) {
		ctl->daemon = ctl_daemon_new(ctl->base, fd);
		return;
	}
	start_dns(ctl);
	if (a->second)
		start_shadow(ctl);
}

int
main(int argc, char **argv)
{
	struct ctl ctl;
	struct args a;
	int status, zone = -1;

	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		return spawn_role_main(roles, argv[2]);
	memset(&ctl, 0, sizeof(ctl));
	parse_args(&ctl, &a, argc, argv);
	sandbox_early();
	signal(SIGPIPE, SIG_IGN);
	log_init_stderr("spfctl");
	look_at_terminal(&ctl, a.color);
	ctl.now = time(NULL);
	if (a.zone != NULL)
		zone = open_zone(a.zone);
	prepare(&ctl, &a);
	confine_enter(SANDBOX_CTL, ctl.conf);
	if (zone != -1 && read_zone(&ctl, &a, zone) == -1)
		return EX_DATAERR;
	status = a.cmd->run(&ctl);
	errno = 0;
	if ((fflush(stdout) == EOF || ferror(stdout)) && errno != EPIPE) {
		fprintf(stderr, "spfctl: cannot write the output\n");
		return EX_IOERR;
	}
	return status;
}
