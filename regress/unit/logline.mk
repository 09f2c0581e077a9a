UNIT += logline
UNIT_logline_SRCS = unpriv/check/logline.c proto/json.c proto/text.c \
	privsep/base/log.c privsep/base/log_note.c
