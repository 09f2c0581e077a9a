UNIT += decision
UNIT_decision_SRCS = unpriv/decision.c proto/dname.c proto/text.c
