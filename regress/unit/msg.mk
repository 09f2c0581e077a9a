UNIT += msg
UNIT_msg_SRCS = proto/msg.c proto/wire.c proto/text.c privsep/base/chan.c \
		privsep/base/log.c
