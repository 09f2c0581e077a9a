UNIT += wire
UNIT_wire_SRCS = proto/wire.c
