/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: spfctl. Before sandbox_enter() it reads only the configuration. */

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
#include "proto/text.h"
#include "unpriv/check/asker.h"
#include "unpriv/spfctl/ctl.h"
#include "unpriv/spfctl/daemon.h"
#include "unpriv/spfctl/opinion.h"
#include "unpriv/spfctl/text.h"
#include "unpriv/spfctl/zonefile.h"

#define CTL_WATCH "2" /* seconds */

/* What main() prepares for a command before the sandbox. */
enum needs {
	NEEDS_DNS = 1, /* the configuration and a dns process */
	NEEDS_DAEMON   /* its control socket */
};

/* What a command takes in addition to the common options. */
#define TAKES_JSON   0x01
#define TAKES_DOT    0x02
#define TAKES_SECOND 0x04 /* --second-opinion */
#define TAKES_WATCH  0x08 /* --watch, and only then its argument */

static const char *const log_words[] = { "verbose", "brief", NULL };

/* clang-format off */
static const struct command {
	const char *name;
	enum needs needs;
	unsigned int takes;
	int min, max;			/* number of arguments */
	const char *const *words;	/* for the first; NULL: any */
	int (*run)(struct spfctl *);
	const char *usage;
} commands[] = {
	{ "check", NEEDS_DNS, TAKES_JSON | TAKES_DOT | TAKES_SECOND, 2, 3, NULL,
	    ctl_check, "check [options] IP SENDER [HELO]" },
	{ "lint", NEEDS_DNS, TAKES_JSON, 1, 1, NULL,
	    ctl_lint, "lint [options] DOMAIN" },
	{ "status", NEEDS_DAEMON, TAKES_JSON, 0, 0, NULL,
	    ctl_status, "status [options]" },
	{ "stats", NEEDS_DAEMON, TAKES_JSON | TAKES_WATCH, 0, 1, NULL,
	    ctl_stats, "stats [--watch [SECONDS]] [options]" },
	{ "metrics", NEEDS_DAEMON, 0, 0, 0, NULL,
	    ctl_metrics, "metrics [options]" },
	{ "reload", NEEDS_DAEMON, TAKES_JSON, 0, 0, NULL,
	    ctl_reload, "reload [options]" },
	{ "flush", NEEDS_DAEMON, TAKES_JSON, 0, 0, NULL,
	    ctl_flush, "flush [options]" },
	{ "log", NEEDS_DAEMON, TAKES_JSON, 1, 1, log_words,
	    ctl_log, "log [options] verbose|brief" },
};

static const struct spawn_role roles[] = {
	{ ROLE_DNS, dns_main },
	{ ROLE_SHADOW, shadow_main },
	{ ROLE_NONE, NULL }
};
/* clang-format on */

/* The command line. */
static struct args {
	const struct command *cmd;
	const char *config;
	const char *zone;
	const char *origin;
	const char *servers;
	const char *socket;
	const char *watch;
	int form;
	int policy;
	int second;
	int environment;
	int color; /* -1: by the terminal */
} args = { .color = -1 };

/* Options with a text of their own. */
enum {
	OPT_CONFIG = 1,
	OPT_ZONE,
	OPT_ORIGIN,
	OPT_NAMESERVER,
	OPT_SOCKET,
	OPT_WATCH,
	OPT_MAX
};
static const char **const texts[OPT_MAX] = {
	[OPT_CONFIG] = &args.config,
	[OPT_ZONE] = &args.zone,
	[OPT_ORIGIN] = &args.origin,
	[OPT_NAMESERVER] = &args.servers,
	[OPT_SOCKET] = &args.socket,
	[OPT_WATCH] = &args.watch,
};

/* clang-format off */
static const struct option options[] = {
	{ "json",	no_argument,		&args.form, CTL_JSON },
	{ "dot",	no_argument,		&args.form, CTL_DOT },
	{ "policy",	no_argument,		&args.policy, 1 },
	{ "second-opinion", no_argument,	&args.second, 1 },
	{ "environment", no_argument,		&args.environment, 1 },
	{ "color",	no_argument,		&args.color, 1 },
	{ "no-color",	no_argument,		&args.color, 0 },
	{ "config",	required_argument,	NULL, OPT_CONFIG },
	{ "zone",	required_argument,	NULL, OPT_ZONE },
	{ "origin",	required_argument,	NULL, OPT_ORIGIN },
	{ "nameserver",	required_argument,	NULL, OPT_NAMESERVER },
	{ "socket",	required_argument,	NULL, OPT_SOCKET },
	{ "watch",	optional_argument,	NULL, OPT_WATCH },
	{ "help",	no_argument,		NULL, 'h' },
	{ NULL,		0,			NULL, 0 }
};
/* clang-format on */

static void usage(FILE *) __attribute__((__noreturn__));

static void
usage(FILE *fp)
{
	size_t i;

	for (i = 0; i < nitems(commands); i++)
		fprintf(fp, "%s spfctl %s\n", i == 0 ? "usage:" : "      ",
		    commands[i].usage);
	fprintf(fp,
	    "options: --json --dot --zone FILE --origin NAME "
	    "--config FILE --policy --environment\n"
	    "         --nameserver ADDRESS[@PORT][,...] --color "
	    "--no-color --second-opinion\n"
	    "         --socket PATH\n");
	exit(fp == stdout ? 0 : EX_USAGE);
}

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	usage(stderr);
}

static void
parse_options(int argc, char **argv)
{
	int ch;

	while ((ch = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (ch == 'h')
			usage(stdout);
		if (ch >= OPT_MAX)
			usage(stderr);
		if (ch > 0)
			*texts[ch] = optarg != NULL ? optarg : "";
	}
}

/* Returns 1 if the command takes these options and arguments. */
static int
fits_command(const struct command *cmd, int argc, char **argv)
{
	const char *const *w;

	if ((args.form == CTL_JSON && (cmd->takes & TAKES_JSON) == 0) ||
	    (args.form == CTL_DOT &&
		((cmd->takes & TAKES_DOT) == 0 || args.second)) ||
	    (args.second && (cmd->takes & TAKES_SECOND) == 0) ||
	    (args.watch != NULL && (cmd->takes & TAKES_WATCH) == 0) ||
	    (args.origin != NULL && args.zone == NULL) || argc < cmd->min ||
	    argc > cmd->max)
		return 0;
	/* "--watch", "--watch=5" and "--watch 5" */
	if ((cmd->takes & TAKES_WATCH) != 0 && argc > 0)
		return args.watch != NULL && args.watch[0] == '\0';
	if ((w = cmd->words) == NULL)
		return 1;
	while (*w != NULL && strcmp(*w, argv[0]) != 0)
		w++;
	return *w != NULL;
}

static void
parse_args(struct spfctl *ctl, int argc, char **argv)
{
	const char *why = NULL;

	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		usage(stdout);
	if (argc < 2)
		usage(stderr);
	args.cmd = find_command(argv[1]);
	argc--;
	argv++;
	parse_options(argc, argv);
	ctl->argc = argc - optind;
	ctl->argv = argv + optind;
	if (!fits_command(args.cmd, ctl->argc, ctl->argv))
		usage(stderr);
	ctl->form = (enum ctl_form)args.form;
	ctl->policy = args.policy;
	if (args.watch == NULL)
		return;
	if (args.watch[0] == '\0')
		args.watch = ctl->argc > 0 ? ctl->argv[0] : CTL_WATCH;
	ctl->watch = (unsigned int)strtonum(args.watch, 1, 86400, &why);
	if (why != NULL)
		usage(stderr);
}

/* Before the sandbox, which forbids ioctl(2). */
static void
look_at_terminal(struct spfctl *ctl, int color)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	static char buf[65536];
	const char *v = NULL, *columns, *why = NULL;
	struct winsize ws;
	int tty = isatty(STDOUT_FILENO);
	size_t i;

	for (i = 0; i < nitems(names); i++)
		if ((v = getenv(names[i])) != NULL && *v != '\0')
			break;
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
	/* With this buffer, stdio does not call fstat(2). */
	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
}

/* Reads --nameserver as the value of the key Nameservers. */
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
load_file(enum conf_program program, const char *path, const struct args *a,
    config_say_fn say)
{
	struct config_files f = { .environment = a->environment };
	struct conf *conf;

	conf = config_load(program, path, 1, &f, say, NULL);
	config_files_free(&f);
	return conf;
}

static struct conf *
load_conf(const struct spfctl *ctl, const struct args *a)
{
	enum conf_program program = ctl->policy ? CONF_POLICY : CONF_MILTER;
	const char *path = a->config;
	struct conf *conf;

	if (path == NULL)
		path = ctl->policy ? CONF_FILE_POLICY : CONF_FILE_MILTER;
	if (a->config == NULL && access(path, R_OK) == -1)
		conf = conf_new(program);
	else if ((conf = load_file(program, path, a, config_say_stderr)) ==
	    NULL)
		exit(EX_CONFIG);
	if (a->servers != NULL && set_servers(conf, a->servers) == -1) {
		ctl_complain("--nameserver takes ADDRESS[@PORT][,...]");
		exit(EX_USAGE);
	}
	config_nameservers(conf, NULL, NULL);
	return conf;
}

static void
say_nothing(int pri, const char *text, void *arg)
{
}

/*
 * Loads the path of the control socket and the key Sandbox, for the commands
 * that talk to the daemon. An error in the file matters only when --config
 * names the file and --socket does not name the socket.
 */
static struct conf *
daemon_conf(const struct args *a)
{
	int must = a->config != NULL && a->socket == NULL;
	struct conf *conf;

	conf = load_file(CONF_MILTER,
	    a->config != NULL ? a->config : CONF_FILE_MILTER, a,
	    must ? config_say_stderr : say_nothing);
	if (conf == NULL && must)
		exit(EX_CONFIG);
	return conf != NULL ? conf : conf_new(CONF_MILTER);
}

/* Before the drop: the daemon asks the kernel which user connects. */
static int
open_daemon(const struct spfctl *ctl, const struct args *a)
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
		ctl_complain(
		    "the daemon has no control socket (ControlSocket)");
		exit(EX_UNAVAILABLE);
	}
	if ((fd = ctlconn_open(path)) != -1)
		return fd;
	err = errno;
	for (i = 0; i < nitems(known); i++)
		if (known[i].err == err)
			status = known[i].status;
	ctl_complain("%s: %s%s", path, strerror(err),
	    status == EX_UNAVAILABLE ? "; is the daemon running?" :
		status == EX_NOPERM ? "; only root and the daemon's group may" :
				      "");
	exit(status);
}

static void
dns_gone(void *arg)
{
	struct spfctl *ctl = arg;

	ctl->dns_gone = 1;
	event_base_loopbreak(ctl->base);
}

/* Before the sandbox; read_zone() reads and parses it after. */
static int
open_zone(const char *path)
{
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		ctl_complain("%s: %s", path, strerror(errno));
		exit(EX_NOINPUT);
	}
	return fd;
}

static int
read_zone(struct spfctl *ctl, const struct args *a, int fd)
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
	ctl_complain("%s: %s", a->zone, err);
	return -1;
}

/* Before the sandbox. Commands that talk to the daemon need no DNS. */
static void
prepare(struct spfctl *ctl, const struct args *a)
{
	int fd = -1, questions, copies;

	if (a->cmd->needs == NEEDS_DAEMON) {
		ctl->conf = daemon_conf(a);
		fd = open_daemon(ctl, a);
	} else
		ctl->conf = load_conf(ctl, a);
	/* Nothing after this needs root. */
	priv_drop_named("pyspf-milter", "nobody", NULL);
	if ((ctl->base = event_base_new()) == NULL)
		fatalx("no event base");
	if (a->cmd->needs == NEEDS_DAEMON) {
		ctl->daemon = ctl_daemon_new(ctl->base, fd);
		return;
	}
	ctl->asker = asker_new(ctl->base, ROLE_WORKER);
	asker_connect(ctl->asker,
	    own_role_start_dns(ctl->base, "spfctl", ctl->conf, dns_gone, ctl));
	asker_on_gone(ctl->asker, dns_gone, ctl);
	if (!a->second)
		return;
	own_role_start_shadow(ctl->base, "spfctl", ctl->conf, NULL, NULL,
	    &questions, &copies);
	ctl->opinion = opinion_new(ctl->base, questions, copies);
}

int
main(int argc, char **argv)
{
	const struct args *a = &args;
	struct spfctl ctl;
	int status, zone = -1;

	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		return spawn_role_main(roles, argv[2]);
	memset(&ctl, 0, sizeof(ctl));
	parse_args(&ctl, argc, argv);
	sandbox_early();
	signal(SIGPIPE, SIG_IGN);
	log_init_stderr("spfctl");
	look_at_terminal(&ctl, a->color);
	ctl.now = time(NULL);
	if (a->zone != NULL)
		zone = open_zone(a->zone);
	prepare(&ctl, a);
	confine_enter(SANDBOX_CTL, ctl.conf);
	if (zone != -1 && read_zone(&ctl, a, zone) == -1)
		return EX_DATAERR;
	status = a->cmd->run(&ctl);
	errno = 0;
	if ((fflush(stdout) == EOF || ferror(stdout)) && errno != EPIPE) {
		ctl_complain("cannot write the output");
		return EX_IOERR;
	}
	return status;
}
