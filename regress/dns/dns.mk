# The dns process alone, driven by regress/dns/dns_test.py.
$B/regress/dns/dns_bridge: $B/regress/dns/dns_bridge.o $B/liball.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

suites: $B/regress/dns/dns_bridge
