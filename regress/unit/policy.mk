UNIT += policy
UNIT_policy_SRCS = proto/policy.c proto/python.c
