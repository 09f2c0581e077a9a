UNIT += instance
UNIT_instance_SRCS = unpriv/worker/instance.c
