UNIT += shadow_check
UNIT_shadow_check_SRCS = unpriv/second_check.c unpriv/ctl_ask.c \
	unpriv/ctl_text.c $(wildcard unpriv/zonefile*.c) unpriv/answers.c unpriv/asker.c \
	privsep/chan.c privsep/log.c unpriv/spf_check.c unpriv/spf_eval.c \
	unpriv/spf_macro.c unpriv/spf_mech.c unpriv/spf_parse.c $(PROTO_SRCS)
