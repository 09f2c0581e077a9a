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
from daemon import Daemon, check, finish, role, status, wait
from milterclient import MilterError
from policyclient import PolicyError

SECONDS = int(os.environ.get('SOAK_SECONDS', '600'))
GROWTH_KB = 6000        # of one process, once it is warm
DNS_KB = 32000          # 1.5 times DNS_Cache = 8, and what it has at start
rnd = random.Random(11)


def rss(pid):
    return int(status(pid).get('VmRSS', '0 kB').split()[0])


def fds(pid):
    try:
        return len(os.listdir('/proc/%d/fd' % pid))
    except OSError:
        return 0


def one(d, n):
    name = 'pass.test' if n % 2 else 's%d.many.test' % n
    kind = n % 5
    if kind < 2:
        with d.milter() as c:
            for _ in range(3):
                if c.mail('<u@%s>' % name) != ['c'] or c.eom()[-1] != 'c':
                    return False
    elif kind < 4:
        with d.policy() as c:
            for i in range(3):
                if 'Pass' not in d.ask(c, 'u@' + name, '%d.%d' % (n, i)):
                    return False
    else:
        with d.policy() as c:
            c.send_raw(bytes(rnd.randrange(256) for _ in range(300)))
    return True


with Daemon(conf='Workers = 1\nDNS_Cache = 8\n') as d:
    end = time.monotonic() + SECONDS
    warm = time.monotonic() + SECONDS / 3
    n = wrong = lost = 0
    first, first_fds, last_event = {}, 0, time.monotonic()
    while time.monotonic() < end:
        n += 1
        try:
            wrong += not one(d, n)
        except (OSError, MilterError, PolicyError):
            lost += 1
        if not first and time.monotonic() > warm:
            first = {p: rss(p) for p in d.children() + [d.pid]}
            first_fds = fds(d.pid)
        if time.monotonic() - last_event > max(5, SECONDS / 20) and not first:
            last_event = time.monotonic()
            if rnd.randrange(2):
                d.p.p.send_signal(signal.SIGHUP)
            else:
                d.kill('worker')
    print('log: %d rounds, %d lost to killed workers' % (n, lost))
    for pid, was in first.items():
        if status(pid):
            print('log: %s %d kB, then %d kB' % (role(pid), was, rss(pid)))
            if role(pid) == 'dns':      # its cache fills up, to a bound
                check('soak/dns-stays-by-its-cache', rss(pid) < DNS_KB,
                      rss(pid))
            else:
                check('soak/%s-%d-does-not-grow' % (role(pid), pid),
                      rss(pid) - was < GROWTH_KB, (was, rss(pid)))
    check('soak/nothing-wrong', wrong == 0, wrong)
    check('soak/children-are-there', wait(
        lambda: len(d.children()) == 2, 15), d.children())
    check('soak/parents-descriptors', fds(d.pid) <= first_fds + 2,
          (first_fds, fds(d.pid)))
finish()
