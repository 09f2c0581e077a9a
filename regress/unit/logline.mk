UNIT += logline
UNIT_logline_SRCS = unpriv/logline.c proto/json.c proto/text.c \
	privsep/log.c privsep/log_note.c
