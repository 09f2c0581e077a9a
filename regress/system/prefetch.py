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
from daemon import Daemon, below, check, finish, holds, wait

RTT = 0.05
ZONE = []
for n in range(20):
    ZONE.append('w%d.test TXT "v=spf1 %s -all"' % (n, ' '.join(
        'include:i%d.w%d.test' % (i, n) for i in range(8))))
    for i in range(8):
        ip = '192.0.2.1' if i == 7 else '198.51.100.%d' % i
        ZONE.append('i%d.w%d.test TXT "v=spf1 ip4:%s -all"' % (i, n, ip))
for i in range(7):
    ZONE.append('d%d.test TXT "v=spf1 include:d%d.test -all"' % (i, i + 1))
ZONE.append('d7.test TXT "v=spf1 ip4:192.0.2.1 -all"')


def trips(d, sender, helo='mail.none.test'):
    """Round trips that a policy request takes; it must pass."""
    with d.policy() as c:
        start = time.monotonic()
        r = d.ask(c, sender, helo_name=helo)
        took = time.monotonic() - start
    if 'Pass' not in r:
        check('prefetch/verdict', False, r)
    return took / RTT


with Daemon(zone=ZONE, latency=RTT) as d:
    wide = sorted(trips(d, 'u@w%d.test' % n, 'h%d.none.test' % n)
                  for n in range(10))
    print('log: 8 includes: %.2f to %.2f round trips' % (wide[0], wide[-1]))
    below('prefetch/8-includes-within-4-round-trips', wide[5], 4)
    deep = trips(d, 'u@d0.test')
    print('log: a chain of 8: %.2f round trips' % deep)
    below('prefetch/a-chain-costs-its-depth', deep, 12)
    below('prefetch/cached-costs-none', trips(d, 'u@w0.test', 'h0.none.test'),
          0.5)

    # HELO's name is asked for before MAIL comes
    with d.milter(helo='early.none.test') as c:
        wait(lambda: 'early.none.test TXT' in d.dns.queries, 2)
        holds('prefetch/helo-asked-at-helo', d.dns.queries,
              'early.none.test TXT')
        start = time.monotonic()
        c.mail('<u@w15.test>')
        below('prefetch/mail-after-helo-within-4',
              (time.monotonic() - start) / RTT, 4)
finish()
