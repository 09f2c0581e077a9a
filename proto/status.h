/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, spfctl. Pure; the table of what the daemon's status is. */

#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/wire.h"

/*
 * Kinds of rows: name in --json, form there, the kind of row that it belongs
 * to. Forms: MEMBERS (the fields stand in the document itself), OBJECT, MAP
 * (an object whose keys are the rows' first fields), LIST. A row of the first
 * two kinds comes once, of the others as often as need be; one that belongs to
 * another follows it.
 */
#define STATUS_KIND_TABLE(X)                     \
	X(DAEMON, "daemon", MEMBERS, NONE)       \
	X(SANDBOX, "sandbox", OBJECT, NONE)      \
	X(LOG, "log", MEMBERS, NONE)             \
	X(LISTENER, "listeners", MAP, NONE)      \
	X(NAMESERVER, "nameservers", LIST, NONE) \
	X(RELOADS, "reloads", OBJECT, NONE)      \
	X(RESTARTS, "restarts", MAP, NONE)       \
	X(GENERATION, "generations", LIST, NONE) \
	X(PROCESS, "processes", LIST, GENERATION)

/*
 * Their fields, in the order of the wire and of --json: kind, field, name,
 * type. Times are in seconds, "started" since 1970.
 */
#define STATUS_FIELD_TABLE(X)                             \
	X(DAEMON, VERSION, "version", TEXT)               \
	X(DAEMON, PID, "pid", PID)                        \
	X(DAEMON, UPTIME, "uptime", NUMBER)               \
	X(DAEMON, STARTED, "started", NUMBER)             \
	X(DAEMON, CONFIG, "config", TEXT)                 \
	X(SANDBOX, STATE, "state", WORD)                  \
	X(SANDBOX, LANDLOCK_ABI, "landlock_abi", NUMBER)  \
	X(SANDBOX, SECCOMP, "seccomp", FLAG)              \
	X(LOG, LEVEL, "log", WORD)                        \
	X(LISTENER, NAME, "name", WORD)                   \
	X(LISTENER, ADDRESS, "address", TEXT)             \
	X(NAMESERVER, ADDRESS, "address", TEXT)           \
	X(RELOADS, DONE, "done", NUMBER)                  \
	X(RELOADS, REFUSED, "refused", NUMBER)            \
	X(RELOADS, FAILED, "failed", NUMBER)              \
	X(RESTARTS, ROLE, "role", ROLE)                   \
	X(RESTARTS, COUNT, "count", NUMBER)               \
	X(GENERATION, NUMBER, "number", NUMBER)           \
	X(GENERATION, STATE, "state", WORD)               \
	X(GENERATION, AGE, "age", NUMBER)                 \
	X(GENERATION, CONNECTIONS, "connections", NUMBER) \
	X(GENERATION, CHECKS, "checks", NUMBER)           \
	X(PROCESS, ROLE, "role", ROLE)                    \
	X(PROCESS, PID, "pid", PID)                       \
	X(PROCESS, STATE, "state", WORD)                  \
	X(PROCESS, RESTARTS, "restarts", NUMBER)          \
	X(PROCESS, UPTIME, "uptime", NUMBER)              \
	X(PROCESS, CONNECTIONS, "connections", NUMBER)    \
	X(PROCESS, CHECKS, "checks", NUMBER)

/* Types and the largest value of each; of TEXT, the most octets. */
#define STATUS_TEXT_MAX 4096
#define STATUS_TYPE_TABLE(X)                      \
	X(NUMBER, UINT64_MAX)                     \
	X(PID, INT32_MAX) /* 0: no process */     \
	X(FLAG, 1)                                \
	X(WORD, STATUS_WORD_MAX - 1)              \
	X(ROLE, ROLE_MAX - 1) /* enum msg_role */ \
	X(TEXT, STATUS_TEXT_MAX)

#define STATUS_WORD_TABLE(X)    \
	X(NONE, "none")         \
	X(PARTIAL, "partial")   \
	X(FULL, "full")         \
	X(BRIEF, "brief")       \
	X(VERBOSE, "verbose")   \
	X(MILTER, "milter")     \
	X(POLICY, "policy")     \
	X(CONTROL, "control")   \
	X(STARTING, "starting") \
	X(SERVING, "serving")   \
	X(DRAINING, "draining") \
	X(READY, "ready")       \
	X(DOWN, "down")

enum status_kind {
	STATUS_NONE = 0,
#define X(kind, name, form, within) STATUS_##kind,
	STATUS_KIND_TABLE(X)
#undef X
	STATUS_KIND_MAX
};

enum status_form {
	STATUS_FORM_NONE = 0,
	STATUS_FORM_MEMBERS,
	STATUS_FORM_OBJECT,
	STATUS_FORM_MAP,
	STATUS_FORM_LIST
};

enum status_type {
	STATUS_TYPE_NONE = 0,
#define X(type, max) STATUS_TYPE_##type,
	STATUS_TYPE_TABLE(X)
#undef X
	STATUS_TYPE_MAX
};

enum status_word {
#define X(word, text) STATUS_WORD_##word,
	STATUS_WORD_TABLE(X)
#undef X
	STATUS_WORD_MAX
};

enum status_field_id {
#define X(kind, field, name, type) STATUS_##kind##_##field,
	STATUS_FIELD_TABLE(X)
#undef X
	STATUS_FIELD_MAX
};

struct status_kind_rule {
	const char *name;
	enum status_form form;
	enum status_kind within; /* STATUS_NONE: of the daemon */
};

struct status_field {
	enum status_kind kind;
	const char *name;
	enum status_type type;
};

extern const struct status_kind_rule status_kinds[STATUS_KIND_MAX];
extern const struct status_field status_fields[STATUS_FIELD_MAX];
extern const char *const status_words[STATUS_WORD_MAX];

union status_value {
	uint64_t number;  /* of all types but TEXT */
	const char *text; /* TEXT; the row does not own it */
};

/* A row; only the fields of its kind matter. */
struct status_row {
	STAILQ_ENTRY(status_row) entry;
	enum status_kind kind;
	union status_value v[STATUS_FIELD_MAX];
};
STAILQ_HEAD(status_rows, status_row);

/* Sizes of a row on the wire. */
#define STATUS_ROW_MIN 5
#define STATUS_ROW_MAX 16384

/*
 * Payload of CTL_ROW: u8 kind, u8 number of fields, then each field: u8 type
 * and a u64, or a blob for TEXT. -1 when a value exceeds its type or the row
 * its buffer.
 */
int status_put(struct wbuf *, const struct status_row *);
/*
 * The row, with its texts in the arena; NULL when memory lacks or when it is
 * not exactly what the tables say: the sender is of another version.
 */
struct status_row *status_get(struct arena *, const uint8_t *, size_t);
/* 1: each row that comes once did, each that belongs to another follows it. */
int status_complete(const struct status_rows *);
/* A field of type WORD, ROLE or TEXT as text. */
const char *status_text(const struct status_row *, enum status_field_id);

#endif
