UNIT += shadow_check
UNIT_shadow_check_SRCS = unpriv/spfctl/opinion.c unpriv/spfctl/ask.c \
	unpriv/spfctl/text.c $(wildcard unpriv/spfctl/zonefile*.c) unpriv/spf/answers.c unpriv/check/asker.c unpriv/check/flights.c \
	privsep/base/chan.c privsep/base/log.c unpriv/spf/spf_check.c unpriv/spf/eval.c \
	unpriv/spf/macro.c unpriv/spf/mech.c unpriv/spf/parse.c $(PROTO_SRCS)
