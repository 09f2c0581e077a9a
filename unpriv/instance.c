/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf; pure. */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "instance.h"

struct instance {
	RB_ENTRY(instance) tree;
	TAILQ_ENTRY(instance) age;
	enum instance_kind kind;
	char		*reply, *log;
	char		 name[];
};

RB_HEAD(instance_tree, instance);

struct instances {
	struct instance_tree tree;
	TAILQ_HEAD(, instance) age;	/* oldest first */
	unsigned int	 n;
};

static int
instance_cmp(struct instance *a, struct instance *b)
{
	return strcmp(a->name, b->name);
}

RB_PROTOTYPE(instance_tree, instance, tree, instance_cmp);
RB_GENERATE(instance_tree, instance, tree, instance_cmp);

struct instances *
instances_new(void)
{
	struct instances *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	RB_INIT(&t->tree);
	TAILQ_INIT(&t->age);
	return t;
}

static void
instance_remove(struct instances *t, struct instance *e)
{
	RB_REMOVE(instance_tree, &t->tree, e);
	TAILQ_REMOVE(&t->age, e, age);
	t->n--;
	free(e->reply);
	free(e->log);
	free(e);
}

void
instances_free(struct instances *t)
{
	struct instance *e;

	if (t == NULL)
		return;
	while ((e = TAILQ_FIRST(&t->age)) != NULL)
		instance_remove(t, e);
	free(t);
}

static int
name_usable(const char *name)
{
	return name != NULL && *name != '\0' &&
	    strlen(name) <= INSTANCE_NAMELEN;
}

static struct instance *
instance_find(struct instances *t, const char *name)
{
	struct instance *e, *key;
	char room[sizeof(*key) + INSTANCE_NAMELEN + 1]
	    __attribute__((__aligned__(__alignof__(struct instance))));

	key = (struct instance *)room;
	strlcpy(key->name, name, INSTANCE_NAMELEN + 1);
	e = RB_FIND(instance_tree, &t->tree, key);
	return e;
}

enum instance_kind
instances_get(struct instances *t, const char *name, const char **reply,
    const char **log)
{
	struct instance *e;

	if (t == NULL || !name_usable(name) ||
	    (e = instance_find(t, name)) == NULL)
		return INSTANCE_NONE;
	*reply = e->reply;
	*log = e->log;
	return e->kind;
}

void
instances_put(struct instances *t, const char *name, enum instance_kind kind,
    const char *reply, const char *log)
{
	struct instance *e;
	size_t len;

	if (t == NULL || !name_usable(name))
		return;
	if ((e = instance_find(t, name)) != NULL)
		instance_remove(t, e);
	if (kind == INSTANCE_NONE)
		return;
	len = strlen(name) + 1;
	if ((e = calloc(1, sizeof(*e) + len)) == NULL)
		return;
	memcpy(e->name, name, len);
	e->kind = kind;
	if ((reply != NULL && (e->reply = strdup(reply)) == NULL) ||
	    (log != NULL && (e->log = strdup(log)) == NULL)) {
		free(e->reply);
		free(e);
		return;
	}
	RB_INSERT(instance_tree, &t->tree, e);
	TAILQ_INSERT_TAIL(&t->age, e, age);
	if (++t->n > INSTANCE_MAX)
		instance_remove(t, TAILQ_FIRST(&t->age));
}
