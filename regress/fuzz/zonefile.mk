FUZZ += zonefile
FUZZ_zonefile_SRCS = unpriv/zonefile.c proto/addr.c proto/arena.c \
	proto/dname.c proto/dnsmsg.c proto/text.c proto/wire.c
