/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: parent, spfctl. Pure; the tables of what "spfctl status" shows. */

#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/wire.h"

/*
 * The parent sends its status as rows of fields. These tables drive its
 * encoder, spfctl's decoder and --json: a field added here and set in
 * control_status.c appears there.
 *
 * Kinds of rows: name in --json, form there, and the kind of row that it
 * belongs to and follows. Forms: MEMBERS (the fields are members of the
 * document itself), OBJECT, MAP (an object; the first field of each row is
 * the key), LIST. There is exactly one MEMBERS or OBJECT row. An entry of a
 * MAP or LIST is an object, or a plain value when it has only one field.
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
 * Fields, in their order on the wire and in --json: kind of row, field, name
 * in --json, type. The fields of a kind stand together. Times are in seconds;
 * "started" counts from 1970.
 */
#define STATUS_FIELD_TABLE(X)                             \
	X(DAEMON, VERSION, "version", TEXT)               \
	X(DAEMON, PID, "pid", PID)                        \
	X(DAEMON, UPTIME, "uptime", NUMBER)               \
	X(DAEMON, STARTED, "started", NUMBER)             \
	X(DAEMON, CONFIG, "config", TEXT)                 \
	X(SANDBOX, STATE, "state", WORD)                  \
	X(SANDBOX, LANDLOCK_ABI, "landlock_abi", NUMBER)  \
	X(SANDBOX, LACKS, "landlock_lacks", TEXT)         \
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

/* Types of fields, and the largest value; of TEXT, the largest length. */
#define STATUS_TEXT_MAX 4096
#define STATUS_TYPE_TABLE(X)                      \
	X(NUMBER, UINT64_MAX)                     \
	X(PID, INT32_MAX) /* 0: no process */     \
	X(FLAG, 1)                                \
	X(WORD, STATUS_WORD_MAX - 1)              \
	X(ROLE, ROLE_MAX - 1) /* enum msg_role */ \
	X(TEXT, STATUS_TEXT_MAX)

/* The values of WORD fields. */
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
	enum status_kind within; /* STATUS_NONE: belongs to no other */
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

/* A row; only the fields of its kind are used. */
struct status_row {
	STAILQ_ENTRY(status_row) entry;
	enum status_kind kind;
	union status_value v[STATUS_FIELD_MAX];
};
STAILQ_HEAD(status_rows, status_row);

/* Octets of a row on the wire; the bounds of CTL_ROW in proto/msg.h. */
#define STATUS_ROW_MIN 5
#define STATUS_ROW_MAX 16384

/*
 * Encodes the payload of CTL_ROW: u8 kind, u8 number of fields, then each
 * field as u8 type and a u64, or a blob for TEXT. Returns 0, or -1 when a
 * value exceeds its type's limit or the row its buffer.
 */
int status_put(struct wbuf *, const struct status_row *);
/*
 * Decodes a payload into a row that the arena owns, texts included. Returns
 * NULL when it differs from the tables (the sender is of another version)
 * and when the arena is full.
 */
struct status_row *status_get(struct arena *, const uint8_t *, size_t);
/*
 * Returns 1 if there is exactly one MEMBERS and OBJECT row of each kind, and
 * each row that belongs to another follows one of that kind; else 0.
 */
int status_complete(const struct status_rows *);
/* The text of a WORD, ROLE or TEXT field. */
const char *status_text(const struct status_row *, enum status_field_id);

#endif
