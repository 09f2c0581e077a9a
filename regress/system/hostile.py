#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Bad input on both sockets: the connection is closed with a log line, the
memory stays bounded, and nobody else notices."""

import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('hostile')
from daemon import MILTER, POLICY, Daemon, check, finish, status, wait
from milterclient import packet

MEMORY_KB = 60000


def stream(path, data, seconds=10, pause=0):
    """Sends as much as is taken; True when the peer closed."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(seconds)
    s.connect(path)
    try:
        for i in range(0, len(data), 65536):
            s.sendall(data[i:i + 65536])
            if pause:
                time.sleep(pause)
        while True:
            if s.recv(65536) == b'':
                return True
    except socket.timeout:
        return False
    except OSError:
        return True
    finally:
        s.close()


def rss(d):
    return max(int(status(p).get('VmRSS', '0 kB').split()[0])
               for p in d.children('worker'))


def alive(d, name, pids):
    check('hostile/%s-same-workers' % name, d.children('worker') == pids,
          d.log.records[-3:])
    with d.policy() as c:
        r = d.ask(c, 'u@pass.test')
    check('hostile/%s-next-policy' % name, 'Pass' in r, r)
    with d.milter() as c:
        r = c.mail('<u@pass.test>')
    check('hostile/%s-next-milter' % name, r == ['c'], r)


rnd = random.Random(7)
noise = bytes(rnd.randrange(256) for _ in range(200000))
policy_cases = {
    'policy-line-over-64k': b'sender=' + b'a' * 70000 + b'\n\n',
    'policy-line-without-end': b'a' * 300000,
    'policy-100000-attributes': b'name=value\n' * 100000 + b'\n',
    'policy-100000-names': b''.join(b'n%d=v\n' % i for i in range(100000)),
    'policy-binary-noise': noise.replace(b'\n\n', b'\n'),
    'policy-equals-signs': b'=' * 200000,
}
milter_cases = {
    'milter-4-gib-packet': struct.pack('>I', 0xffffffff) + b'O',
    'milter-2-gib-packet': struct.pack('>I', 0x7fffffff) + b'L' * 100000,
    'milter-length-zero': struct.pack('>I', 0) * 1000,
    'milter-64k-and-one': struct.pack('>I', 65537) + b'O' * 70000,
    'milter-binary-noise': noise,
    'milter-short-optneg': packet('O', b'\0\0\0'),
    'milter-optneg-version-1': packet('O', struct.pack('>III', 1, 0, 0)),
    'milter-unknown-command': packet('O', struct.pack('>III', 6, 0x1ff,
                                                      0x1fffff)) +
    packet('!', b'x'),
    'milter-connect-cut': packet('O', struct.pack('>III', 6, 0x1ff, 0)) +
    packet('C', b'host'),
    'milter-mail-without-nul': packet('O', struct.pack('>III', 6, 0x1ff, 0)) +
    packet('C', b'host\x004\x10\xe1192.0.2.1\0') + packet('M', b'<u@x'),
}

with Daemon() as d:
    pids = d.children('worker')
    for cases, path in ((policy_cases, POLICY), (milter_cases, MILTER)):
        for name, data in cases.items():
            before = len(d.log.records)
            check('hostile/%s-closed' % name, stream(path, data))
            check('hostile/%s-logged' % name, wait(
                lambda: len(d.log.records) > before, 3))
    alive(d, 'after-cases', pids)
    check('hostile/memory-after-cases', rss(d) < MEMORY_KB, rss(d))

    # NUL and control bytes do not end a connection, they are answered
    with d.policy() as c:
        r = d.ask(c, 'u\0x\x01\x7f@pass.test', helo_name='h\0\r\x1b.test')
        check('hostile/policy-nul-answered', r.startswith('prepend ') and
              all(ch >= ' ' for ch in r), repr(r))

    # macros without end are bounded
    before = rss(d)
    conns = []
    for i in range(40):
        c = d.milter()
        for _ in range(7):
            c.macros('M', {'{x%d}' % j: 'v' * 600 for j in range(100)})
        conns.append(c)
    for c in conns:
        c.mail('<u@pass.test>')
    check('hostile/macros-are-bounded', rss(d) - before < 20000,
          rss(d) - before)
    for c in conns:
        c.close()

    # headers by the thousand on one message
    with d.milter() as c:
        c.mail('<u@pass.test>')
        for i in range(5000):
            c.header('Authentication-Results', 'x%d; spf=pass' % i)
        c.eoh()
        r = c.eom()
        check('hostile/5000-headers', r[-1] == 'c', r[-1])
    alive(d, 'after-floods', pids)
    check('hostile/memory-after-floods', rss(d) < MEMORY_KB, rss(d))

    # 300 that never read, 300 that never finish
    held = []
    for path, data in ((POLICY, b'sender=x\n'),
                       (MILTER, struct.pack('>I', 60000) + b'L')):
        for _ in range(300):
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            s.send(data)
            held.append(s)
    for _ in range(20):
        s = socket.socket(socket.AF_UNIX)
        s.connect(POLICY)
        s.setblocking(False)
        one = (b'client_address=192.0.2.1\nsender=u@pass.test\n'
               b'helo_name=none.test\n\n')
        try:
            for _ in range(2000):
                s.send(one * 20)
        except BlockingIOError:
            pass
        held.append(s)
    alive(d, 'beside-held', pids)
    check('hostile/memory-beside-held', rss(d) < MEMORY_KB + 40000, rss(d))
    for s in held:
        s.close()
    alive(d, 'after-held', pids)
finish()
