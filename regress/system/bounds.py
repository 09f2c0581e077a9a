#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Reloads while clients hold their connections, and while no process can be
started: what is left of old generations is bounded, and the daemon ends."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('bounds')
from client import ClientError
from daemon import Daemon, check, equal, finish, wait

DRAINING = 16       # DRAINING_MAX of privsep/parent/parent.c
RELOADS = 24


def may_fork(d, yes):
    """As the daemon's user, for which other bounds hold than for root."""
    subprocess.run(['prlimit', '--pid', str(d.pid), '--nproc=%s:' % (
        '10000' if yes else '0')], user='pyspf-milter', group='pyspf-milter',
        extra_groups=[], check=True)


def answer(c):
    try:
        return c.mail('<u@pass.test>')
    except (OSError, ClientError):
        return None


def ends(d, name):
    d.send(signal.SIGTERM)
    try:
        code = d.p.p.wait(15)
    except subprocess.TimeoutExpired:
        code = 'does not end'
    equal(name, code, 0)


# --- each old generation has a client that stays
with Daemon(policy=False) as d:
    each = len(d.children())
    held = [d.milter()]
    good = 0
    for n in range(RELOADS):
        good += d.reload() is not None
        time.sleep(0.05)    # the old one stops to accept; nothing tells when
        held.append(d.milter())
    equal('bounds/all-reloads-done', good, RELOADS)
    most = (DRAINING + 1) * each
    check('bounds/old-generations', wait(
        lambda: len(d.children()) <= most, 5), (len(d.children()), most))
    answers = [answer(c) for c in held]
    equal('bounds/newest-are-kept', answers[-DRAINING - 1:],
          [['c']] * (DRAINING + 1))
    equal('bounds/oldest-are-ended', answers[:RELOADS - DRAINING],
          [None] * (RELOADS - DRAINING))
    check('bounds/that-is-said', d.said('generation 1 is ended'),
          d.log.records[-5:])

# --- no process can be started; then a reload takes the place of that one
with Daemon(policy=False) as d:
    may_fork(d, False)
    for n in (1, 2):
        d.send(signal.SIGHUP)
        wait(lambda: sum('cannot start dns' in r
                         for r in d.log.records) >= n)
    check('bounds/nothing-starts', d.said('cannot start dns'),
          d.log.records[-5:])
    may_fork(d, True)
    check('bounds/starts-when-it-can', d.log.wait(
        'generation 3 serves', 20), d.log.records[-5:])
    ends(d, 'bounds/ends-after-reloads-that-could-not')

# --- it is stopped while nothing of the next generation could start
with Daemon(policy=False) as d:
    may_fork(d, False)
    d.send(signal.SIGHUP)
    d.log.wait('cannot start dns', 10)
    ends(d, 'bounds/ends-beside-one-that-could-not')
finish()
