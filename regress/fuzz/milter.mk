FUZZ += milter
FUZZ_milter_SRCS = unpriv/milter_session.c unpriv/milter_core.c \
	unpriv/internal.c unpriv/confirm.c unpriv/policy_session.c \
	unpriv/instance.c unpriv/logline.c proto/policy.c proto/milter.c \
	proto/wire.c proto/addr.c proto/dname.c proto/text.c proto/arena.c \
	proto/json.c proto/stats.c
