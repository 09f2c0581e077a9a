UNIT += instance
UNIT_instance_SRCS = unpriv/instance.c
