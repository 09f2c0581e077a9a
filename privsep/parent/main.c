/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, from the first instruction; children pass through it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "privsep/base/log.h"
#include "privsep/child/role.h"
#include "privsep/parent/parent.h"
#include "privsep/sandbox/sandbox.h"
#include "privsep/start/config.h"
#include "privsep/start/spawn.h"

/* clang-format off */
static const struct spawn_role roles[] = {
	{ ROLE_DNS, dns_main },
	{ ROLE_WORKER, worker_main },
	{ ROLE_LIBMILTER, libmilter_main },
	{ ROLE_SHADOW, shadow_main },
	{ ROLE_NONE, NULL }
};
/* clang-format on */

static void
usage(void)
{
	printf("usage: pyspf-milter [-densv] [<configfilename>]\n");
	exit(1);
}

/* -n: checks the configuration. -nv: also prints the effective one. */
static int
check_config(const char *path, int explicit, struct config_files *files,
    int print)
{
	struct conf *conf;
	char *text;

	conf = config_load(CONF_MILTER, path, explicit, files,
	    config_say_stderr, NULL);
	config_files_free(files);
	if (conf == NULL)
		return EX_CONFIG;
	if (print && (text = conf_print(conf, 0)) != NULL) {
		fputs(text, stdout);
		free(text);
	}
	conf_free(conf);
	return 0;
}

int
main(int argc, char **argv)
{
	struct config_files files;
	struct conf *conf;
	const char *path;
	int ch, check = 0, debug = 0, to_stderr = 0, verbose = 0, explicit;

	if (argc == 3 && strcmp(argv[1], "-x") == 0)
		return spawn_role_main(roles, argv[2]);

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		usage();
	memset(&files, 0, sizeof(files));
	while ((ch = getopt(argc, argv, "dehnsv")) != -1) {
		switch (ch) {
		case 'd':
			debug = 1;
			break;
		case 'e':
			files.environment = 1;
			break;
		case 'n':
			check = 1;
			break;
		case 's':
			to_stderr = 1;
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			usage();
		}
	}
	explicit = optind < argc;
	path = explicit ? argv[optind] : CONF_FILE_MILTER;
	if (check)
		return check_config(path, explicit, &files, verbose);

	sandbox_early();
	if (debug || to_stderr)
		log_init_stderr("pyspf-milter");
	else
		log_init_syslog("pyspf-milter");
	log_verbose(debug || verbose);
	conf = config_load(CONF_MILTER, path, explicit, &files, config_say_log,
	    NULL);
	if (conf == NULL)
		return EX_CONFIG;
	config_nameservers(conf, &files, NULL);
	return parent_main(path, debug, &files, conf);
}
