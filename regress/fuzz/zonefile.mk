FUZZ += zonefile
FUZZ_zonefile_SRCS = unpriv/zonefile.c unpriv/zonefile_answer.c \
	proto/addr.c proto/arena.c proto/dname.c proto/dnsmsg.c proto/text.c proto/wire.c
