FUZZ += conf
FUZZ_conf_SRCS = $(CONF_SRCS) proto/addr.c proto/text.c
