/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: worker, libmilter. Pure: no system calls, no allocation. */

#ifndef PROTO_MILTER_H
#define PROTO_MILTER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/addr.h"
#include "proto/wire.h"

/*
 * The milter protocol, versions 2 to 6, seen from the filter. A packet is a
 * u32 length in network order, a command octet and its data; the length
 * counts the command.
 */
#define MILTER_LEN_SIZE	   4
#define MILTER_PACKET_MAX  65536 /* the limit of libmilter too */
#define MILTER_VERSION_MIN 2
#define MILTER_VERSION_MAX 6

/* State of a session; each command has the states in which it is legal. */
enum milter_state {
	MILTER_ST_NEW = 0, /* before OPTNEG */
	MILTER_ST_AGREED,  /* after OPTNEG, no client */
	MILTER_ST_CLIENT,  /* after CONNECT */
	MILTER_ST_MESSAGE, /* after MAIL */
	MILTER_ST_MAX
};

/*
 * letter, name, states, the bit by which the mail server agrees to get no
 * reply (NR; 0: none), a reply is due
 */
#define MILTER_CMDS(X)                                              \
	X('O', OPTNEG, IN_NEW, 0, 1)                                \
	X('D', MACRO, IN_ANY, 0, 0)                                 \
	X('C', CONNECT, IN_AGREED | IN_CLIENT, MILTER_P_NR_CONN, 1) \
	X('H', HELO, IN_ALL, MILTER_P_NR_HELO, 1)                   \
	X('M', MAIL, IN_ALL, 0, 1)                                  \
	X('R', RCPT, IN_MESSAGE, MILTER_P_NR_RCPT, 1)               \
	X('T', DATA, IN_MESSAGE, MILTER_P_NR_DATA, 1)               \
	X('L', HEADER, IN_MESSAGE, MILTER_P_NR_HDR, 1)              \
	X('N', EOH, IN_MESSAGE, MILTER_P_NR_EOH, 1)                 \
	X('B', BODY, IN_MESSAGE, MILTER_P_NR_BODY, 1)               \
	X('E', EOM, IN_MESSAGE, 0, 1)                               \
	X('U', UNKNOWN, IN_ALL, MILTER_P_NR_UNKN, 1)                \
	X('A', ABORT, IN_ANY, 0, 0)                                 \
	X('K', QUIT_NC, IN_ANY, 0, 0)                               \
	X('Q', QUIT, IN_ANY, 0, 0)

enum milter_cmd {
	MILTER_NONE = 0,
#define X(l, n, s, nr, r) MILTER_##n,
	MILTER_CMDS(X)
#undef X
	MILTER_CMD_MAX
};

struct milter_rule {
	char letter;
	const char *name;
	unsigned int states; /* 1 << enum milter_state */
	uint32_t nr;	     /* with this step bit no reply is due */
	int reply;
};

extern const struct milter_rule milter_rules[MILTER_CMD_MAX];
/* MILTER_NONE when there is no such command. */
enum milter_cmd milter_cmd_of(uint8_t);
/* 1 when these agreed steps require a reply to the command. */
int milter_reply_due(enum milter_cmd, uint32_t steps);

/* Actions that a filter may ask for. */
#define MILTER_F_ADDHDRS 0x00000001U
#define MILTER_F_CHGHDRS 0x00000010U

/* Steps that the MTA does not send (NO), or that get no reply (NR). */
#define MILTER_P_NOCONNECT 0x00000001U
#define MILTER_P_NOHELO	   0x00000002U
#define MILTER_P_NOMAIL	   0x00000004U
#define MILTER_P_NORCPT	   0x00000008U
#define MILTER_P_NOBODY	   0x00000010U
#define MILTER_P_NOHDRS	   0x00000020U
#define MILTER_P_NOEOH	   0x00000040U
#define MILTER_P_NR_HDR	   0x00000080U
#define MILTER_P_NOUNKNOWN 0x00000100U
#define MILTER_P_NODATA	   0x00000200U
#define MILTER_P_NR_CONN   0x00001000U
#define MILTER_P_NR_HELO   0x00002000U
#define MILTER_P_NR_RCPT   0x00008000U
#define MILTER_P_NR_DATA   0x00010000U
#define MILTER_P_NR_UNKN   0x00020000U
#define MILTER_P_NR_EOH	   0x00040000U
#define MILTER_P_NR_BODY   0x00080000U

struct milter_options {
	uint32_t version;
	uint32_t actions;
	uint32_t steps;
};

/*
 * The answer to an offer, with offered bits only. headers: ask for the header
 * fields and the right to delete them. -1 when the version is too old.
 */
int milter_agree(const struct milter_options *offer, int headers,
    struct milter_options *);

/*
 * Finds the first packet in a buffer. 1: *cmd, *data and *len (without the
 * command octet) are set, and *used is the packet's whole length; 0: more
 * input is needed; -1: the length is out of bounds.
 */
int milter_packet(const uint8_t *, size_t, uint8_t *cmd, const uint8_t **data,
    size_t *len, size_t *used);

/* CONNECT. Strings point into the packet and end with its NUL. */
struct milter_connect {
	const char *host;
	char family; /* '4', '6', 'L', or 'U' for any other */
	uint16_t port;
	const char *address; /* as sent; "" for 'U' */
	struct addr addr;    /* family 0: not 4 or 6, or unreadable */
};

/*
 * Decoders of a packet's data. 0, or -1 when it is malformed: strings must end
 * with a NUL inside the packet. Further data is ignored, as libmilter does.
 */
int milter_get_options(const uint8_t *, size_t, struct milter_options *);
int milter_get_connect(const uint8_t *, size_t, struct milter_connect *);
/* One string, up to its first NUL. */
int milter_get_string(const uint8_t *, size_t, const char **);
/* Two strings: a header field's name and value. */
int milter_get_header(const uint8_t *, size_t, const char **, const char **);
/*
 * Steps through NUL-terminated strings (arguments of MAIL, macros after the
 * command octet). NULL at the end or when the last has no NUL (*err is 1).
 */
const char *milter_next_string(struct rbuf *, int *err);

/* Encoders of whole packets; wbuf_ok() says whether they fitted. */
void milter_put_simple(struct wbuf *, char);
void milter_put_options(struct wbuf *, const struct milter_options *);
/*
 * "code xcode text" as a reply code. Sendmail uses the text as a format, and
 * Postfix turns "%%" into '%'. So an odd run of '%' is doubled; an even one is
 * taken as doubled already.
 */
void milter_put_reply(struct wbuf *, const char *code, const char *xcode,
    const char *text);
/*
 * 'i' inserts a header field at idx; 'm' changes the one of that name that idx
 * counts from 1, and deletes it when the value is empty.
 */
void milter_put_header(struct wbuf *, char cmd, uint32_t idx, const char *name,
    const char *value);
/* Applies that rule for '%' only. 0, or -1 when out is too small. */
int milter_percent(char *out, size_t, const char *);

#endif
