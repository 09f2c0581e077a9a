FUZZ += dnsmsg
FUZZ_dnsmsg_SRCS = proto/dnsmsg.c proto/wire.c proto/dname.c proto/text.c
