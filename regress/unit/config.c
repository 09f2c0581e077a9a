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

static void
loads(const char *name, struct config_files *f, const char *list)
{
	struct conf *conf = load(f, list);

	check(name, conf != NULL, "%s", last);
	conf_free(conf);
}

static void
clean(void)
{
	static const char *const names[] = { "c/a.conf", "c/new", "c", "l/list",
		"l/new", "l", "real/list", "real/new", "real", "" };
	size_t i;

	for (i = 0; i < NITEMS(names); i++)
		remove(path(names[i]));
}

int
main(void)
{
	struct config_files f = { 0 };
	struct conf *conf;

	if (mkdtemp(dir) == NULL || mkdir(path("c"), 0755) == -1 ||
	    mkdir(path("l"), 0755) == -1 || mkdir(path("real"), 0755) == -1 ||
	    symlink("../real/list", path("l/list")) == -1)
		return 2;
	put("real/list", "192.0.2.1\n");
	put("real/new", "192.0.2.2\n"); /* not where it is named */
	put("l/new", "192.0.2.3\n");
	put("c/new", "192.0.2.4\n");
	loads("config/start", &f, "l/list");
	f.sealed = 1;
	put("real/list", "192.0.2.9\n");
	loads("config/again-by-a-link", &f, "l/list");
	loads("config/new-beside-an-old-one", &f, "c/new");
	/* the link's target lies elsewhere: not the file that is meant */
	conf = load(&f, "l/new");
	check("config/new-beside-a-link-is-no-other", conf == NULL, "%s", last);
	check_has("config/new-beside-a-link-is-named", last, "l/new");
	config_files_free(&f);
	clean();
	return check_exit();
}
