UNIT += zonefile
UNIT_zonefile_SRCS = unpriv/spfctl/zonefile.c unpriv/spfctl/zonefile_answer.c \
	proto/addr.c proto/arena.c proto/dname.c proto/dnsmsg.c proto/text.c proto/wire.c
