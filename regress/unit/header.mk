UNIT += header
UNIT_header_SRCS = unpriv/header.c unpriv/reply.c proto/arena.c proto/text.c \
	proto/dname.c
