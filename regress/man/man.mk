# The key table for the test of the manual pages.
MAN_TABLE_SRCS = $(CONF_SRCS) $(PROTO_SRCS)

$B/man/keytable: $B/regress/man/keytable.o $(MAN_TABLE_SRCS:%.c=$B/%.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -Wl,--as-needed $(LIBS)

suites: $B/man/keytable
