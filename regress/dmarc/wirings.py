#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""One Postfix, every way to be wired to it at once, mail over all of them
together: milter by inet and by a unix socket under the queue directory,
policy by spawn(8), unix and inet.

Nothing is bent for the test: our programs stand in /usr/bin in place of the
originals, Debian's configuration files are as shipped, smtpd is chrooted as
in Debian, and master.cf and main.cf have the lines of README.Debian
(postfix-policyd-spf-python) and README.txt (pyspf-milter).

usage: wirings.py [-v]
"""

import concurrent.futures
import grp
import os
import re
import shutil
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import product
import strict
from check import skip
from daemon import Site, processes
from pf import Postfix, Smtp, headers

QUEUE = '/var/spool/postfix'
CHROOT = QUEUE + '/pyspf-milter'
ROUNDS = 8

# README.Debian, to the letter.
MASTER = ['policyd-spf  unix  -       n       n       -       0       spawn',
          '    user=policyd-spf argv=/usr/bin/policyd-spf']
MAIN = ['smtpd_recipient_restrictions =',
        '    reject_unauth_destination',
        '    check_policy_service unix:private/policyd-spf',
        'policyd-spf_time_limit = 3600']
NO_POLICY = 'smtpd_recipient_restrictions = reject_unauth_destination'
POLICY = NO_POLICY + ', check_policy_service '
# way: (port, its settings, is a milter)
WAYS = {
    'milter-inet': (10061, [NO_POLICY, 'smtpd_milters=inet:localhost:8893'],
                    True),
    'milter-unix': (10062, [NO_POLICY, 'smtpd_milters='
                            'unix:pyspf-milter/pyspf-milter.sock'], True),
    'policy-spawn': (10063, [], False),
    'policy-unix': (10064, [POLICY + 'unix:pyspf-milter/policy.sock'],
                    False),
    'policy-inet': (10065, [POLICY + 'inet:localhost:8894'], False),
}
ZONE = ['pass.test TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"',
        'fail.test TXT "v=spf1 -all"', 'soft.test TXT "v=spf1 ~all"',
        'mail.none.test A 192.0.2.99']


class Debians(Postfix):
    """smtpd is chrooted, as in Debian, and its listeners have no settings of
    ours that main.cf has."""

    prepare = None      # called when the queue directory is there

    def write(self):
        folder = product.folder(QUEUE + '/etc')
        for name in ('hosts', 'resolv.conf', 'services', 'nsswitch.conf'):
            if os.path.exists('/etc/' + name):
                shutil.copy('/etc/' + name, folder)
        super().write()
        with open('/etc/postfix/main.cf', encoding='utf-8') as f:
            text = f.read()
        product.write_file('/etc/postfix/main.cf',
                           text.replace(NO_POLICY + '\n', '', 1))
        self.prepare()


class Tests(Site):
    def __init__(self):
        super().__init__('wirings/', ZONE)
        self.install()

    def install(self):
        """Our programs in place of Debian's, everything else as it was."""
        for path in product.wanted('wirings', 'pyspf-milter', 'policyd-spf'):
            target = '/usr/bin/' + os.path.basename(path)
            if not os.path.exists(target):
                skip('wirings', target + ' is not installed')
                sys.exit(0)
            if path != target:
                ns.mount(path, target, None, ns.MS_BIND)
        conf = os.path.join(product.TOP, 'regress', 'conf')
        for name, where in (
                ('debian-pyspf-milter.conf',
                 '/etc/pyspf-milter/pyspf-milter.conf'),
                ('debian-policyd-spf.conf',
                 '/etc/postfix-policyd-spf-python/policyd-spf.conf')):
            product.folder(os.path.dirname(where))
            shutil.copy(os.path.join(conf, name), where)
        self.shipped = '/etc/pyspf-milter/pyspf-milter.conf'
        # As Debian's READMEs tell for a socket in the chroot.
        group = grp.getgrnam('pyspf-milter')
        with open('/etc/group', encoding='ascii') as f:
            text = f.read()
        product.write_file('/etc/group', re.sub(
            r'(?m)^(pyspf-milter:[^:]*:%d:)(.*)$' % group.gr_gid,
            lambda m: m.group(1) + (m.group(2) and m.group(2) + ',') +
            'postfix', text))

        self.program = '/usr/bin/pyspf-milter'

    def variant(self, name, changes):
        """The shipped file with other lines for some keys."""
        with open(self.shipped, encoding='utf-8') as f:
            lines = f.read().split('\n')
        lines = [x for x in lines
                 if x.split('=')[0].strip() not in changes]
        return product.write_file('/etc/pyspf-milter/%s.conf' % name,
                                  '\n'.join(lines + [
                                      '%s = %s' % c
                                      for c in changes.items()]) + '\n')

    def daemons_start(self):
        folder = product.folder(CHROOT, 'pyspf-milter', 0o710)
        for name, conf, where in (
                ('as-shipped', self.shipped, ('127.0.0.1', 8893)),
                ('in-chroot', self.variant('chroot', {
                    'Socket': 'local:%s/pyspf-milter.sock' % folder,
                    'PolicySocket': 'local:%s/policy.sock' % folder,
                    'PidFile': '/run/pyspf-milter/chroot.pid',
                    'ControlSocket': 'none'}),
                 folder + '/pyspf-milter.sock'),
                ('policy-inet', self.variant('policy', {
                    'Socket': 'none', 'PolicySocket': 'inet:8894@localhost',
                    'PidFile': '/run/pyspf-milter/policy.pid',
                    'ControlSocket': 'none'}), ('127.0.0.1', 8894))):
            self.daemon(name, conf, where, 'start-' + name)
        modes = [oct(stat.S_IMODE(os.stat(folder + '/' + s).st_mode) & 7)
                 for s in ('pyspf-milter.sock', 'policy.sock')]
        self.equal('sockets-closed-to-others', modes, ['0o0'] * 2)

    def mail(self, s, case, sender):
        """The replies to one transaction."""
        out = [s.cmd('EHLO mail.none.test'),
               s.cmd('MAIL FROM:<%s>' % sender)][1:]
        if out[-1].startswith('250'):
            out.append(s.cmd('RCPT TO:<a@dest.test>'))
        if out[-1].startswith('250'):
            out.append(s.message(b'X-Case: ' + case.encode() +
                                 b'\r\nFrom: a@pass.test\r\n\r\nhi\r\n'))
        else:
            s.cmd('RSET')
        return out

    def drive(self, way):
        """Passing, failing and softfailing mail on new and old connections:
        what went wrong."""
        port, _, milter = WAYS[way]
        bad = []
        for n in range(ROUNDS):
            s = Smtp(port, client='2001:db8::1' if n % 2 else '192.0.2.1')
            for kind in ('pass', 'fail', 'soft', 'fail', 'pass'):
                case = '%s-%d-%s' % (way, n, kind)
                got = self.mail(s, case, 'u@%s.test' % kind)
                if kind == 'fail':
                    good = got[-1].startswith('550 5.7.23 ') and \
                        len(got) == (1 if milter else 2)
                else:
                    good = len(got) == 3 and got[-1].startswith('250')
                if not good:
                    bad.append('%s: %s' % (case, got))
            s.quit()
        return bad

    def judge(self, message):
        """(case, what is wrong or None)"""
        fields = headers(message)
        names = [n.lower() for n, _ in fields]
        case = dict(fields).get('X-Case', '?')
        way, _, kind = case.rpartition('-')
        milter = way.startswith('milter')
        want = 'authentication-results' if milter else 'received-spf'
        other = 'received-spf' if milter else 'authentication-results'
        if names.count(want) != 1 or other in names:
            return case, 'fields: %s' % names
        if names.index(want) > names.index('received'):
            return case, 'below Received'
        value = fields[names.index(want)][1]
        try:
            if milter:
                ident, _, result, _, domain = \
                    strict.authentication_results(value)
                if ident != ns.HOSTNAME:
                    return case, value
            else:
                result, pairs = strict.received_spf(value)
                domain = pairs['envelope-from'].partition('@')[2]
        except strict.Broken as e:
            return case, str(e)
        if (result, domain) != ('pass' if kind == 'pass' else 'softfail',
                                kind + '.test'):
            return case, value
        return case, None

    def run(self):
        pf = Debians({str(port): settings
                       for port, settings, _ in WAYS.values()}, MASTER,
                      MAIN + ['in_flow_delay = 0'], chroot=True)
        pf.prepare = self.daemons_start
        pf.start()
        with concurrent.futures.ThreadPoolExecutor(len(WAYS)) as pool:
            for way, bad in zip(WAYS, pool.map(self.drive, WAYS)):
                self.empty(way + '/replies', bad)
        self.equal('smtpd-is-chrooted', {
            os.readlink('/proc/%d/root' % p) for p in processes('smtpd')},
            {QUEUE})
        each = ROUNDS * 3
        seen = {way: [] for way in WAYS}
        for message in pf.delivered(each * len(WAYS), 20):
            case, why = self.judge(message)
            seen.setdefault(case.rpartition('-')[0].rpartition('-')[0],
                            []).append((case, why))
        for way in WAYS:
            bad = [x for x in seen[way] if x[1] is not None]
            self.check(way + '/delivered', len(seen[way]) == each,
                       '%d of %d' % (len(seen[way]), each))
            self.check(way + '/headers', seen[way] and not bad, bad[:3])
        pf.stop()
        ends = {name: d.end() for name, d in self.daemons.items()}
        self.equal('daemons-end-well', set(ends.values()), {0})
        self.equal('sockets-are-removed', os.listdir(CHROOT), [])
        self.empty('no-warnings', self.records(
            'warning|fatal|panic|sandbox'))


if __name__ == '__main__':
    ns.enter('wirings')
    Tests().play()
