#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""One sender's slow DNS delays nobody: 64 connections whose domains answer
after 5 s, beside one whose domain is cached."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('slow')
from daemon import Daemon, check, finish

SLOW = 64
P99_MS = 5.0


def measure(d, seconds, stop=None):
    """Milliseconds of MAIL commands on one connection."""
    took = []
    end = time.monotonic() + seconds
    with d.milter() as c:
        while time.monotonic() < end:
            start = time.monotonic()
            r = c.mail('<u@pass.test>')
            took.append((time.monotonic() - start) * 1000)
            if r != ['c']:
                check('slow/verdict', False, r)
                finish()
            c.abort()
            time.sleep(0.002)
    took.sort()
    return took


def pct(took, p):
    return took[min(len(took) - 1, int(len(took) * p / 100))]


def one(name, d):
    alone = measure(d, 1.5)
    slow = []
    for i in range(SLOW):
        c = d.milter(timeout=40, helo='h%d.slow.test' % i)
        t = threading.Thread(target=lambda c=c, i=i: slow.append(
            (c.mail('<u@m%d.slow.test>' % i), c.close())), daemon=True)
        t.start()
    time.sleep(0.3)
    start = time.monotonic()
    took = measure(d, 3.5)
    still = SLOW - len(slow)
    check('slow/%s-they-were-waiting' % name, still == SLOW, still)
    print('log: %s: p50 %.2f ms, p99 %.2f ms beside %d slow ones; alone p99 '
          '%.2f ms (%d and %d commands)' % (
              name, pct(took, 50), pct(took, 99), SLOW, pct(alone, 99),
              len(took), len(alone)))
    check('slow/%s-p99-under-5-ms' % name, pct(took, 99) < P99_MS,
          '%.2f ms; alone %.2f ms' % (pct(took, 99), pct(alone, 99)))
    end = start + 25
    while len(slow) < SLOW and time.monotonic() < end:
        time.sleep(0.1)
    check('slow/%s-they-are-answered' % name, len(slow) == SLOW, len(slow))


with Daemon() as d:
    one('native', d)
finish()
