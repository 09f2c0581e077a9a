#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""One sender's slow DNS delays nobody: 64 connections whose domains answer
after 5 s, beside one whose domain is cached."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('slow')
from daemon import Daemon, below, check, equal, finish, wait
from load import Load, milter

SLOW = 64
P99_MS = 5.0


def measure(d, seconds):
    """(median, 99th percentile) in milliseconds of MAIL for a known domain
    on one connection."""
    with Load(milter(d, each=1 << 20, sender='u@pass.test'),
              pause=0.002) as load:
        time.sleep(seconds)
    if load.wrong or load.lost:
        check('slow/verdict', False, load.wrong + load.lost)
    return load.percentile(50) * 1000, load.percentile(99) * 1000


def slow(d, n):
    def turn(number, _):
        with d.milter(timeout=40, helo='h%d.slow.test' % n) as c:
            yield c.mail('<u@m%d.slow.test>' % n) or True
    return turn


with Daemon() as d:
    _, alone = measure(d, 1.5)
    with Load(*(slow(d, n) for n in range(SLOW)), rounds=1) as waiting:
        wait(lambda: sum('slow.test' in q for q in d.dns.queries) >= SLOW, 2)
        p50, p99 = measure(d, 3.5)
        equal('slow/native-they-were-waiting', len(waiting.times), 0)
        print('log: native: p50 %.2f ms, p99 %.2f ms beside %d slow ones; '
              'alone p99 %.2f ms' % (p50, p99, SLOW, alone))
        below('slow/native-p99-under-5-ms', p99, P99_MS)
        waiting.join(25)
    equal('slow/native-they-are-answered', len(waiting.times), SLOW)
finish()
