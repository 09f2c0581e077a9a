UNIT += shadow_spf2
UNIT_shadow_spf2_SRCS = unpriv/shadow_spf2.c unpriv/answers.c \
	privsep/log.c $(PROTO_SRCS)
$B/unit/shadow_spf2: LIBS += -lspf2
