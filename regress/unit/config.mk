UNIT += config
UNIT_config_SRCS = privsep/start/config.c privsep/base/log.c $(CONF_SRCS) $(PROTO_SRCS)
