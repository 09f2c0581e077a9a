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
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import ns
import pf
import product
from daemon import Site, processes

QUEUE = '/var/spool/postfix'
FOLDER = QUEUE + '/pyspf-milter'
NAME = os.path.basename(FOLDER)
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


class Tests(Site):
    def __init__(self):
        super().__init__('chroot/', pf.base_zone())
        self.pf = pf.Postfix({str(w[0]): w[1] for w in
                              list(WAYS.values()) + list(WRONG.values())},
                             chroot=True)

    def start(self, folder, front):
        self.daemon(os.path.basename(folder), [
            'Milter_Frontend = ' + front, 'UserID = ' + FRONTS[front][0],
            'Socket = local:%s/milter' % folder,
            'PolicySocket = local:%s/policy' % folder,
            'ControlSocket = none', 'PidFile = none', 'Workers = 1'],
            folder + '/milter', front + '/starts')

    def jailed(self):
        """Is an smtpd with this queue directory for its root?"""
        return QUEUE in (os.readlink('/proc/%d/root' % p)
                         for p in processes('smtpd'))

    def modes(self, front):
        """Who may use the sockets."""
        for name in ('milter', 'policy'):
            st = os.stat('%s/%s' % (FOLDER, name))
            seen = (pwd.getpwuid(st.st_uid).pw_name,
                    grp.getgrgid(st.st_gid).gr_name,
                    oct(stat.S_IMODE(st.st_mode)))
            self.equal('%s/%s-socket' % (front, name), seen,
                       ('pyspf-milter', FRONTS[front][1], '0o770'))
        p = subprocess.run(
            ['/usr/bin/python3', '-c', 'import socket, sys\n'
             'socket.socket(socket.AF_UNIX).connect(sys.argv[1])',
             FOLDER + '/milter'], stderr=subprocess.PIPE, user='nobody',
            group='nogroup', extra_groups=[])
        self.holds(front + '/strangers-refused', p.stderr,
                   b'PermissionError')

    def send(self, port, sender):
        s = pf.Smtp(port)
        got = s.mail('none.test', sender)
        s.quit()
        return got

    def way(self, front, way):
        port, _, field = WAYS[way]
        test = '%s/%s' % (front, way)
        self.pf.forget()
        got = self.send(port, 'u@pass.test')
        seen = self.pf.delivered(1)
        own = [v for m in seen for n, v in pf.headers(m) if n == field]
        self.check(test + '/pass',
                   got[-1].startswith('250') and len(own) == 1 and 'pass' in
                   own[0].lower() and 'pass.test' in own[0], (got, own))
        got = self.send(port, 'u@fail.test')
        self.check(test + '/fail',
                   got[-1].startswith('550 5.7.23') and len(got) == (1 if field
                                                                     == AR else
                                                                     2), got)

    def restarted(self, front):
        """A new daemon on the same path, while Postfix goes on."""
        self.kill_daemon(NAME)
        got = self.send(WAYS['milter-relative'][0], 'u@pass.test')
        self.check(front + '/gone-tempfails', got[-1].startswith('451'), got)
        self.start(FOLDER, front)
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
            self.start(FOLDER, front)
            self.modes(front)
            for way in WAYS:
                self.way(front, way)
            self.check(front + '/smtpd-is-in-it', self.jailed())
            self.restarted(front)
            self.daemons[NAME].end()
            self.equal(front + '/sockets-removed', os.listdir(FOLDER), [])
        # Without the chroot these two would work: it is what is tested.
        self.start(OUTSIDE, 'native')
        self.start(FOLDER, 'native')
        for name, (port, _) in WRONG.items():
            got = self.send(port, 'u@pass.test')
            self.check(name + '-tempfails', got[-1].startswith('451'), got)
        self.empty('no-fatal-records', self.records('sandbox|fatal|panic'))

    def stop(self):
        self.pf.stop()
        super().stop()


if __name__ == '__main__':
    ns.enter('chroot')
    Tests().play()
