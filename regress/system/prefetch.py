#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""With a resolver at 50 ms a record with 8 includes is judged within 4 round
trips, from nothing; and a HELO name is asked for at HELO."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('prefetch')
from daemon import Daemon, check, finish

RTT = 0.05
ZONE = []
for n in range(20):
    ZONE.append('w%d.test TXT "v=spf1 %s -all"' % (n, ' '.join(
        'include:i%d.w%d.test' % (i, n) for i in range(8))))
    for i in range(8):
        ip = '192.0.2.1' if i == 7 else '198.51.100.%d' % i
        ZONE.append('i%d.w%d.test TXT "v=spf1 ip4:%s -all"' % (i, n, ip))
    ZONE.append('d%d.test TXT "v=spf1 include:i%d-0.test -all"' % (n, n))
    for i in range(7):
        ZONE.append('i%d-%d.test TXT "v=spf1 include:i%d-%d.test -all"' %
                    (n, i, n, i + 1))
    ZONE.append('i%d-7.test TXT "v=spf1 ip4:192.0.2.1 -all"' % n)

with Daemon(zone=ZONE, latency=RTT) as d:
    def trips(sender, helo='mail.none.test'):
        with d.policy() as c:
            start = time.monotonic()
            r = d.ask(c, sender, helo_name=helo)
            took = time.monotonic() - start
        return took / RTT, r

    wide = []
    for n in range(10):
        t, r = trips('u@w%d.test' % n, 'h%d.none.test' % n)
        if 'Pass' not in r:
            check('prefetch/verdict', False, r)
        wide.append(t)
    wide.sort()
    print('log: 8 includes: %.2f to %.2f round trips' % (wide[0], wide[-1]))
    check('prefetch/8-includes-within-4-round-trips', wide[5] < 4, wide)
    deep, r = trips('u@d0.test')
    print('log: a chain of 8: %.2f round trips' % deep)
    check('prefetch/a-chain-costs-its-depth', 'Pass' in r and deep < 12,
          (deep, r))
    t, r = trips('u@w0.test', 'h0.none.test')
    check('prefetch/cached-costs-none', t < 0.5, t)

    # HELO's name is asked for before MAIL comes
    with d.milter(helo='early.none.test') as c:
        time.sleep(0.1)
        check('prefetch/helo-asked-at-helo',
              'early.none.test TXT' in d.dns.queries, d.dns.queries[-3:])
        start = time.monotonic()
        c.mail('<u@w15.test>')
        t = (time.monotonic() - start) / RTT
        check('prefetch/mail-after-helo-within-4', t < 4, t)
finish()
