UNIT += log
UNIT_log_SRCS = privsep/base/log.c proto/text.c
