FUZZ += shadowmsg
FUZZ_shadowmsg_SRCS = proto/shadowmsg.c proto/wire.c
