#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What /proc says of every process: uid, groups, capabilities, seccomp."""

import collections
import errno
import os
import pwd
import re
import sys

for folder in ('lib', 'units'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', folder))
import ns
ns.enter('proc')
from daemon import (Daemon, becomes, check, children_of, equal, finish,
                    limits, role, status, wait)
import confine
import product

ROLES = {'native': {'parent': 1, 'dns': 1, 'worker': 2},
         'libmilter': {'parent': 1, 'dns': 1, 'worker': 2, 'libmilter': 2}}


def look(name, pid, user):
    pw = pwd.getpwnam(user)
    s = status(pid)
    equal('proc/%s-uid' % name, s['Uid'].split(), [str(pw.pw_uid)] * 4)
    equal('proc/%s-gid' % name, s['Gid'].split(), [str(pw.pw_gid)] * 4)
    equal('proc/%s-no-groups' % name, s['Groups'].strip(), '')
    for cap in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
        equal('proc/%s-%s' % (name, cap), int(s[cap], 16), 0)
    equal('proc/%s-seccomp' % name, s['Seccomp'], '2')
    equal('proc/%s-no-new-privs' % name, s['NoNewPrivs'], '1')
    # A process that is not dumpable has its /proc files owned by root. One
    # that is being started becomes so with its first statement.
    becomes('proc/%s-not-dumpable' % name,
            lambda: os.stat('/proc/%d/environ' % pid).st_uid, 0)
    equal('proc/%s-core-limit' % name, limits(pid, 'Max core file size'),
          ['0', '0'])


def daemon(frontend):
    with Daemon(conf='Milter_Frontend = %s\n' % frontend) as d:
        with d.milter() as c:
            equal('proc/%s-serves' % frontend, c.mail('<u@pass.test>'), ['c'])
        pids = [d.pid] + d.children()
        have = collections.Counter(map(role, pids))
        equal('proc/%s-roles' % frontend, dict(have), ROLES[frontend])
        for pid in pids:
            # a child may still be on its way into the sandbox
            wait(lambda: status(pid).get('Seccomp') == '2')
            look('%s-%s-%d' % (frontend, role(pid), have[role(pid)]), pid,
                 'pyspf-milter')
            have[role(pid)] -= 1
    equal('proc/%s-nothing-left' % frontend,
          [p for p in pids if status(p).get('State', 'Z')[0] != 'Z'], [])


def limited(name):
    """The start of a command that root runs with no more capabilities than
    the AppArmor profile of this program allows."""
    with open(os.path.join(product.TOP, 'conf/debian/apparmor/usr.bin.' +
                           name), encoding='ascii') as f:
        allowed = re.findall(r'^  capability (\w+),$', f.read(), re.M)
    return ['setpriv', '--bounding-set',
            ','.join(['-all'] + ['+' + c for c in allowed])]


def profiled():
    """The daemon with those: it makes its directory and gives up root."""
    with Daemon(start=False) as d:
        wrapper = product.write_file('/run/limited', '#!/bin/sh\nexec %s %s '
                                     '"$@"\n' % (' '.join(limited(
                                         'pyspf-milter')), d.program))
        os.chmod(wrapper, 0o755)
        d.program = wrapper
        d.start()
        with d.milter() as c:
            equal('proc/profile-serves', c.mail('<u@pass.test>'), ['c'])
        look('profile-parent', d.pid, 'pyspf-milter')


def policyd():
    """By hand as root it becomes another user, with its dns."""
    program = product.wanted('proc', 'policyd-spf')
    with Daemon():
        conf = product.write_file('/run/conf/p.conf', 'debugLevel = 1\n')
        p = product.Policyd(limited('policyd-spf') + [program, conf],
                            user=None)
        reply = p.ask([('client_address', '192.0.2.1'),
                       ('helo_name', 'none.test'), ('sender', 'u@pass.test'),
                       ('recipient', 'r@dest.test')])
        check('proc/policyd-serves', b'Pass' in (reply or [b''])[0], reply)
        look('policyd-spf', p.p.pid, 'policyd-spf')
        for pid in children_of(p.p.pid):
            look('policyd-spf-' + role(pid), pid, 'policyd-spf')
        equal('proc/policyd-ends-with-0', p.end(), 0)


def no_landlock():
    """For the rest of this program's life, as on a kernel without it."""
    f = confine.Filter(confine.ALLOW)
    f.add(confine.errno_action(errno.EOPNOTSUPP), 'landlock_create_ruleset')
    f.load()
    with Daemon(start=False) as d:
        p = product.Milter(d.program, d.conf, d.where)
        check('proc/no-landlock-no-start', wait(lambda: p.p.poll()),
              p.p.poll())
        p.end()
    with Daemon(conf='Sandbox = partial\n') as d:
        with d.milter() as c:
            equal('proc/no-landlock-partial', c.mail('<u@pass.test>'), ['c'])


daemon('native')
daemon('libmilter')
profiled()
policyd()
no_landlock()
finish()
