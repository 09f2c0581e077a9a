# Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE.
"""Debian's Postfix in a namespace of ns.py: its /etc/postfix is the private
copy, its queue and data folders are on a tmpfs, its syslog is collected.

    pf = Postfix({'10025': ['smtpd_milters=unix:/run/m/s'], ...}); pf.start()
    s = Smtp(10025, client='192.0.2.1'); s.cmd('MAIL FROM:<a@b.test>')
    pf.delivered(count)    # the messages (octets) that were delivered, so far
Accepted mail for the domains of DOMAINS goes into a maildir.
"""

import os
import pwd
import socket
import subprocess

import ns
import product
from check import wait
from client import listens
from maildir import Maildir

DOMAINS = 'dest.test, second.test'
MAILDIR = '/run/mail'

MAIN = """compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = all
alias_maps =
alias_database =
local_recipient_maps =
maillog_file =
smtpd_peername_lookup = no
virtual_mailbox_domains = %(domains)s
virtual_mailbox_base = %(maildir)s
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:%(uid)d
virtual_gid_maps = static:%(gid)d
virtual_minimum_uid = 1
default_transport = error:no mail leaves here
relay_domains =
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
smtpd_policy_service_retry_delay = 1s
smtpd_policy_service_timeout = 30s
smtpd_discard_ehlo_keywords = chunking
milter_connect_timeout = 5s
milter_command_timeout = 30s
"""

# service type private unpriv chroot wakeup maxproc command
MASTER = """cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
proxymap  unix - - n - - proxymap
anvil     unix - - n - 1 anvil
"""


class Postfix(Maildir):
    box = MAILDIR + '/box'

    def __init__(self, listeners, services=(), main=(), chroot=False):
        """listeners: port -> settings of its smtpd ('name=value', no blank
        round =); services: more lines of master.cf; main: of main.cf.
        chroot: smtpd runs in the queue directory, as Debian sets it up."""
        self.listeners, self.services = listeners, list(services)
        self.main, self.chroot = list(main), 'y' if chroot else 'n'
        self.running = False

    def write(self):
        owner = pwd.getpwnam('postfix')
        product.write_file('/etc/postfix/main.cf', MAIN % {
            'domains': DOMAINS, 'maildir': MAILDIR, 'uid': owner.pw_uid,
            'gid': owner.pw_gid} + '\n'.join(self.main) + '\n')
        lines = []
        for port, settings in self.listeners.items():
            lines.append('%s inet n - %s - - smtpd' % (port, self.chroot))
            for s in settings:
                lines.append('  -o { %s }' % s)
        product.write_file('/etc/postfix/master.cf', MASTER +
                           '\n'.join(lines + self.services) + '\n')

    def start(self):
        # Nothing may be left of, or come into, the machine's own folders.
        for path in ('/var/spool/postfix', '/var/lib/postfix'):
            ns.mount('tmpfs', path, 'tmpfs', ns.MS_NOSUID, 'mode=755')
        owner = pwd.getpwnam('postfix')
        os.chown('/var/lib/postfix', owner.pw_uid, owner.pw_gid)
        product.folder(MAILDIR + '/box', 'postfix')
        self.write()
        p = subprocess.run(['postfix', 'start'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=60)
        if p.returncode != 0:
            raise RuntimeError('postfix start: ' +
                               p.stdout.decode(errors='replace'))
        self.running = True
        for port in self.listeners:
            where = '127.0.0.1', int(port)
            if not wait(lambda: listens(where)):
                raise RuntimeError('Postfix: port %s' % port)

    def stop(self):
        if self.running:
            subprocess.run(['postfix', 'stop'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60)
            self.running = False


def base_zone():
    """The zone of the tests with mail servers."""
    with open(os.path.join(os.path.dirname(__file__), '..', 'postfix',
                           'base.zone'), encoding='ascii') as f:
        return f.read()


def headers(message):
    """[(name, value)] of the head of a message; folds are kept as \\n."""
    out = []
    head = message.split(b'\n\n', 1)[0]
    for line in head.split(b'\n'):
        if line[:1] in (b' ', b'\t') and out:
            out[-1][1] += b'\n' + line
        else:
            name, _, value = line.partition(b':')
            out.append([name, value.lstrip(b' ')])
    return [(n.decode('latin-1'), v.decode('utf-8', 'backslashreplace'))
            for n, v in out]


def unfold(value):
    return ''.join(value.split('\n'))


class Smtp:
    """An SMTP client that shows other addresses by XCLIENT."""

    def __init__(self, port, client='192.0.2.1', name='[UNAVAILABLE]',
                 timeout=60, host='127.0.0.1', xclient=True):
        self.s = socket.create_connection((host, port), timeout)
        self.f = self.s.makefile('rb')
        self.greeting = self.reply()
        if xclient and client is not None:
            self.cmd('EHLO localhost')
            addr = 'IPV6:' + client if ':' in client else client
            got = self.cmd('XCLIENT NAME=%s ADDR=%s' % (name, addr))
            if not got.startswith('220'):
                raise RuntimeError('XCLIENT: ' + got)

    def reply(self):
        """The reply's lines, joined by blanks, without '250-'."""
        out, code = [], ''
        while True:
            line = self.f.readline()
            if not line:
                return ''
            text = line.rstrip(b'\r\n').decode('utf-8', 'backslashreplace')
            code = text[:3]
            out.append(text[4:])
            if text[3:4] != '-':
                return code + ' ' + ' '.join(out)

    def cmd(self, line):
        data = line if isinstance(line, bytes) else line.encode('utf-8')
        self.s.sendall(data + b'\r\n')
        return self.reply()

    def message(self, text=b'From: a@b.test\r\nSubject: s\r\n\r\nhi\r\n'):
        got = self.cmd('DATA')
        if not got.startswith('354'):
            return got
        self.s.sendall(text + b'.\r\n')
        return self.reply()

    def quit(self):
        try:
            self.cmd('QUIT')
        except OSError:
            pass
        self.f.close()
        self.s.close()

    def mail(self, helo, sender, rcpts=('a@dest.test',), options=''):
        """A whole transaction: the replies to MAIL, each RCPT and, if any
        was accepted, the end of the message."""
        out = [self.cmd('EHLO ' + helo),
               self.cmd('MAIL FROM:<%s>%s' % (sender, options))][1:]
        if not out[0].startswith('250'):
            return out
        good = False
        for r in rcpts:
            out.append(self.cmd('RCPT TO:<%s>' % r))
            good = good or out[-1].startswith('250')
        if good:
            out.append(self.message())
        else:
            self.cmd('RSET')
        return out
