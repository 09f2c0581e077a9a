# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""The sessions that frontends.py plays to both front ends."""

import struct

from milterclient import optneg, packet

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


def z(letter, *args):
    return packet(letter, b''.join(a.encode('utf-8', 'surrogateescape') +
                                   b'\0' for a in args))


def conn(host='none.test', family='4', address='192.0.2.1', port=4321):
    return packet('C', host.encode() + b'\0' + family.encode() +
                  struct.pack('>H', port) + address.encode() + b'\0')


HELO = z('H', 'mail.none.test')
E = packet('E')
START = optneg() + conn() + HELO
PLAIN = optneg(steps=0) + conn() + HELO
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
    ('no-helo', optneg() + conn() + PASS + E, None),
    ('two-helos', START + z('H', 'second.test') + PASS + E, None),
    ('v2', optneg(2, 0x3f, 0x7f) + conn() + HELO + PASS, None),
    ('v2-eom', optneg(2, 0x3f, 0x7f) + conn() + HELO + PASS + E, None),
    ('no-steps', PLAIN + PASS + z('R', '<a@b>') + packet('T') +
     z('L', 'From', 'x') + packet('N') + packet('B', b'hi') + E,
     'unoffered'),
    ('no-actions', optneg(6, 0, 0x1fffff) + conn() + HELO + PASS + E,
     'v1-actions'),
    ('no-chghdrs', optneg(6, 1, 0) + conn() + HELO + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; a') + E,
     'unoffered'),
    ('own-ar', START + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; spf=pass') +
     z('L', 'Authentication-Results', 'other.test; spf=pass') +
     z('L', 'authentication-results', '(x) "mx.example.test"; spf=pass') + E,
     None),
    ('ipv6', optneg() + conn(family='6', address='IPv6:2001:db8::1') + HELO +
     PASS + E, None),
    ('ipv6-plain', optneg() + conn(family='6', address='2001:db8::1') + HELO +
     PASS + E, None),
    ('mapped', optneg() + conn(family='6', address='::ffff:192.0.2.1') + HELO +
     PASS + E, None),
    ('internal', optneg() + conn(address='127.0.0.1') + FAIL + E, None),
    ('unknown-family', optneg() + packet('C', b'h\0U') + FAIL + E, None),
    ('unix', optneg() + conn(family='L', address='/tmp/x', port=0) + FAIL +
     E, None),
    ('authenticated', START + packet('D', b'M{auth_authen}\0joe\0') + FAIL +
     E, None),
    ('quit-nc', START + PASS + E + packet('K') + conn(address='192.0.2.9') +
     HELO + PASS, None),
    ('quit-nc-eom', START + PASS + E + packet('K') + conn() + HELO + PASS +
     z('L', 'Authentication-Results', 'mx.example.test; x') + E, None),
    ('mail-before-connect', optneg() + FAIL + E, None),
    ('empty-argument', START + z('M', '') + E, None),
    ('helo-no-nul', optneg() + conn() + packet('H', b'abc'), 'no-nul'),
    ('mail-no-nul', START + packet('M', b'<u@x>'), None),
    ('unknown-command', START + packet('z'), None),
    ('length-65537', START + b'\0\1\0\1M', None),
    ('length-4gib', START + b'\xff\xff\xff\xffM', None),
    ('optneg-short', packet('O', b'\0\0\0\6\0'), None),
    ('optneg-v1', optneg(1), None),
    ('length-0', START + b'\0\0\0\0', 'length-0'),
    ('mail-first', PASS, 'before-optneg'),
    ('optneg-twice', START + optneg(), 'order'),
    ('connect-twice', PLAIN + conn(address='192.0.2.9'), 'order'),
    ('eom-first', PLAIN + E, 'order'),
    ('rcpt-first', PLAIN + z('R', '<a@b>'), 'order'),
    ('connect-no-nul', optneg() + packet('C', b'host'), 'connect-cut'),
    ('bad-address', optneg() + conn(address='192.0.2.999') + FAIL, 'address'),
]
