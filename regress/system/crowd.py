#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""A crowd of one sender's connections, whose records ask for as many names
as SPF allows and whose name server never answers: others are judged all the
same. A temperror in place of a fail would let forged mail in."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('crowd')
from daemon import Daemon, check, finish

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
    seen = {}
    with d.policy() as c:
        for i in range(100):
            r = d.ask(c, 'u@%s%d.forged.test' % (what, i))
            seen[r[:9]] = seen.get(r[:9], 0) + 1
            time.sleep(0.01)
    check('crowd/%s-others-are-judged' % what, list(seen) == ['550 5.7.2'],
          seen)


def attack(d, i, out):
    c = d.milter(timeout=60, helo='h.none.test')
    out.append(c.mail('<a%d@x.flood.test>' % i))
    c.close()


with Daemon(conf='Mail_From_reject = Fail\n', zone=ZONE) as d:
    answered = []
    threads = [threading.Thread(target=attack, args=(d, i, answered),
                                daemon=True) for i in range(CROWD)]
    for t in threads:
        t.start()
    time.sleep(2)
    check('crowd/they-wait', not answered, len(answered))
    others(d, 'waiting')
    for t in threads:
        t.join(40)
    check('crowd/they-are-answered', len(answered) == CROWD, len(answered))

    # Those who leave at once leave their questions behind.
    for i in range(CROWD):
        c = d.milter(helo='h.none.test')
        c.packet("M", b'<b%d@x.flood.test>\0' % i)
        time.sleep(0.01)
        c.close()
    others(d, 'gone')
finish()
