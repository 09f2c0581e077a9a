# Load and yardstick for the benches.
$B/bench/mload: $B/regress/bench/mload.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$B/bench/noop: $B/regress/bench/noop.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lmilter -lpthread

bench-build: $B/bench/mload $B/bench/noop
.PHONY: bench-build
