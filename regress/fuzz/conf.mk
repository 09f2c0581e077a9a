FUZZ += conf
FUZZ_conf_SRCS = $(CONF_SRCS) proto/addr.c proto/python.c proto/text.c
