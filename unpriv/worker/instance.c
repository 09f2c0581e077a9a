/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, policyd-spf. No system calls but for memory. */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "unpriv/worker/instance.h"

struct instance {
	RB_ENTRY(instance) tree;
	TAILQ_ENTRY(instance) age;
	enum instance_kind kind;
	int action;
	int header;
	char *reply;
	const char *name; /* follows the struct */
};

RB_HEAD(instance_tree, instance);

struct instances {
	struct instance_tree tree;
	TAILQ_HEAD(, instance) age; /* oldest first */
	unsigned int n;
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
usable(const struct instances *t, const char *name)
{
	return t != NULL && name != NULL && *name != '\0' &&
	    strlen(name) <= INSTANCE_NAMELEN;
}

static struct instance *
instance_find(struct instances *t, const char *name)
{
	struct instance key = { .name = name };

	return RB_FIND(instance_tree, &t->tree, &key);
}

struct instance_outcome
instances_get(struct instances *t, const char *name)
{
	struct instance *e;

	if (!usable(t, name) || (e = instance_find(t, name)) == NULL)
		return (struct instance_outcome){ INSTANCE_NONE, 0, NULL };
	return (struct instance_outcome){ e->kind, e->action, e->reply };
}

/* A new entry, the youngest: without an outcome, with its former header. */
static struct instance *
instance_renew(struct instances *t, const char *name)
{
	struct instance *e, *old = instance_find(t, name);
	size_t len = strlen(name) + 1;

	if ((e = calloc(1, sizeof(*e) + len)) == NULL)
		return NULL;
	e->name = memcpy(e + 1, name, len);
	if (old != NULL) {
		e->header = old->header;
		instance_remove(t, old);
	}
	RB_INSERT(instance_tree, &t->tree, e);
	TAILQ_INSERT_TAIL(&t->age, e, age);
	if (++t->n > INSTANCE_MAX)
		instance_remove(t, TAILQ_FIRST(&t->age));
	return e;
}

void
instances_put(struct instances *t, const char *name,
    const struct instance_outcome *o)
{
	struct instance *e;

	if (!usable(t, name) || (e = instance_renew(t, name)) == NULL)
		return;
	if (o->reply != NULL && (e->reply = strdup(o->reply)) == NULL)
		return; /* INSTANCE_NONE: the next recipient is judged */
	e->kind = o->kind;
	e->action = o->action;
}

void
instances_set_header(struct instances *t, const char *name)
{
	struct instance *e;

	if (usable(t, name) &&
	    ((e = instance_find(t, name)) != NULL ||
		(e = instance_renew(t, name)) != NULL))
		e->header = 1;
}

int
instances_has_header(struct instances *t, const char *name)
{
	struct instance *e;

	return usable(t, name) && (e = instance_find(t, name)) != NULL &&
	    e->header;
}
