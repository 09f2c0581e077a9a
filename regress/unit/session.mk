UNIT += session
UNIT_session_SRCS = unpriv/conn.c unpriv/milter_session.c \
	unpriv/milter_core.c unpriv/policy_session.c unpriv/instance.c \
	unpriv/logline.c unpriv/internal.c unpriv/confirm.c proto/milter.c \
	proto/policy.c proto/wire.c proto/addr.c proto/dname.c proto/text.c \
	proto/arena.c proto/json.c proto/stats.c
