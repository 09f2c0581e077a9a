#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""kill -9 of worker and dns while requests run: the next one is answered,
and nothing waits longer than its deadline."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('crash')
from client import ClientError
from daemon import (Daemon, above, becomes, begins, below, check, empty, equal,
                    finish, holds, status, wait)
from load import Load, milter, policy

SECONDS = 4
DEADLINE = 20 + 2       # Lookup_Time, and what a loaded machine adds


def under_load(d, what, times):
    """Kills so often while messages are sent; the connections lost."""
    turns = [milter(d, sender='u@d%s.many.test'),
             policy(d, sender='u@d%s.many.test')]
    killed = 0
    with Load(*turns * 2) as load:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(SECONDS / times)
            killed += len(d.kill(what))
    above('crash/%s-killed' % what, killed, 1)
    above('crash/%s-requests-go-on' % what, load.done, 50)
    empty('crash/%s-no-wrong-verdict' % what, load.wrong)
    below('crash/%s-nothing-waits' % what, max(load.times), DEADLINE)
    print('log: %s: %d answered, %d connections lost, %d killed, longest '
          '%.3f s' % (what, load.done, len(load.lost) + load.refused, killed,
                      max(load.times)))
    return load.lost + ['refused'] * load.refused


def after(d, name):
    """The next request is answered."""
    start = time.monotonic()
    with d.policy() as c:
        holds('crash/%s-next-policy-request' % name,
              d.ask(c, 'u@after-%s.many.test' % name), 'Pass')
    with d.milter() as c:
        begins('crash/%s-next-milter-request' % name,
               c.mail('<u@fail.test>')[0], 'y 550 5.7.23')
    below('crash/%s-next-in-time' % name, time.monotonic() - start, 5)


with Daemon() as d:
    empty('crash/dns-loses-no-connection', under_load(d, 'dns', 4))
    after(d, 'dns')

with Daemon() as d:
    under_load(d, 'worker', 4)
    after(d, 'worker')

# A question that is on its way when dns dies is asked again.
with Daemon(zone=['*.once.test DELAY 1',
                  '*.once.test TXT "v=spf1 ip4:192.0.2.1 -all"']) as d:
    with d.policy() as c:
        c.send({'client_address': '192.0.2.1', 'helo_name': 'none.test',
                'sender': 'u@x.once.test', 'recipient': 'r@dest.test'})
        wait(lambda: 'x.once.test TXT' in d.dns.queries)
        d.kill('dns')
        holds('crash/dns-question-asked-again', c.reply(), 'Pass')

# One worker is stopped, not dead: the others serve.
with Daemon() as d:
    stuck = d.children('worker')[0]
    os.kill(stuck, signal.SIGSTOP)
    good = 0
    for i in range(40):
        try:
            with d.policy(timeout=1) as c:
                good += 'Pass' in d.ask(c, 'u@s%d.many.test' % i)
        except (OSError, ClientError):
            pass
    os.kill(stuck, signal.SIGCONT)
    above('crash/stopped-worker-others-serve', good, 9)

# What the log says of an end.
with Daemon() as d:
    pid = d.kill('worker')[0]
    check('crash/end-is-logged', d.log.wait(
        r'worker\[%d\] ended by signal 9' % pid), d.log.records)
    becomes('crash/back-to-three', lambda: len(d.children('worker')), 2)

# A child that dies again and again is started ten times, then five times a
# second.
with Daemon(conf='Workers = 1\n') as d:
    end = time.monotonic() + 4
    seen = set()
    while time.monotonic() < end:
        seen.update(d.kill('worker'))
        time.sleep(0.01)
    check('crash/back-off', 10 <= len(seen) <= 31, len(seen))
    check('crash/back-after-back-off', wait(
        lambda: any(status(p).get('Seccomp') == '2'
                    for p in d.children('worker')), 10))
    equal('crash/parent-lives', d.p.p.poll(), None)
finish()
