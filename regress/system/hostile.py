#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Bad input on both sockets: the connection is closed with a log line, the
memory stays bounded, and nobody else notices."""

import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('hostile')
from client import connect_socket, poke
from daemon import (MILTER, POLICY, Daemon, below, check, equal, finish,
                    holds, rss, wait)
from milterclient import optneg, packet

MEMORY_KB = 60000
rnd = random.Random(7)
NOISE = bytes(rnd.randrange(256) for _ in range(200000))
HOST = packet('C', b'host\x004\x10\xe1192.0.2.1\0')
CASES = {
    'policy-line-over-64k': b'sender=' + b'a' * 70000 + b'\n\n',
    'policy-line-without-end': b'a' * 300000,
    'policy-100000-attributes': b'name=value\n' * 100000 + b'\n',
    'policy-100000-names': b''.join(b'n%d=v\n' % i for i in range(100000)),
    'policy-binary-noise': NOISE.replace(b'\n\n', b'\n'),
    'policy-equals-signs': b'=' * 200000,
    'milter-4-gib-packet': struct.pack('>I', 0xffffffff) + b'O',
    'milter-2-gib-packet': struct.pack('>I', 0x7fffffff) + b'L' * 100000,
    'milter-length-zero': struct.pack('>I', 0) * 1000,
    'milter-64k-and-one': struct.pack('>I', 65537) + b'O' * 70000,
    'milter-binary-noise': NOISE,
    'milter-short-optneg': packet('O', b'\0\0\0'),
    'milter-optneg-version-1': optneg(1, 0, 0),
    'milter-unknown-command': optneg() + packet('!', b'x'),
    'milter-connect-cut': optneg(steps=0) + packet('C', b'host'),
    'milter-mail-without-nul': optneg(steps=0) + HOST + packet('M', b'<u@x'),
}


def memory(d):
    return max(rss(p) for p in d.children('worker'))


def alive(d, name, pids):
    equal('hostile/%s-same-workers' % name, d.children('worker'), pids)
    with d.policy() as c:
        holds('hostile/%s-next-policy' % name, d.ask(c, 'u@pass.test'),
              'Pass')
    with d.milter() as c:
        equal('hostile/%s-next-milter' % name, c.mail('<u@pass.test>'), ['c'])


def cases(d):
    for name, data in CASES.items():
        before = len(d.log.records)
        check('hostile/%s-closed' % name, poke(
            POLICY if name.startswith('policy') else MILTER, data))
        check('hostile/%s-logged' % name, wait(
            lambda: len(d.log.records) > before, 3))


def floods(d):
    # NUL and control bytes do not end a connection, they are answered
    with d.policy() as c:
        r = d.ask(c, 'u\0x\x01\x7f@pass.test', helo_name='h\0\r\x1b.test')
        check('hostile/policy-nul-answered', r.startswith('prepend ') and
              all(ch >= ' ' for ch in r), repr(r))

    # macros without end are bounded
    before = memory(d)
    conns = [d.milter() for _ in range(40)]
    for c in conns:
        for _ in range(7):
            c.macros('M', {'{x%d}' % j: 'v' * 600 for j in range(100)})
    for c in conns:
        c.mail('<u@pass.test>')
    below('hostile/macros-are-bounded', memory(d) - before, 20000)
    for c in conns:
        c.close()

    # headers by the thousand on one message
    with d.milter() as c:
        c.mail('<u@pass.test>')
        for i in range(5000):
            c.header('Authentication-Results', 'x%d; spf=pass' % i)
        c.eoh()
        equal('hostile/5000-headers', c.eom()[-1], 'c')


def never_reads():
    """A client of many requests that takes no answer."""
    s = connect_socket(POLICY, 10)
    s.setblocking(False)
    one = (b'client_address=192.0.2.1\nsender=u@pass.test\n'
           b'helo_name=none.test\n\n')
    try:
        for _ in range(2000):
            s.send(one * 20)
    except BlockingIOError:
        pass
    return s


def never_ends(path, data):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.send(data)
    return s


with Daemon() as d:
    pids = d.children('worker')
    cases(d)
    alive(d, 'after-cases', pids)
    below('hostile/memory-after-cases', memory(d), MEMORY_KB)
    floods(d)
    alive(d, 'after-floods', pids)
    below('hostile/memory-after-floods', memory(d), MEMORY_KB)
    held = [never_ends(path, data) for path, data in (
        (POLICY, b'sender=x\n'), (MILTER, struct.pack('>I', 60000) + b'L'))
        for _ in range(300)]
    held += [never_reads() for _ in range(20)]
    alive(d, 'beside-held', pids)
    below('hostile/memory-beside-held', memory(d), MEMORY_KB + 40000)
    for s in held:
        s.close()
    alive(d, 'after-held', pids)
finish()
