UNIT += judge
UNIT_judge_SRCS = unpriv/judge.c unpriv/decision.c unpriv/lists.c \
	unpriv/header.c unpriv/reply.c unpriv/answers.c \
	$(wildcard unpriv/spf_*.c) $(CONF_SRCS) $(PROTO_SRCS)
