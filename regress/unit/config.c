/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: regress. Which files a reload opens, and which it does not. */

#include <sys/stat.h>

#include <unistd.h>

#include "privsep/start/config.h"
#include "regress/unit/check.h"

static char dir[] = "/tmp/config.XXXXXX";
static char last[1024];

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
say_all(int pri, const char *text, void *arg)
{
	strlcat(last, text, sizeof(last));
	strlcat(last, "\n", sizeof(last));
}

/*
 * Loads a file with the lines around "Include = pattern"; the configuration's
 * Lookup_Time, or -1 if it is refused.
 */
static int
lookup_time(struct config_files *f, const char *before, const char *pattern,
    const char *after)
{
	struct conf *conf;
	int n;

	put("c/m.conf", "%sInclude = %s\n%s", before, path(pattern), after);
	last[0] = '\0';
	conf = config_load(CONF_MILTER, path("c/m.conf"), 1, f, say_all, NULL);
	n = conf == NULL ? -1 : conf->lookup_time;
	conf_free(conf);
	return n;
}

static void
refused(const char *name, struct config_files *f, const char *what)
{
	check_int(name, lookup_time(f, "", "d/*.conf", ""), -1);
	check_has(name, last, what);
}

/* What may lie in the directory, once with files, once below descriptors. */
static void
include_hostile(struct config_files *f)
{
	put("d/20.conf", "Lookup_Time = x\n");
	refused("config/include-place", f, "d/20.conf:1: Lookup_Time: ");
	put("d/20.conf", "#\nInclude = /etc/passwd\n");
	refused("config/include-one-level", f, "d/20.conf:2: Include: ");
	put("d/20.conf", "a = %c\n", 0);
	refused("config/include-binary", f, "d/20.conf:1: the line contains");
	remove(path("d/20.conf"));
	if (mkfifo(path("d/20.conf"), 0644) == -1)
		exit(2);
	refused("config/include-fifo", f, "m.conf:1: Include: ");
	remove(path("d/20.conf"));
	if (mkdir(path("d/20.conf"), 0755) == -1)
		exit(2);
	refused("config/include-directory", f, "d/20.conf: Is a directory");
	remove(path("d/20.conf"));
	if (symlink("20.conf", path("d/20.conf")) == -1)
		exit(2);
	refused("config/include-loop", f, "d/20.conf: Too many levels");
	remove(path("d/20.conf"));
}

static void
include_many(void)
{
	char name[32];
	int i;

	for (i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "d/many%d.conf", i);
		put(name, "#\n");
		if (i == CONF_INCLUDED_MAX - 2) /* and 10.conf */
			check_int("config/include-most",
			    lookup_time(NULL, "", "d/*.conf", ""), 31);
	}
	refused("config/include-too-many", NULL, "more than 256 included");
	for (i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "d/many%d.conf", i);
		remove(path(name));
	}
	put("d/20.conf", "#%*s\n", 600000, "");
	check_int("config/include-large", lookup_time(NULL, "", "d/*.conf", ""),
	    31);
	put("d/30.conf", "#%*s\n", 600000, "");
	refused("config/include-too-large", NULL, "d/30.conf: the included");
	remove(path("d/20.conf"));
	remove(path("d/30.conf"));
}

static void
test_include(void)
{
	struct config_files f = { 0 };
	int i;

	if (mkdir(path("d"), 0755) == -1 || mkdir(path("e"), 0755) == -1)
		exit(2);
	put("d/9.conf", "Lookup_Time = 30\n");
	put("d/10.conf", "Lookup_Time = 29\n");
	put("d/.hidden.conf", "Lookup_Time = 28\n");
	put("d/a.txt", "Lookup_Time = 27\n");
	check_int("config/include-sorted", lookup_time(&f, "", "d/*.conf", ""),
	    30);
	remove(path("d/9.conf"));
	check_int("config/include-wins-over-earlier",
	    lookup_time(NULL, "Lookup_Time = 5\n", "d/*.conf", ""), 29);
	check_int("config/later-wins-over-include",
	    lookup_time(NULL, "", "d/*.conf", "Lookup_Time = 5\n"), 5);
	check_int("config/include-plain", lookup_time(NULL, "", "d/a.txt", ""),
	    27);
	check_int("config/include-plain-missing",
	    lookup_time(NULL, "", "d/none", ""), -1);
	check_has("config/include-plain-missing", last, "m.conf:1: Include: ");
	check_int("config/include-no-match", lookup_time(NULL, "", "d/*.x", ""),
	    20);
	check_int("config/include-no-directory",
	    lookup_time(NULL, "", "none/*.conf", ""), 20);
	check_str("config/include-no-match-is-silent", last, "");
	check_int("config/include-only-last-part",
	    lookup_time(NULL, "", "*/10.conf", ""), -1);

	/* the reload */
	f.sealed = 1;
	put("d/10.conf", "Lookup_Time = 31\n");
	check_int("config/include-changed", lookup_time(&f, "", "d/*.conf", ""),
	    31);
	put("d/11.conf", "Lookup_Time = 32\n");
	check_int("config/include-new", lookup_time(&f, "", "d/*.conf", ""),
	    32);
	remove(path("d/11.conf"));
	check_int("config/include-removed", lookup_time(&f, "", "d/*.conf", ""),
	    31);
	check_int("config/include-new-directory",
	    lookup_time(&f, "", "e/*.conf", ""), -1);
	check_int("config/include-no-directory-later",
	    lookup_time(&f, "", "none/*.conf", ""), 20);
	for (i = 0; i < 2; i++)
		include_hostile(i == 0 ? &f : NULL);
	include_many();
	/* another directory of this name: not the one that is open */
	if (rename(path("d"), path("old")) == -1 ||
	    mkdir(path("d"), 0755) == -1)
		exit(2);
	check_int("config/include-replaced-directory",
	    lookup_time(&f, "", "d/*.conf", ""), -1);
	if (rmdir(path("d")) == -1 || rename(path("old"), path("d")) == -1)
		exit(2);
	config_files_free(&f);
}

static void
clean(void)
{
	static const char *const names[] = { "c/a.conf", "c/new", "l/list",
		"l/new", "l", "real/list", "real/new", "real", "c/m.conf",
		"d/.hidden.conf", "d/a.txt", "d/10.conf", "d", "e", "c", "" };
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
	test_include();
	clean();
	return check_exit();
}
