UNIT += decision
UNIT_decision_SRCS = unpriv/judge/decision.c proto/dname.c proto/text.c
