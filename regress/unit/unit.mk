# Unit tests: one program a module. A fragment regress/unit/NAME.mk adds
#	UNIT += NAME
#	UNIT_NAME_SRCS = the sources it needs beside regress/unit/NAME.c

# Runs all of them; each prints "ok NAME", "not ok NAME - why" a line.
.SECONDEXPANSION:
$B/unit/%: $B/regress/unit/%.o $$(addprefix $B/,$$(subst .c,.o,$$(UNIT_$$*_SRCS)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
