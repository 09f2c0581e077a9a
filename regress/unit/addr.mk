UNIT += addr
UNIT_addr_SRCS = proto/addr.c
