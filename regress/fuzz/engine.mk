FUZZ += engine
FUZZ_engine_SRCS = $(ENGINE_SRCS) $(MEMDNS_SRCS)
