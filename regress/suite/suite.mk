# The public suites in the engine, and what other tests of it share.
ENGINE_SRCS = $(wildcard unpriv/spf/*.c) proto/addr.c \
	proto/arena.c proto/dname.c proto/text.c
MEMDNS_SRCS = regress/suite/memdns.c

$B/suite/engine_suite: $B/regress/suite/engine_suite.o \
    $(MEMDNS_SRCS:%.c=$B/%.o) $(ENGINE_SRCS:%.c=$B/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -Wl,--as-needed $(LIBS)

# Here since the lists above must be read first.
$B/bench/engine_bench: $B/regress/bench/engine_bench.o \
    $(MEMDNS_SRCS:%.c=$B/%.o) $(ENGINE_SRCS:%.c=$B/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -Wl,--as-needed $(LIBS)

suites: $B/suite/engine_suite
