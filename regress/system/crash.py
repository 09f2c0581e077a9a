#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""kill -9 of worker and dns while requests run: the next one is answered,
and nothing waits longer than its deadline."""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('crash')
from daemon import Daemon, check, finish, status, wait
from milterclient import MilterError
from policyclient import PolicyError

SECONDS = 4
DEADLINE = 20 + 2       # Lookup_Time, and what a loaded machine adds


class Load(threading.Thread):
    """One connection after another, as a mail server that tries again."""

    def __init__(self, d, kind, number):
        super().__init__(daemon=True)
        self.d, self.kind, self.number = d, kind, number
        self.done = self.lost = self.wrong = 0
        self.longest = 0.0
        self.stop = False

    def one(self, i):
        sender = 'u@d%d-%d.many.test' % (self.number, i)
        if self.kind == 'milter':
            with self.d.milter() as c:
                return c.mail('<%s>' % sender) == ['c']
        with self.d.policy() as c:
            return self.d.ask(c, sender).startswith('prepend Received-SPF: '
                                                    'Pass')

    def run(self):
        i = 0
        while not self.stop:
            i += 1
            start = time.monotonic()
            try:
                if self.one(i):
                    self.done += 1
                else:
                    self.wrong += 1
            except (OSError, MilterError, PolicyError):
                self.lost += 1
                time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - start)


def under_load(d, name, what, times):
    loads = [Load(d, k, n) for n, k in
             enumerate(('milter', 'policy', 'milter', 'policy'))]
    for t in loads:
        t.start()
    end = time.monotonic() + SECONDS
    killed = 0
    while time.monotonic() < end:
        time.sleep(SECONDS / times)
        killed += len(d.kill(what))
    for t in loads:
        t.stop = True
    for t in loads:
        t.join(40)
    done = sum(t.done for t in loads)
    lost = sum(t.lost for t in loads)
    check('crash/%s-killed' % name, killed >= 2, killed)
    check('crash/%s-requests-go-on' % name, done > 50, done)
    check('crash/%s-no-wrong-verdict' % name,
          sum(t.wrong for t in loads) == 0)
    check('crash/%s-nothing-waits' % name,
          max(t.longest for t in loads) < DEADLINE,
          max(t.longest for t in loads))
    print('log: %s: %d answered, %d connections lost, %d killed, longest '
          '%.3f s' % (name, done, lost, killed,
                      max(t.longest for t in loads)))
    return lost


def after(d, name):
    """The next request is answered."""
    start = time.monotonic()
    with d.policy() as c:
        r = d.ask(c, 'u@after-%s.many.test' % name)
    check('crash/%s-next-policy-request' % name, 'Pass' in r, r)
    with d.milter() as c:
        r = c.mail('<u@fail.test>')
    check('crash/%s-next-milter-request' % name,
          r[0].startswith('y 550 5.7.23'), r)
    check('crash/%s-next-in-time' % name, time.monotonic() - start < 5,
          time.monotonic() - start)


with Daemon() as d:
    lost = under_load(d, 'dns', 'dns', 4)
    check('crash/dns-loses-no-connection', lost == 0, lost)
    after(d, 'dns')

with Daemon() as d:
    under_load(d, 'worker', 'worker', 4)
    after(d, 'worker')

# A question that is on its way when dns dies is asked again.
with Daemon(zone=['*.once.test DELAY 1',
                  '*.once.test TXT "v=spf1 ip4:192.0.2.1 -all"']) as d:
    with d.policy() as c:
        c.send({'client_address': '192.0.2.1', 'helo_name': 'none.test',
                'sender': 'u@x.once.test', 'recipient': 'r@dest.test'})
        time.sleep(0.3)
        d.kill('dns')
        r = c.reply()
        check('crash/dns-question-asked-again', 'Pass' in r, r)

# One worker is stopped, not dead: the others serve.
with Daemon() as d:
    stuck = d.children('worker')[0]
    os.kill(stuck, signal.SIGSTOP)
    good = 0
    for i in range(40):
        try:
            with d.policy(timeout=1) as c:
                good += 'Pass' in d.ask(c, 'u@s%d.many.test' % i)
        except (OSError, PolicyError):
            pass
    os.kill(stuck, signal.SIGCONT)
    check('crash/stopped-worker-others-serve', good >= 10, good)

# What the log says of an end.
with Daemon() as d:
    pid = d.kill('worker')[0]
    check('crash/end-is-logged', wait(lambda: any(
        'worker[%d] ended by signal 9' % pid in r for r in d.log.records)),
        d.log.records)
    check('crash/back-to-three', wait(
        lambda: len(d.children('worker')) == 2))

# A child that dies again and again is not started in a hurry.
with Daemon(conf='Workers = 1\n') as d:
    end = time.monotonic() + 4
    seen = set()
    while time.monotonic() < end:
        for pid in d.children('worker'):
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    check('crash/back-off', 3 <= len(seen) <= 9, len(seen))
    check('crash/back-after-back-off', wait(
        lambda: any(status(p).get('Seccomp') == '2'
                    for p in d.children('worker')), 10))
    check('crash/parent-lives', d.p.p.poll() is None)
finish()
