/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: regress. Which files a reload opens, and which it does not. */

#include <sys/stat.h>

#include <unistd.h>

#include "privsep/start/config.h"
#include "regress/unit/check.h"

static char dir[] = "/tmp/config.XXXXXX";
static char last[256];

static const char *
path(const char *name)
{
	static char buf[4][256];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
	return buf[i];
}

static void
put(const char *name, const char *fmt, ...)
{
	va_list ap;
	FILE *fp;

	if ((fp = fopen(path(name), "w")) == NULL)
		exit(2);
	va_start(ap, fmt);
	vfprintf(fp, fmt, ap);
	va_end(ap);
	if (fclose(fp) != 0)
		exit(2);
}

static void
say(int pri, const char *text, void *arg)
{
	snprintf(last, sizeof(last), "%s", text);
}

static struct conf *
load(struct config_files *f, const char *list)
{
	put("c/a.conf", "InternalHosts = file:%s\n", path(list));
	last[0] = '\0';
	return config_load(CONF_MILTER, path("c/a.conf"), 1, f, say, NULL);
}

int
main(void)
{
	struct config_files f;
	struct conf *conf;

	memset(&f, 0, sizeof(f));
	if (mkdtemp(dir) == NULL || mkdir(path("c"), 0755) == -1 ||
	    mkdir(path("l"), 0755) == -1 || mkdir(path("real"), 0755) == -1 ||
	    symlink("../real/list", path("l/list")) == -1)
		return 2;
	put("real/list", "192.0.2.1\n");
	put("real/new", "192.0.2.2\n"); /* not where it is named */
	put("l/new", "192.0.2.3\n");
	put("c/new", "192.0.2.4\n");
	conf = load(&f, "l/list");
	check("config/start", conf != NULL, ": %s", last);
	conf_free(conf);
	f.sealed = 1;
	put("real/list", "192.0.2.9\n");
	conf = load(&f, "l/list");
	check("config/again-by-a-link", conf != NULL, ": %s", last);
	conf_free(conf);
	conf = load(&f, "c/new");
	check("config/new-beside-an-old-one", conf != NULL, ": %s", last);
	conf_free(conf);
	/* the link's target lies elsewhere: not the file that is meant */
	conf = load(&f, "l/new");
	check("config/new-beside-a-link-is-no-other",
	    conf == NULL && strstr(last, "l/new") != NULL, ": %s", last);
	if (conf != NULL)
		conf_free(conf);
	config_files_free(&f);
	return check_exit();
}
