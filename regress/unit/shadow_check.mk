UNIT += shadow_check
UNIT_shadow_check_SRCS = unpriv/spfctl/opinion.c unpriv/spfctl/ask.c \
	unpriv/spfctl/text.c $(wildcard unpriv/spfctl/zonefile*.c) unpriv/check/asker.c \
	privsep/base/chan.c privsep/base/log.c $(wildcard unpriv/spf/*.c) $(PROTO_SRCS)
