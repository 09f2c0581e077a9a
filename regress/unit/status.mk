UNIT += status
UNIT_status_SRCS = proto/status.c proto/stats.c proto/wire.c proto/msg.c \
	proto/arena.c
