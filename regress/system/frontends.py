#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The recorded milter sessions' shapes and hostile ones, played to both front
ends: the same answers, or a difference by one of the names below. Then what
the libmilter role must survive, and reloads under load."""

import os
import signal
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('frontends')
from daemon import Daemon, check, finish, wait
from milterclient import MilterClosed, MilterError, packet, show_reply

# Answers that differ, by name: what libmilter does, and why ours does not.
NAMED = {
    'order': 'libmilter says nothing to a command in the wrong place; we '
             'answer it, or close with a log line',
    'before-optneg': 'libmilter takes commands before the negotiation',
    'connect-cut': 'libmilter reads past a CONNECT without NUL',
    'address': 'libmilter closes on an address that it cannot read; we let '
               'the mail pass, and log',
    'length-0': 'libmilter waits where the length is nought',
    'no-nul': 'libmilter ignores a HELO without NUL; we close',
    'unoffered': 'libmilter sets step bits that were not offered',
    'v1-actions': 'libmilter takes no actions for those of version 1',
}


def opt(version=6, actions=0x1ff, steps=0x1fffff):
    return packet('O', struct.pack('>III', version, actions, steps))


def z(letter, *args):
    return packet(letter, b''.join(a.encode('utf-8', 'surrogateescape') +
                                   b'\0' for a in args))


def conn(host='none.test', family='4', address='192.0.2.1', port=4321):
    return packet('C', host.encode() + b'\0' + family.encode() +
                  struct.pack('>H', port) + address.encode() + b'\0')


HELO = z('H', 'mail.none.test')
E = packet('E')
QUIET = 0.3
START = opt() + conn() + HELO
PLAIN = opt(steps=0) + conn() + HELO
PASS = z('M', '<u@pass.test>')
FAIL = z('M', '<u@fail.test>')

# name, octets, name of the difference or None
SESSIONS = [
    ('pass', START + PASS + E, None),
    ('fail', START + FAIL, None),
    ('fail-percent', START + z('M', '<u%x@fail.test>'), None),
    ('two-messages', START + PASS + E + PASS + E, None),
    ('pass-after-fail', START + FAIL + PASS + E, None),
    ('two-mails', START + FAIL + PASS + PASS + E, None),
    ('abort', START + PASS + packet('A') + PASS + E, None),
    ('null-sender', START + z('M', '<>') + E, None),
    ('source-route', START + z('M', '<@a.test:u@pass.test>') + E, None),
    ('quoted', START + z('M', '<"u@x"@fail.test>'), None),
    ('smtputf8', START + z('M', '<us\u00e9r@pass.test>', 'SMTPUTF8') + E,
     None),
    ('8bit', START + z('M', '<us\udce9r@pass.test>') + E, None),
    ('no-helo', opt() + conn() + PASS + E, None),
    ('two-helos', START + z('H', 'second.test') + PASS + E, None),
    ('v2', opt(2, 0x3f, 0x7f) + conn() + HELO + PASS, None),
    ('v2-eom', opt(2, 0x3f, 0x7f) + conn() + HELO + PASS + E, None),
    ('no-steps', PLAIN + PASS + z('R', '<a@b>') + packet('T') +
     z('L', 'From', 'x') + packet('N') + packet('B', b'hi') + E,
     'unoffered'),
    ('no-actions', opt(6, 0, 0x1fffff) + conn() + HELO + PASS + E,
     'v1-actions'),
    ('no-chghdrs', opt(6, 1, 0) + conn() + HELO + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; a') + E,
     'unoffered'),
    ('own-ar', START + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; spf=pass') +
     z('L', 'Authentication-Results', 'other.test; spf=pass') +
     z('L', 'authentication-results', '(x) "mx.example.test"; spf=pass') + E,
     None),
    ('ipv6', opt() + conn(family='6', address='IPv6:2001:db8::1') + HELO +
     PASS + E, None),
    ('ipv6-plain', opt() + conn(family='6', address='2001:db8::1') + HELO +
     PASS + E, None),
    ('mapped', opt() + conn(family='6', address='::ffff:192.0.2.1') + HELO +
     PASS + E, None),
    ('internal', opt() + conn(address='127.0.0.1') + FAIL + E, None),
    ('unknown-family', opt() + packet('C', b'h\0U') + FAIL + E, None),
    ('unix', opt() + conn(family='L', address='/tmp/x', port=0) + FAIL + E,
     None),
    ('authenticated', START + packet('D', b'M{auth_authen}\0joe\0') + FAIL +
     E, None),
    ('quit-nc', START + PASS + E + packet('K') + conn(address='192.0.2.9') +
     HELO + PASS, None),
    ('quit-nc-eom', START + PASS + E + packet('K') + conn() + HELO + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; x') + E, None),
    ('mail-before-connect', opt() + FAIL + E, None),
    ('empty-argument', START + z('M', '') + E, None),
    ('helo-no-nul', opt() + conn() + packet('H', b'abc'), 'no-nul'),
    ('mail-no-nul', START + packet('M', b'<u@x>'), None),
    ('unknown-command', START + packet('z'), None),
    ('length-65537', START + b'\0\1\0\1M', None),
    ('length-4gib', START + b'\xff\xff\xff\xffM', None),
    ('optneg-short', packet('O', b'\0\0\0\6\0'), None),
    ('optneg-v1', opt(1), None),
    ('length-0', START + b'\0\0\0\0', 'length-0'),
    ('mail-first', PASS, 'before-optneg'),
    ('optneg-twice', START + opt(), 'order'),
    ('connect-twice', PLAIN + conn(address='192.0.2.9'), 'order'),
    ('eom-first', PLAIN + E, 'order'),
    ('rcpt-first', PLAIN + z('R', '<a@b>'), 'order'),
    ('connect-no-nul', opt() + packet('C', b'host'), 'connect-cut'),
    ('bad-address', opt() + conn(address='192.0.2.999') + FAIL, 'address'),
]


def play(d, data):
    """All replies, and whether the connection was closed."""
    c = d.milter_raw()
    out = []
    try:
        c.send_raw(data)
        # until nothing more comes
        c.sock.settimeout(QUIET)
        while True:
            letter, more = c.recv_raw()
            out.append(show_reply(letter, more))
    except MilterClosed:
        out.append('closed')
    except (MilterError, OSError):
        pass
    finally:
        c.close()
    return out


def raw(self, timeout=10):
    from milterclient import MilterClient
    return MilterClient(self.where, timeout)


Daemon.milter_raw = raw


def all_of(frontend):
    out = {}
    with Daemon(conf='Milter_Frontend = %s\nAuthserv_Id = mx.example.test\n'
                % frontend) as d:
        for name, data, _ in SESSIONS:
            out[name] = play(d, data)
    return out


native, library = all_of('native'), all_of('libmilter')
for name, _, why in SESSIONS:
    a, b = native[name], library[name]
    if why == 'unoffered':      # the rest must be the same
        a, b = a[1:], b[1:]
    check('frontends/session-' + name, a == b or (why in NAMED and
          why != 'unoffered'), 'native %r, libmilter %r' % (a, b))
    if a != b and why in NAMED:
        print('log: %s differs by %s: native %r, libmilter %r' %
              (name, why, a, b))
check('frontends/native-never-silent', all(
    native[n] for n, d, _ in SESSIONS), [n for n in native if not native[n]])


def load(d, stop, result, i):
    """Messages on new connections until told to stop."""
    while not stop.is_set():
        try:
            with d.milter(timeout=10) as c:
                for _ in range(3):
                    r = c.message('<u%d@pass.test>' % i)
                    if r[0] != 'c' or r[-1] != 'c' or len(r) != 3:
                        raise MilterError(r)
                    result['done'] += 1
                c.quit()
        except (MilterError, OSError) as e:
            result['lost'].append(repr(e))


for frontend in ('native', 'libmilter'):
    tag = 'frontends/%s-' % frontend
    with Daemon(conf='Milter_Frontend = %s\n' % frontend) as d:
        kind = 'worker' if frontend == 'native' else 'libmilter'
        before = d.children(kind)
        for _ in range(20):
            play_fast = d.milter_raw()
            play_fast.send_raw(packet('O', b'\0\0\0\6\0') + b'\xff' * 100)
            play_fast.close()
        held = [d.milter_raw() for _ in range(200)]
        for c in held:
            c.send_raw(b'\0\0')
        with d.milter() as c:
            check(tag + 'serves-beside-held', c.mail('<u@pass.test>') ==
                  ['c'])
        for c in held:
            c.close()
        check(tag + 'survives', before and d.children(kind) == before,
              d.log.records[-5:])
        stop, result = threading.Event(), {'done': 0, 'lost': []}
        threads = [threading.Thread(target=load, args=(d, stop, result, i))
                   for i in range(8)]
        for t in threads:
            t.start()
        for _ in range(5):
            time.sleep(0.6)
            os.kill(d.pid, signal.SIGHUP)
        time.sleep(1)
        stop.set()
        for t in threads:
            t.join()
        check(tag + 'reload-loses-nothing', not result['lost'] and
              result['done'] > 100, result['lost'][:3])
        check(tag + 'old-ones-end', wait(lambda: len(d.children(kind)) ==
              len(before), 10), d.children(kind))
        check(tag + 'new-ones', not set(before) & set(d.children(kind)))
        print('log: %s: %d messages, 5 reloads' % (frontend, result['done']))
finish()
