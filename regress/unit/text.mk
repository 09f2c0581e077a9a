UNIT += text
UNIT_text_SRCS = proto/text.c
