#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Known traffic, and exactly that much in the counters that the control
socket tells."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('counters')
from control import COUNTERS, Control
from client import poke
from daemon import MILTER, POLICY, Daemon, becomes, check, equal, finish, wait
from milterclient import optneg, packet

# Answers of the DNS depend on what a check asks ahead; not looked at here.
DNS = [c for c in COUNTERS if c.startswith('DNS_')] + ['CHECK_RUNS']


class Counted:
    """What the counters grow by within; all that is not named must not."""

    def __init__(self, name, control, gauges=None, **want):
        self.name, self.control = name, control
        self.want, self.gauges = want, gauges or {}

    def __enter__(self):
        self.before = self.control.stats()

    def grown(self):
        now = self.control.stats()
        out = {c: now[c] - self.before[c] for c in COUNTERS
               if c not in DNS and c != 'CONN_OPEN'}
        out = {c: n for c, n in out.items() if n != 0}
        # every check was timed
        timed = sum(now['HIST_CHECK']) - sum(self.before['HIST_CHECK'])
        checks = out.get('CHECK_MILTER', 0) + out.get('CHECK_POLICY', 0)
        if timed != checks:
            out['HIST_CHECK'] = timed
        out.update({g: now[g] for g in self.gauges})
        return out

    def __exit__(self, kind, value, trace):
        if kind is None:
            want = dict(self.want, **self.gauges)
            becomes('counters/' + self.name, self.grown, want, 3)


def message(d, sender, headers=(), **more):
    with d.milter(**more) as c:
        c.message(sender, headers)
        c.quit()


# name, what grows, sender, more of message(), for milter()
MESSAGES = (
    ('pass', dict(CHECK_MILTER=1, HELO_NONE=1, MAIL_PASS=1, ACT_PREPEND=1),
     '<u@pass.test>', {}),
    ('fail', dict(CHECK_MILTER=1, HELO_NONE=1, MAIL_FAIL=1, ACT_REJECT=1),
     '<u@fail.test>', {}),
    ('softfail', dict(CHECK_MILTER=1, HELO_NONE=1, MAIL_SOFTFAIL=1,
                      ACT_PREPEND=1), '<u@soft.test>', {}),
    ('temperror', dict(CHECK_MILTER=1, HELO_NONE=1, MAIL_TEMPERROR=1,
                       ACT_PREPEND=1), '<u@servfail.test>', {}),
    ('null-sender', dict(CHECK_MILTER=1, HELO_PASS=1, ACT_PREPEND=1), '<>',
     {'helo': 'pass.test'}),
    ('helo-fail', dict(CHECK_MILTER=1, HELO_FAIL=1, ACT_REJECT=1),
     '<u@pass.test>', {'helo': 'fail.test'}),
    ('list', dict(CHECK_MILTER=1, SKIP_LIST=1, ACT_PREPEND=1),
     '<u@fail.test>', {'client': '192.0.2.50'}),
    ('internal', dict(SKIP_INTERNAL=1), '<u@fail.test>',
     {'client': '127.0.0.1'}),
    ('own-ar', dict(CHECK_MILTER=1, HELO_NONE=1, MAIL_PASS=1, ACT_PREPEND=1,
                    OWN_AR_REMOVED=3), '<u@pass.test>',
     {'headers': [('Authentication-Results', 'mx.example.test; x')] * 3 +
      [('Authentication-Results', 'other.test; x')]}),
)


def milter(d, ctl, role):
    for name, grows, sender, more in MESSAGES:
        with Counted('%s-%s' % (role, name), ctl, CONN_MILTER=1, **grows):
            message(d, sender, **more)
    with Counted(role + '-authenticated', ctl, CONN_MILTER=1, SKIP_AUTH=1):
        with d.milter() as c:
            c.macros('M', {'{auth_authen}': 'joe'})
            c.mail('<u@fail.test>')
            c.quit()
    with Counted(role + '-open', ctl, {'CONN_OPEN': 3}, CONN_MILTER=3):
        held = [d.milter() for _ in range(3)]
    with Counted(role + '-closed', ctl, {'CONN_OPEN': 0}):
        for c in held:
            c.close()


def macro(d, ctl):
    """MacroList: only what matches is checked."""
    with Counted('macro', ctl, CONN_MILTER=1, SKIP_MACRO=2):
        with d.milter() as c:       # daemon_name is smtpd
            c.message('<u@fail.test>')
            c.message('<u@fail.test>')
            c.quit()


def policy(d, ctl, role):
    with Counted(role + '-policy', ctl, CONN_POLICY=1, CHECK_POLICY=4,
                 HELO_NONE=3, MAIL_PASS=1, MAIL_FAIL=1, MAIL_NONE=1,
                 ACT_PREPEND=3, ACT_REJECT=1, SKIP_LIST=1):
        with d.policy() as c:
            d.ask(c, 'u@pass.test')
            d.ask(c, 'u@fail.test')
            d.ask(c, 'u@none.test')
            d.ask(c, 'u@fail.test', client_address='127.0.0.1')
    with Counted(role + '-policy-instance', ctl, CONN_POLICY=1,
                 CHECK_POLICY=2, HELO_NONE=2, MAIL_PASS=1, MAIL_FAIL=1,
                 ACT_PREPEND=1, ACT_REJECT=1, SKIP_INSTANCE=3):
        with d.policy() as c:
            for sender, instance in (('u@pass.test', 'a'),
                                     ('u@pass.test', 'a'),
                                     ('u@fail.test', 'b'),
                                     ('u@fail.test', 'b'),
                                     ('u@fail.test', 'b')):
                d.ask(c, sender, instance=instance)
    with Counted(role + '-policy-authenticated', ctl, CONN_POLICY=1,
                 SKIP_AUTH=2):
        with d.policy() as c:
            d.ask(c, 'u@fail.test', sasl_username='joe')
            d.ask(c, 'u@fail.test', sasl_username='joe')
    with Counted(role + '-policy-no-address', ctl, CONN_POLICY=1,
                 CHECK_POLICY=1, ACT_NOTHING=1):
        with d.policy() as c:
            d.ask(c, 'u@fail.test', client_address='bogus')


def faults(d, ctl):
    hello = optneg()
    with Counted('milter-faults', ctl, CONN_MILTER=4, PROTO_ERROR_MILTER=3):
        poke(MILTER, hello + packet('!', b'x'))
        poke(MILTER, b'\xff\xff\xff\xffO')
        poke(MILTER, hello + packet('H', b'no NUL'))
        poke(MILTER, hello + packet('Q'))
    with Counted('policy-faults', ctl, CONN_POLICY=1, PROTO_ERROR_POLICY=1):
        poke(POLICY, b'sender=' + b'a' * 70000 + b'\n\n')


def cap(d, ctl):
    """At the cap nobody is refused by a worker: the backlog keeps them."""
    with Counted('cap', ctl, {'CONN_OPEN': 5}, CONN_POLICY=5):
        held = [d.policy() for _ in range(7)]
        r = d.log.wait(r'too many connections \(Max_Connections\)', 5)
        check('counters/cap-is-logged', r is not None, d.log.records[-3:])
    with Counted('cap-over', ctl, {'CONN_OPEN': 0}, CONN_POLICY=2):
        for c in held:
            c.close()


def survive(d, ctl):
    """A reload and a crash take no count away."""
    before = ctl.stats()
    with d.milter() as held:
        wait(lambda: ctl.stats()['CONN_OPEN'] == 1, 3)
        d.reload()
        now = ctl.stats()
        equal('counters/reload-keeps',
              (now['CONN_MILTER'], now['CHECK_POLICY']),
              (before['CONN_MILTER'] + 1, before['CHECK_POLICY']))
        equal('counters/draining-is-open', now['CONN_OPEN'], 1)
    wait(lambda: ctl.stats()['CONN_OPEN'] == 0, 3)
    before = ctl.stats()
    held = d.milter()
    wait(lambda: ctl.stats()['CONN_OPEN'] == 1, 3)
    d.kill('worker')
    wait(lambda: ctl.stats()['CONN_OPEN'] == 0 and d.children('worker'), 5)
    now = ctl.stats()
    held.close()
    equal('counters/crash-keeps', now['CONN_MILTER'],
          before['CONN_MILTER'] + 1)
    equal('counters/crash-closes', now['CONN_OPEN'], 0)
    with Counted('after-crash', ctl, CONN_POLICY=1, CHECK_POLICY=1,
                 HELO_NONE=1, MAIL_PASS=1, ACT_PREPEND=1):
        with d.policy() as c:
            d.ask(c, 'u@pass.test')


CONF = 'Workers = 1\nskip_addresses = 127.0.0.1,192.0.2.50\n' \
    'TempError_Defer = False\n'


def begin(d):
    """The counters, when the connection that found it ready is in them."""
    ctl = Control()
    wait(lambda: (s := ctl.stats())['CONN_MILTER'] > 0 and
         s['CONN_OPEN'] == 0, 3)
    return ctl


with Daemon(conf=CONF) as d:
    with begin(d) as ctl:
        milter(d, ctl, 'worker')
        policy(d, ctl, 'worker')
        faults(d, ctl)
        survive(d, ctl)
with Daemon(conf=CONF + 'MacroList = daemon_name|other\n'
            'Max_Connections = 5\n') as d:
    with begin(d) as ctl:
        macro(d, ctl)
        cap(d, ctl)
with Daemon(conf=CONF + 'Milter_Frontend = libmilter\n') as d:
    with begin(d) as ctl:
        milter(d, ctl, 'libmilter')
        policy(d, ctl, 'libmilter')
with Daemon(conf=CONF + 'Milter_Frontend = libmilter\n'
            'Max_Connections = 5\n', policy=False) as d:
    with begin(d) as ctl:
        with Counted('libmilter-refused', ctl, {'CONN_OPEN': 5},
                     CONN_MILTER=5, CONN_REFUSED=2):
            held = [d.milter() for _ in range(5)]
            for _ in range(2):
                poke(MILTER, optneg())
        for c in held:
            c.close()
finish()
