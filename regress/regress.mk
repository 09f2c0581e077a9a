# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
# The programs of the tests, part of the Makefile. All of them are linked with
# an archive of the whole product, of which the linker takes only what is still
# undefined: what a test defines itself replaces the product's module.

TEST_LIBS	= -Wl,--as-needed $(LIBS) -lmilter -lspf2 -lpthread

# --- unit tests: each regress/unit/NAME.c is a program -------------------

UNIT		= $(patsubst regress/unit/%.c,%,$(wildcard regress/unit/*.c))

units: $(UNIT:%=$B/unit/%)

$(UNIT:%=$B/unit/%): $B/unit/%: $B/regress/unit/%.o $B/liball.a
	$(call link,$(TEST_LIBS))

# --- programs that test scripts run: regress/FOLDER/NAME.c ---------------

SUITES		= bench/engine_bench bench/mload bench/noop dns/dns_bridge \
		  man/keytable suite/engine_suite system/calltable \
		  system/msgtable system/roletable system/sandbox_probe

suites: $(SUITES:%=$B/%) $B/system/pyspf-milter-abi2

$(SUITES:%=$B/%): $B/%: $B/regress/%.o $B/liball.a
	$(call link,$(TEST_LIBS))

# The daemon as on a kernel with Landlock ABI 2, see abi2.c.
$B/system/pyspf-milter-abi2: $B/privsep/parent/main.o $B/regress/system/abi2.o \
    $B/liball.a
	$(call link,$(TEST_LIBS))

# A DNS in memory for those that run the engine.
$B/unit/engine $B/unit/judge $B/unit/shadow_spf2 $B/suite/engine_suite \
    $B/bench/engine_bench: $B/regress/suite/memdns.o

# --- fuzz targets: each regress/fuzz/NAME.c is one -----------------------
# Kept inputs are in regress/fuzz/corpus/NAME. A find is left in
# $B/fuzz/find/NAME-crash-*: make it a unit case, mend it, and keep a small
# input of the kind in the corpus.

FUZZ		= $(patsubst regress/fuzz/%.c,%,$(wildcard regress/fuzz/*.c))
FUZZ_SECONDS	?= 60
FUZZ_ONLY	?= $(FUZZ)
FUZZ_CC		?= clang
FUZZ_SAN	= -fsanitize=fuzzer,address,undefined \
		  -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ_CFLAGS	= -std=gnu11 -D_GNU_SOURCE -O1 -g $(WARN) $(FUZZ_SAN) \
		  $(PKG_CFLAGS) -iquote . $(CFLAGS)
FUZZ_SRCS	= $(filter-out privsep/% unpriv/libmilter/% unpriv/shadow/%, \
		  $(LIB_SRCS))

$B/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$< (fuzz))
	$Q$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$B/fuzz/liball.a: $(FUZZ_SRCS:%.c=$B/fuzz/obj/%.o)
	$(archive)

$(FUZZ:%=$B/fuzz/%): $B/fuzz/%: $B/fuzz/obj/regress/fuzz/%.o $B/fuzz/liball.a
	$(call say,LD,$@)
	$Q$(FUZZ_CC) $(FUZZ_SAN) -Wl,--as-needed -o $@ $(filter %.o,$^) \
	    $(filter %.a,$^) $(LIBS)

$B/fuzz/engine: $B/fuzz/obj/regress/suite/memdns.o

fuzz-build: $(FUZZ_ONLY:%=$B/fuzz/%)

## make fuzz		looks for more with libFuzzer; FUZZ_SECONDS=60 for each
##			target, FUZZ_ONLY="NAME ..."
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

## make fuzz-replay	runs the kept inputs, as make check does
fuzz-replay: fuzz-build
	regress/lib/replay.sh $B $(FUZZ_ONLY)

.PHONY: units suites fuzz fuzz-build fuzz-replay
