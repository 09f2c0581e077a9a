UNIT += engine
UNIT_engine_SRCS = $(ENGINE_SRCS) $(MEMDNS_SRCS)
