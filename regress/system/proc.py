#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""What /proc says of every process: uid, groups, capabilities, seccomp."""

import os
import pwd
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ns
ns.enter('proc')
from daemon import Daemon, check, finish, role, status, wait
import product


def core_limit(pid):
    with open('/proc/%d/limits' % pid, encoding='ascii') as f:
        for line in f:
            if line.startswith('Max core file size'):
                return line.split()[4:6]
    return None


def dumpable(pid):
    """A process that is not dumpable has its /proc files owned by root."""
    return os.stat('/proc/%d/environ' % pid).st_uid != 0


def look(name, pid, uid, gid):
    s = status(pid)
    check('proc/%s-uid' % name, s['Uid'].split() == [str(uid)] * 4, s['Uid'])
    check('proc/%s-gid' % name, s['Gid'].split() == [str(gid)] * 4, s['Gid'])
    check('proc/%s-no-groups' % name, s['Groups'].strip() == '', s['Groups'])
    for cap in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
        check('proc/%s-%s' % (name, cap), int(s[cap], 16) == 0, s[cap])
    check('proc/%s-seccomp' % name, s['Seccomp'] == '2', s['Seccomp'])
    check('proc/%s-no-new-privs' % name, s['NoNewPrivs'] == '1',
          s['NoNewPrivs'])
    check('proc/%s-not-dumpable' % name, not dumpable(pid))
    check('proc/%s-core-limit' % name, core_limit(pid) == ['0', '0'],
          core_limit(pid))


pw = pwd.getpwnam('pyspf-milter')
for frontend in ('native', 'libmilter'):
    with Daemon(conf='Milter_Frontend = %s\n' % frontend) as d:
        with d.milter() as c:
            check('proc/%s-serves' % frontend, c.mail('<u@pass.test>') ==
                  ['c'])
        pids = [d.pid] + d.children()
        want = {'native': {'parent': 1, 'dns': 1, 'worker': 2},
                'libmilter': {'parent': 1, 'dns': 1, 'worker': 2,
                              'libmilter': 2}}[frontend]
        have = {}
        for pid in pids:
            have[role(pid)] = have.get(role(pid), 0) + 1
        check('proc/%s-roles' % frontend, have == want, have)
        for pid in pids:
            # a child may still be on its way into the sandbox
            wait(lambda: status(pid).get('Seccomp') == '2')
            look('%s-%s-%d' % (frontend, role(pid), have[role(pid)]), pid,
                 pw.pw_uid, pw.pw_gid)
            have[role(pid)] -= 1
    check('proc/%s-nothing-left' % frontend,
          [p for p in pids if status(p).get('State', 'Z')[0] != 'Z'] == [])

# policyd-spf by hand as root becomes somebody else, with its dns
program = product.wanted('proc', 'policyd-spf')
with Daemon() as d:
    conf = product.write_file('/run/conf/p.conf', 'debugLevel = 1\n')
    p = product.Policyd(program, conf, user=None)
    reply = p.ask([('client_address', '192.0.2.1'), ('helo_name', 'none.test'),
                   ('sender', 'u@pass.test'), ('recipient', 'r@dest.test')])
    check('proc/policyd-serves', reply is not None and
          b'Pass' in reply[0], reply)
    user = pwd.getpwnam('policyd-spf')
    look('policyd-spf', p.p.pid, user.pw_uid, user.pw_gid)
    from daemon import children_of
    for pid in children_of(p.p.pid):
        look('policyd-spf-' + role(pid), pid, user.pw_uid, user.pw_gid)
    check('proc/policyd-ends-with-0', p.end() == 0)
finish()
