UNIT += header
UNIT_header_SRCS = unpriv/judge/header.c unpriv/judge/reply.c proto/arena.c proto/text.c \
	proto/dname.c proto/python.c
