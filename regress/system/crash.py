#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""kill -9 of worker and dns while requests run: the next one is answered,
and nothing waits longer than its deadline."""

import ctypes
import os
import signal
import socket
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('crash')
from client import ClientError
from daemon import (Daemon, above, becomes, begins, below, check, empty, equal,
                    finish, holds, skip, status, wait)
from load import Load, milter, policy

SECONDS = 4
PIDFD_GETFD = 438
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


def channels(pid):
    """Copies of the sockets between a dns process and its clients: all
    channels but that to the parent, which is descriptor 3."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    for fd in map(int, os.listdir('/proc/%d/fd' % pid)):
        got = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
        if got == -1:
            raise OSError(ctypes.get_errno(), 'pidfd_getfd')
        if fd == 3 or not stat.S_ISSOCK(os.fstat(got).st_mode):
            os.close(got)
            continue
        s = socket.socket(fileno=got)
        if s.type == socket.SOCK_SEQPACKET:
            yield s
        else:
            s.close()
    os.close(pidfd)


def rules_broken_by_dns(d):
    """Each worker that gets a message that dns may not send ends, and the
    next one has a channel of its own. dns is not ended for it: a worker
    could say anything of it."""
    dns, workers = d.children('dns'), d.children('worker')
    try:
        found = list(channels(dns[0]))
    except OSError as e:
        return skip('crash/dns-breaks-rules', e)
    equal('crash/dns-breaks-rules-channels', len(found), len(workers))
    for s in found:
        s.send(b'\0' * 4)
        s.close()
    becomes('crash/dns-breaks-rules-new-workers', lambda: len(
        [w for w in d.children('worker') if w not in workers]), len(workers))
    equal('crash/dns-breaks-rules-same-dns', d.children('dns'), dns)
    check('crash/dns-breaks-rules-is-logged', d.log.wait(
        'message from dns: short header') is not None, d.log.records)
    after(d, 'dns-breaks-rules')
    return None


with Daemon() as d:
    empty('crash/dns-loses-no-connection', under_load(d, 'dns', 4))
    after(d, 'dns')

with Daemon() as d:
    rules_broken_by_dns(d)

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

# A front end that starts while dns is away waits for it.
for frontend, kind in (('native', 'worker'), ('libmilter', 'libmilter')):
    tag = 'crash/%s-without-dns-' % kind
    with Daemon(conf='Workers = 1\nMilter_Frontend = %s\n' % frontend) as d:
        with d.milter() as c:
            equal(tag + 'starts', c.mail('<u@pass.test>'), ['c'])
        old, end = d.children(kind), time.monotonic() + 3
        while time.monotonic() < end:
            d.kill('dns')
            if time.monotonic() > end - 2.5 and d.children(kind) == old:
                d.kill(kind)
            time.sleep(0.01)
        equal(tag + 'does-not-end', [r for r in d.log.records
                                     if 'before GO' in str(r)], [])
        check(tag + 'back', wait(lambda: d.children('dns') and any(
            status(p).get('Seccomp') == '2' for p in d.children(kind)), 15))
        with d.milter() as c:
            equal(tag + 'serves', c.mail('<u@pass.test>'), ['c'])

# What the log says of an end. A start fails if a child ends before all are
# ready: a reload is refused until then.
with Daemon() as d:
    check('crash/started', d.reload() and wait(
        lambda: len(d.children('worker')) == 2, 10), d.log.records)
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
