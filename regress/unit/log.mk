UNIT += log
UNIT_log_SRCS = privsep/log.c proto/text.c
