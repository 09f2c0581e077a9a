UNIT += judge
UNIT_judge_SRCS = $(wildcard unpriv/judge/*.c) unpriv/check/logline.c \
	privsep/base/log.c privsep/base/log_note.c \
	$(wildcard unpriv/spf/*.c) $(CONF_SRCS) $(PROTO_SRCS)
