UNIT += shadow_spf2
UNIT_shadow_spf2_SRCS = unpriv/shadow/shadow_spf2.c unpriv/spf/answers.c \
	privsep/base/log.c $(PROTO_SRCS)
$B/unit/shadow_spf2: LIBS += -lspf2
