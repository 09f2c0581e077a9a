UNIT += shadowmsg
UNIT_shadowmsg_SRCS = proto/shadowmsg.c proto/wire.c proto/msg.c proto/addr.c
