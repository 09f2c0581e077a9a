FUZZ += status
FUZZ_status_SRCS = proto/status.c proto/wire.c proto/msg.c proto/arena.c
