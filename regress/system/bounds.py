#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Reloads while clients hold their connections, and while no process can be
started: what is left of old generations is bounded, and the daemon ends."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('bounds')
from daemon import Daemon, check, finish, wait

DRAINING = 16       # DRAINING_MAX of privsep/parent/parent.c
RELOADS = 24


def reload(d, generation):
    d.p.p.send_signal(signal.SIGHUP)
    return wait(lambda: any('generation %d serves' % generation in r
                            for r in d.log.records))


def may_fork(d, yes):
    """As the daemon's user, for which other bounds hold than for root."""
    subprocess.run(['prlimit', '--pid', str(d.pid), '--nproc=%s:' % (
        '10000' if yes else '0')], user='pyspf-milter', group='pyspf-milter',
        extra_groups=[], check=True)


# --- each old generation has a client that stays
with Daemon(policy=False) as d:
    each = len(d.children())
    held = [d.milter()]
    good = 0
    for n in range(RELOADS):
        good += bool(reload(d, n + 2))
        held.append(d.milter())
    check('bounds/all-reloads-done', good == RELOADS, good)
    most = (DRAINING + 1) * each
    check('bounds/old-generations', wait(
        lambda: len(d.children()) <= most, 5), (len(d.children()), most))
    answers = []
    for c in held:
        try:
            answers.append(c.mail('<u@pass.test>'))
        except Exception:       # closed, in whatever way
            answers.append(None)
    check('bounds/newest-are-kept', answers[-DRAINING - 1:] ==
          [['c']] * (DRAINING + 1), answers)
    check('bounds/oldest-are-ended', answers[:RELOADS - DRAINING] ==
          [None] * (RELOADS - DRAINING), answers)
    check('bounds/that-is-said', any('generation 1 is ended' in r
                                     for r in d.log.records),
          d.log.records[-5:])

# --- no process can be started; then a reload takes the place of that one
with Daemon(policy=False) as d:
    may_fork(d, False)
    for n in (1, 2):
        d.p.p.send_signal(signal.SIGHUP)
        wait(lambda: sum('cannot start dns' in r
                         for r in d.log.records) >= n)
    check('bounds/nothing-starts', any('cannot start dns' in r for r in
                                       d.log.records), d.log.records[-5:])
    may_fork(d, True)
    check('bounds/starts-when-it-can', wait(lambda: any(
        'generation 3 serves' in r for r in d.log.records), 20),
        d.log.records[-5:])
    d.p.p.send_signal(signal.SIGTERM)
    try:
        code = d.p.p.wait(15)
    except subprocess.TimeoutExpired:
        code = 'does not end'
    check('bounds/ends-after-reloads-that-could-not', code == 0, code)

# --- it is stopped while nothing of the next generation could start
with Daemon(policy=False) as d:
    may_fork(d, False)
    d.p.p.send_signal(signal.SIGHUP)
    wait(lambda: any('cannot start dns' in r for r in d.log.records))
    d.p.p.send_signal(signal.SIGTERM)
    try:
        code = d.p.p.wait(15)
    except subprocess.TimeoutExpired:
        code = 'does not end'
    check('bounds/ends-beside-one-that-could-not', code == 0, code)
finish()
