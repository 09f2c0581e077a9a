FUZZ += dnsdecode
FUZZ_dnsdecode_SRCS = dns/decode.c proto/dnsmsg.c proto/wire.c \
	proto/dname.c proto/text.c
