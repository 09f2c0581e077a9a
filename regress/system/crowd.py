#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Many connections of one sender, whose records ask for as many names as SPF
allows and whose name server never answers: mail of others is judged anyway.
A temperror in place of a fail would let forged mail in."""

import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('crowd')
from daemon import Daemon, equal, finish, wait
from load import Load

CROWD = 60
ZONE = ['*.flood.test TXT "v=spf1 %s -all"' % ' '.join(
            'mx:m%d.%%{l}.names.test' % i for i in range(10)),
        '*.forged.test TXT "v=spf1 -all"',
        '*.dead.test TIMEOUT']
# Names of its own for each: libunbound remembers what gave no answer.
ZONE += ['m%d.%s%d.names.test MX %d n%d-%d.%s%d.dead.test' % (
             i, who, n, k, i, k, who, n)
         for who in 'ab' for n in range(CROWD) for i in range(10)
         for k in range(10)]


def others(d, what):
    """Fresh names of another sender, on a connection of their own."""
    seen = collections.Counter()
    with d.policy() as c:
        for i in range(100):
            seen[d.ask(c, 'u@%s%d.forged.test' % (what, i))[:9]] += 1
            time.sleep(0.01)
    equal('crowd/%s-others-are-judged' % what, dict(seen),
          {'550 5.7.2': 100})


def attack(d):
    def turn(number, _):
        with d.milter(timeout=60, helo='h.none.test') as c:
            yield c.mail('<a%d@x.flood.test>' % number) != [] or 'nothing'
    return turn


with Daemon(conf='Mail_From_reject = Fail\n', zone=ZONE) as d:
    with Load(*[attack(d)] * CROWD, rounds=1) as load:
        wait(lambda: sum('dead.test' in q for q in list(d.dns.queries)) >
             10 * CROWD, 2)
        equal('crowd/they-wait', load.done, 0)
        others(d, 'waiting')
        load.join(40)
    equal('crowd/they-are-answered', load.done, CROWD)

    # Those who leave at once leave their questions behind.
    for i in range(CROWD):
        with d.milter(helo='h.none.test') as c:
            c.packet("M", b'<b%d@x.flood.test>\0' % i)
            time.sleep(0.01)
    others(d, 'gone')
finish()
