#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The recorded milter sessions' shapes and hostile ones (frontends_cases.py),
played to both front ends: the same answers, or a difference by one of the
names there. Then what the libmilter role must survive, and reloads under
load."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('frontends')
from client import ClientClosed, ClientError
from daemon import Daemon, above, becomes, check, empty, equal, finish
from frontends_cases import NAMED, SESSIONS
from load import Load, milter
from milterclient import MilterClient, packet, show_reply

QUIET = 0.3     # seconds without a reply: nothing more comes


def play(d, data):
    """All replies, and whether the connection was closed."""
    out = []
    with MilterClient(d.where, 10) as c:
        try:
            c.send_raw(data)
            c.sock.settimeout(QUIET)
            while True:
                out.append(show_reply(*c.recv_raw()))
        except ClientClosed:
            out.append('closed')
        except (ClientError, OSError):
            pass
    return out


def all_of(frontend):
    with Daemon(conf='Milter_Frontend = %s\nAuthserv_Id = mx.example.test\n'
                % frontend) as d:
        return {name: play(d, data) for name, data, _ in SESSIONS}


def sessions():
    native, library = all_of('native'), all_of('libmilter')
    for name, _, why in SESSIONS:
        a, b = native[name], library[name]
        if why == 'unoffered':      # the rest must be the same
            a, b = a[1:], b[1:]
        check('frontends/session-' + name, a == b or (
            why in NAMED and why != 'unoffered'),
            'native %r, libmilter %r' % (a, b))
        if a != b and why in NAMED:
            print('log: %s differs by %s: native %r, libmilter %r' %
                  (name, why, a, b))
    empty('frontends/native-never-silent',
          [n for n in native if not native[n]])


def bad_peers(d):
    """20 that break the protocol and leave; 200 that stay in the middle."""
    for _ in range(20):
        with MilterClient(d.where, 10) as c:
            c.send_raw(packet('O', b'\0\0\0\6\0') + b'\xff' * 100)
    held = [MilterClient(d.where, 10) for _ in range(200)]
    for c in held:
        c.send_raw(b'\0\0')
    with d.milter() as c:
        reply = c.mail('<u@pass.test>')
    for c in held:
        c.close()
    return reply


def survives(frontend):
    tag = 'frontends/%s-' % frontend
    with Daemon(conf='Milter_Frontend = %s\n' % frontend) as d:
        kind = 'worker' if frontend == 'native' else 'libmilter'
        before = d.children(kind)
        equal(tag + 'serves-beside-held', bad_peers(d), ['c'])
        check(tag + 'survives', before and d.children(kind) == before,
              d.log.records[-5:])
        with Load(*[milter(d, 3, 'u@pass.test', whole=True,
                           timeout=10)] * 8) as load:
            for _ in range(5):
                load.more()
                d.reload()
            load.more()
        empty(tag + 'reload-loses-nothing', load.lost + load.wrong +
              ['refused'] * load.refused)
        above(tag + 'reload-under-load', load.done, 100)
        becomes(tag + 'old-ones-end', lambda: len(d.children(kind)),
                len(before))
        equal(tag + 'new-ones', set(before) & set(d.children(kind)), set())
        print('log: %s: %d messages, 5 reloads' % (frontend, load.done))


sessions()
survives('native')
survives('libmilter')
finish()
