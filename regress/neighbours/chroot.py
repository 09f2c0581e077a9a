#!/usr/bin/python3
# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Postfix whose smtpd is in the chroot, as Debian sets it up: our milter and
policy sockets lie under its queue directory, and nobody else may use them.
Postfix may because the daemon runs with its group (with the native front
end), or because it is a member of the daemon's group (with libmilter).

usage: chroot.py [-v]
"""

import grp
import os
import pwd
import socket
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for name in ('lib', 'postfix'):
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), name))
import daemon       # noqa: E402
import ns           # noqa: E402
import pf           # noqa: E402
import product      # noqa: E402
import syslogd      # noqa: E402
from common import kill_whole                               # noqa: E402
from daemon import check                                    # noqa: E402
from dnsd import DnsServer                                  # noqa: E402

QUEUE = '/var/spool/postfix'
FOLDER = QUEUE + '/pyspf-milter'
OUTSIDE = '/run/t/outside'
AR, SPF = 'Authentication-Results', 'Received-SPF'
# front end: UserID, the group of the sockets
FRONTS = {'native': ('pyspf-milter:postfix', 'postfix'),
          'libmilter': ('pyspf-milter', 'pyspf-milter')}
POLICY = 'smtpd_recipient_restrictions = reject_unauth_destination, ' \
    'check_policy_service '
# way: (port, settings of its smtpd, the field that we add)
WAYS = {
    # A relative name is below the queue directory, an absolute one below
    # the new root, which is the same folder.
    'milter-relative': (10301, ['smtpd_milters = unix:pyspf-milter/milter'],
                        AR),
    'milter-absolute': (10302, ['smtpd_milters = unix:/pyspf-milter/milter'],
                        AR),
    'policy-relative': (10303, [POLICY + 'unix:pyspf-milter/policy'], SPF),
}
# Here the real path is named, which is none inside the chroot.
WRONG = {'milter-real-path': (10304, ['smtpd_milters = unix:%s/milter'
                                      % FOLDER]),
         'milter-outside': (10305, ['smtpd_milters = unix:%s/milter'
                                    % OUTSIDE])}


class Jailed(pf.Postfix):
    def write(self):
        super().write()
        with open('/etc/postfix/master.cf', encoding='ascii') as f:
            text = f.read()
        product.write_file('/etc/postfix/master.cf', text.replace(
            ' inet n - n - - smtpd', ' inet n - y - - smtpd'))


class Tests:
    def __init__(self):
        self.log = syslogd.Collector()
        with open(os.path.join(HERE, '..', 'postfix', 'base.zone'),
                  encoding='ascii') as f:
            zone = f.read()
        self.dns = DnsServer(addr=['127.0.0.1', '::1'], port=53)
        self.dns.start(zone)
        self.program = product.wanted('chroot', 'pyspf-milter')
        self.daemons = {}
        self.pf = Jailed({str(w[0]): w[1] for w in
                          list(WAYS.values()) + list(WRONG.values())})

    def daemon(self, folder, front):
        conf = product.write_file('/run/t/conf', '\n'.join((
            'Milter_Frontend = ' + front, 'UserID = ' + FRONTS[front][0],
            'Socket = local:%s/milter' % folder,
            'PolicySocket = local:%s/policy' % folder,
            'ControlSocket = none', 'PidFile = none', 'Workers = 1')) + '\n')
        d = product.Milter(self.program, conf, folder + '/milter')
        self.daemons[folder] = d
        check('chroot/%s/starts' % front, d.wait_ready(),
              self.log.take()[-5:])

    def jailed(self):
        """Is an smtpd with this queue directory for its root?"""
        there = os.stat(QUEUE)
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open('/proc/%s/comm' % pid, encoding='ascii') as f:
                    comm = f.read().strip()
                root = os.stat('/proc/%s/root' % pid)
            except OSError:
                continue
            if comm == 'smtpd' and (root.st_dev, root.st_ino) == \
                    (there.st_dev, there.st_ino):
                return True
        return False

    def modes(self, front):
        """Who may use the sockets."""
        for name in ('milter', 'policy'):
            st = os.stat('%s/%s' % (FOLDER, name))
            seen = (pwd.getpwuid(st.st_uid).pw_name,
                    grp.getgrgid(st.st_gid).gr_name,
                    oct(stat.S_IMODE(st.st_mode)))
            equal('chroot/%s/%s-socket' % (front, name), seen,
                  ('pyspf-milter', FRONTS[front][1], '0o770'))
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                nobody = pwd.getpwnam('nobody')
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                socket.socket(socket.AF_UNIX).connect(FOLDER + '/milter')
            except PermissionError:
                status = 0
            finally:
                os._exit(status)
        status = os.waitpid(pid, 0)[1]
        equal('chroot/%s/strangers-refused' % front, status, 0)

    def send(self, port, sender):
        s = pf.Smtp(port)
        got = s.mail('none.test', sender)
        s.quit()
        return got

    def way(self, front, way):
        port, _, field = WAYS[way]
        test = 'chroot/%s/%s' % (front, way)
        self.pf.forget()
        got = self.send(port, 'u@pass.test')
        seen = self.pf.delivered(1)
        own = [v for m in seen for n, v in pf.headers(m) if n == field]
        check(test + '/pass', got[-1].startswith('250') and len(own) == 1 and
              'pass' in own[0].lower() and 'pass.test' in own[0],
              (got, own))
        got = self.send(port, 'u@fail.test')
        check(test + '/fail', got[-1].startswith('550 5.7.23') and
              len(got) == (1 if field == AR else 2), got)

    def restarted(self, front):
        """A new daemon on the same path, while Postfix goes on."""
        kill_whole(self.daemons[FOLDER])
        got = self.send(WAYS['milter-relative'][0], 'u@pass.test')
        check('chroot/%s/gone-tempfails' % front, got[-1].startswith('451'),
              got)
        self.daemon(FOLDER, front)
        self.way(front + '-again', 'milter-relative')

    def run(self):
        # Postfix's processes take their groups when they start.
        subprocess.run(['usermod', '-a', '-G', 'pyspf-milter', 'postfix'],
                       check=True)
        self.pf.start()
        folder = product.folder(FOLDER)
        os.chown(folder, pwd.getpwnam('pyspf-milter').pw_uid,
                 grp.getgrnam('postfix').gr_gid)
        os.chmod(folder, 0o750)
        product.folder('/run/t')
        product.folder(OUTSIDE, 'pyspf-milter')
        for front in FRONTS:
            self.daemon(FOLDER, front)
            self.modes(front)
            for way in WAYS:
                self.way(front, way)
            check('chroot/%s/smtpd-is-in-it' % front, self.jailed())
            self.restarted(front)
            self.daemons[FOLDER].end()
            equal('chroot/%s/sockets-removed' % front, os.listdir(FOLDER), [])
        # Without the chroot these two would work: it is what is tested.
        self.daemon(OUTSIDE, 'native')
        self.daemon(FOLDER, 'native')
        for name, (port, _) in WRONG.items():
            got = self.send(port, 'u@pass.test')
            check('chroot/%s-tempfails' % name, got[-1].startswith('451'),
                  got)
        self.log.settle()
        bad = [r for r in self.log.records if 'sandbox' in r or 'fatal' in r
               or 'panic' in r]
        empty('chroot/no-fatal-records', bad)

    def end(self):
        self.pf.stop()
        for d in self.daemons.values():
            d.end()
        self.dns.stop()


def main():
    ns.enter('chroot')
    tests = Tests()
    try:
        tests.run()
    finally:
        tests.end()
        if '-v' in sys.argv:
            print('\n'.join(tests.log.records))
    daemon.finish()


if __name__ == '__main__':
    sys.exit(main())
