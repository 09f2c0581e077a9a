#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A long run: messages on both protocols, fresh and known names, bad peers,
a reload and a killed child now and then. Memory and descriptors must not
grow. SOAK_SECONDS (600) says how long; make soak."""

import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('soak')
from daemon import Daemon, becomes, below, empty, finish, role, rss, \
    status, wait
from load import Load, milter, policy

SECONDS = int(os.environ.get('SOAK_SECONDS', '600'))
GROWTH_KB = 6000        # of one process, once it is warm
DNS_KB = 32000          # 1.5 times DNS_Cache = 8, and what it has at start
rnd = random.Random(11)


def noise(d):
    def turn(number, n):
        with d.policy() as c:
            c.send_raw(bytes(rnd.randrange(256) for _ in range(300)))
            yield True
    return turn


def mixed(d):
    """Each turn is one of these."""
    turns = [milter(d, 3, whole=True),
             milter(d, 3, 'u@pass.test', whole=True),
             policy(d, 3), policy(d, 3, 'u@pass.test'), noise(d)]
    return lambda number, n: turns[n % len(turns)](number, n)


def fds(pid):
    try:
        return len(os.listdir('/proc/%d/fd' % pid))
    except OSError:
        return 0


def disturb(d, until):
    """A reload or a killed worker now and then."""
    while time.monotonic() < until:
        if rnd.randrange(2):
            d.send(signal.SIGHUP)
        else:
            d.kill('worker')
        time.sleep(max(5, SECONDS / 20))


with Daemon(conf='Workers = 1\nDNS_Cache = 8\n') as d:
    start = time.monotonic()
    with Load(mixed(d)) as load:
        disturb(d, start + SECONDS / 3)
        wait(lambda: len(d.children()) == 2, 15)
        first = {p: rss(p) for p in d.children() + [d.pid]}
        first_fds = fds(d.pid)
        time.sleep(max(0, start + SECONDS - time.monotonic()))
    print('log: %d messages, %d connections lost to killed workers'
          % (load.done, len(load.lost) + load.refused))
    for pid, was in first.items():
        if status(pid):
            print('log: %s %d kB, then %d kB' % (role(pid), was, rss(pid)))
            if role(pid) == 'dns':      # its cache fills up, to a bound
                below('soak/dns-stays-by-its-cache', rss(pid), DNS_KB)
            else:
                below('soak/%s-%d-does-not-grow' % (role(pid), pid),
                      rss(pid) - was, GROWTH_KB)
    empty('soak/nothing-wrong', load.wrong)
    becomes('soak/children-are-there', lambda: len(d.children()), 2, 15)
    below('soak/parents-descriptors', fds(d.pid), first_fds + 3)
finish()
