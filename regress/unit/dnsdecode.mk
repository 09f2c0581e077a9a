UNIT += dnsdecode
UNIT_dnsdecode_SRCS = dns/decode.c
