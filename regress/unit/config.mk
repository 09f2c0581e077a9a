UNIT += config
UNIT_config_SRCS = privsep/config.c privsep/log.c $(CONF_SRCS) $(PROTO_SRCS)
