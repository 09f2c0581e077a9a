# Fuzz targets: regress/fuzz/NAME.c and a fragment regress/fuzz/NAME.mk with
#	FUZZ += NAME
#	FUZZ_NAME_SRCS = the sources it needs beside regress/fuzz/NAME.c
# Kept inputs are in regress/fuzz/corpus/NAME.
#
#	make fuzz [FUZZ_SECONDS=60] [FUZZ_ONLY="NAME ..."]	looks for more
#	make fuzz-replay	runs the kept inputs, as make check does
# A find is left in $B/fuzz/find/NAME-crash-*: make it a unit case, mend it,
# and keep a small input of the kind in the corpus.

FUZZ_SECONDS	?= 60
FUZZ_CC		?= clang
FUZZ_ONLY	?= $(FUZZ)
FUZZ_SAN	= -fsanitize=fuzzer,address,undefined \
		  -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ_CFLAGS	= -std=gnu11 -D_GNU_SOURCE -O1 -g $(WARN) $(FUZZ_SAN) \
		  $(PKG_CFLAGS) -DLIBBSD_OVERLAY -isystem /usr/include/bsd \
		  -iquote . -DFUZZING $(CFLAGS)

$B/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

.SECONDEXPANSION:
# No pattern function here: a % in the list would become the stem.
$B/fuzz/%: $$(addprefix $B/fuzz/obj/,$$(sort $$(subst .c,.o,\
    regress/fuzz/$$*.c $$(FUZZ_$$*_SRCS))))
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_SAN) -Wl,--as-needed -o $@ $^ $(LIBS)

fuzz-build: $$(addprefix $B/fuzz/,$$(FUZZ_ONLY))

# New inputs go to $B/fuzz/new/NAME, the kept ones stay as they are.
fuzz: fuzz-build
	@mkdir -p $B/fuzz/find
	@for n in $(FUZZ_ONLY); do \
		mkdir -p $B/fuzz/new/$$n; kept=regress/fuzz/corpus/$$n; \
		test -d $$kept || kept=; \
		$B/fuzz/$$n -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
		    -rss_limit_mb=2048 -print_final_stats=1 \
		    -artifact_prefix=$B/fuzz/find/$$n- \
		    $B/fuzz/new/$$n $$kept >$B/fuzz/$$n.log 2>&1; status=$$?; \
		runs=$$(sed -n 's/^stat::number_of_executed_units: *//p' \
		    $B/fuzz/$$n.log); \
		if [ $$status -eq 0 ]; then \
			echo "ok fuzz/$$n ($$runs runs)"; \
		else \
			echo "not ok fuzz/$$n - see $B/fuzz/$$n.log"; bad=1; \
		fi; \
	done; test -z "$$bad"

fuzz-replay: fuzz-build
	regress/lib/replay.sh $B $(FUZZ_ONLY)

.PHONY: fuzz fuzz-build fuzz-replay
