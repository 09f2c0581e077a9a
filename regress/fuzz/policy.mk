FUZZ += policy
FUZZ_policy_SRCS = unpriv/worker/milter_session.c unpriv/milter/envelope.c \
	unpriv/milter/hosts.c unpriv/milter/forged.c proto/smtp.c unpriv/milter/confirm.c unpriv/check/flights.c unpriv/spf/answers.c unpriv/worker/policy_session.c \
	unpriv/worker/instance.c unpriv/check/logline.c proto/policy.c proto/milter.c \
	proto/wire.c proto/addr.c proto/dname.c proto/text.c proto/arena.c \
	proto/json.c proto/stats.c
