UNIT += msg
UNIT_msg_SRCS = proto/msg.c proto/wire.c proto/text.c privsep/chan.c \
		privsep/log.c
