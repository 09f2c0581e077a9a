# Programs that the system tests use.
SYSTEM_OBJS = privsep/sandbox/sandbox.o privsep/sandbox/sandbox_table.o privsep/base/log.o \
	      proto/text.o

$B/system/sandbox_probe: $B/regress/system/sandbox_probe.o \
    $(SYSTEM_OBJS:%=$B/%)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

system: $B/system/sandbox_probe
.PHONY: system

$B/system/msgtable: $B/regress/system/msgtable.o $B/proto/msg.o $B/proto/wire.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

system: $B/system/msgtable

$B/system/roletable: $B/regress/system/roletable.o $B/privsep/child/role_table.o \
    $B/privsep/sandbox/sandbox_table.o $B/proto/msg.o $B/proto/wire.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

system: $B/system/roletable
suites: system bench-build
