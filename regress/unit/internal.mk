UNIT += internal
UNIT_internal_SRCS = unpriv/internal.c proto/addr.c proto/dname.c proto/text.c
