UNIT += dname
UNIT_dname_SRCS = proto/dname.c proto/text.c
