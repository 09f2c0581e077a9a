UNIT += judge
UNIT_judge_SRCS = unpriv/judge/judge.c unpriv/judge/decision.c unpriv/judge/bypass.c \
	unpriv/judge/header.c unpriv/judge/reply.c\
	$(wildcard unpriv/spf/*.c) $(CONF_SRCS) $(PROTO_SRCS)
