UNIT += milter
UNIT_milter_SRCS = proto/milter.c proto/wire.c proto/addr.c
